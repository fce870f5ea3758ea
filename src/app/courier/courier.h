#pragma once

#include "app/child/runtime.h"
#include "platform/async/task.h"

namespace postern::app::courier {

/// Courier's life: front's mail methods over one connection, keeper's tickets over the other. Both
/// come once: the supervisor restarts courier when front or keeper was.
async::Task<> run(child::Runtime& runtime);

}  // namespace postern::app::courier
