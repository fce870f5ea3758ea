#pragma once

#include "app/child/runtime.h"
#include "platform/async/task.h"

namespace postern::app::keeper {

/// Keeper's life: opens (or makes) the keyring in the working directory with the root key it was
/// handed, and serves front and courier.
async::Task<> run(child::Runtime& runtime);

}  // namespace postern::app::keeper
