#pragma once

#include "app/child/runtime.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"

namespace postern::app::front {

/// Front's life: opens the stores, connects the features to each other and to the other processes,
/// finishes what a crash interrupted, and only then opens the port.
async::Task<> run(child::Runtime& runtime);

/// MoveStore, before front is started.
void serve_move(ipc::Router& router);

}  // namespace postern::app::front
