#pragma once

#include "app/config/config.h"
#include "foundation/base/result.h"
#include "platform/os/landlock.h"
#include "platform/os/system_call_filter.h"

#include <string>
#include <vector>

namespace postern::app::fence {

/// All that a role may still do once it is fenced.
struct Fence {
    os::LandlockRules files_and_ports{};
    std::vector<os::SystemCallRule> system_calls{};
    os::Violation violation = os::Violation::kill;
};

/// The fence of each role, for the settings it works with. What a setting needs of files, ports or
/// addresses is named here and nowhere else. Paths are relative to the role's own folder.
[[nodiscard]] Fence of_front(const config::Config& config);
[[nodiscard]] Fence of_keeper(const config::Config& config);
[[nodiscard]] Fence of_courier(const config::Config& config);
[[nodiscard]] Fence of_reader(os::Violation violation);

/// The files that courier's resolver reads: a rule holds for the file that was there.
[[nodiscard]] std::vector<std::string> resolver_files();

/// Closes the fence around the calling thread and all that it starts: before there are others, and
/// before anything foreign is read. Uses what the host has; missing_isolation() says what it lacks.
/// Errors: OsError; the process must not go on then.
[[nodiscard]] Result<> enter(const Fence& fence);

/// What keeps processes apart less than it should, on this host and with these settings, but for
/// their users; empty: nothing. It asks the kernel, which a fenced process may not.
[[nodiscard]] std::string missing_isolation(const config::Config& config);

/// What of it the versions of the kernel's parts decide.
struct Host {
    int landlock = 0;
    bool filters = false;
};
[[nodiscard]] std::vector<std::string> missing_parts(const config::Config& config, Host host);

}  // namespace postern::app::fence
