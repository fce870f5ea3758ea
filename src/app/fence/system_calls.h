#pragma once

#include "platform/os/system_call_filter.h"

#include <span>

/// The allow-lists of system_calls/*.txt, as the build embeds them. Internal to app/fence.
namespace postern::app::fence {

[[nodiscard]] std::span<const os::SystemCallRule> every_calls();
[[nodiscard]] std::span<const os::SystemCallRule> front_calls();
[[nodiscard]] std::span<const os::SystemCallRule> keeper_calls();
[[nodiscard]] std::span<const os::SystemCallRule> courier_calls();
[[nodiscard]] std::span<const os::SystemCallRule> reader_calls();
[[nodiscard]] std::span<const os::SystemCallRule> postgresql_calls();
[[nodiscard]] std::span<const os::SystemCallRule> postgresql_by_name_calls();
[[nodiscard]] std::span<const os::SystemCallRule> postgresql_by_socket_calls();
[[nodiscard]] std::span<const os::SystemCallRule> postgresql_no_socket_calls();

}  // namespace postern::app::fence
