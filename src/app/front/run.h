#pragma once

#include "app/child/runtime.h"
#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"

namespace postern::app::front {

/// Front's life: opens the stores, connects the features to each other and to the other processes,
/// finishes what a crash interrupted, and only then opens the port.
async::Task<> run(child::Runtime& runtime);

/// Look, before front is started: migrates its stores where they are of an earlier version. Never
/// true. Errors: those of the store.
[[nodiscard]] Result<bool> bring_up_to_date(control::StoreAccess& access);

/// MoveStore, before front is started.
void serve_move(ipc::Router& router);

}  // namespace postern::app::front
