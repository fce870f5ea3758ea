#pragma once

#include "app/child/runtime.h"
#include "platform/async/task.h"

namespace postern::app::front {

/// Front's life: opens the stores, connects the features to each other and to the other processes,
/// finishes what a crash interrupted, and only then opens the port.
async::Task<> run(child::Runtime& runtime);

}  // namespace postern::app::front
