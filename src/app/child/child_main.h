#pragma once

#include "app/child/runtime.h"
#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/fence/fence.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"

#include <functional>
#include <string_view>

namespace postern::app::child {

struct Role {
    std::string_view name;  ///< "front"; a literal
    /// The role's life. An error before Runtime::ready() is why the server does not start.
    std::function<async::Task<>(Runtime&)> run;
    /// What is left to it from the start on.
    std::function<fence::Fence(const config::Config&)> fence;
    /// Answers control::Look, behind the fence. Keeper's and front's.
    std::function<Result<bool>(control::StoreAccess&)> look = {};
    /// Adds what the role serves on the control connection before it is started.
    std::function<void(ipc::Router&)> prepare;
    /// Loads what the fence would keep from it. What fails is told by whoever needs it.
    std::function<void(const config::Config&)> before_fence = {};
};

/// The main() of front, keeper and courier: fenced, on one event loop, led by the supervisor over
/// descriptor 3 and gone when that closes. Returns the exit status.
[[nodiscard]] int run_child(int argc, char** argv, const Role& role);

/// No core, no ptrace, files for the owner alone, signals as a child has them, names for ps and the
/// log. The first thing in every process. False when the system refuses.
[[nodiscard]] bool prepare_process(std::string_view role);

}  // namespace postern::app::child
