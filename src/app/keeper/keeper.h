#pragma once

#include "app/child/runtime.h"
#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

namespace postern::app::keeper {

/// Keeper's life: opens (or makes) the keyring in the working directory with the root key it was
/// handed, and serves front and courier.
async::Task<> run(child::Runtime& runtime);

/// Look, before keeper is started: whether run() would migrate the keyring; changes nothing.
/// Errors: no_keyring, those of the store, disk_full without room for the migration.
[[nodiscard]] Result<bool> look(control::StoreAccess& access);

}  // namespace postern::app::keeper
