#pragma once

#include <string_view>

namespace postern::app::supervisor {

/// Tells a service manager that started us (systemd, Type=notify) how far we are: "READY=1",
/// "STOPPING=1". Does nothing where there is none; one that does not listen is not waited for.
/// Source: sd_notify(3).
void tell_service_manager(std::string_view state);

}  // namespace postern::app::supervisor
