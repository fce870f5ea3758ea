#pragma once

#include "app/control/control_protocol.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"

#include <vector>

namespace postern::app::stores {

/// Options to open a store of this process where the supervisor says that it lies. Takes the
/// password. Lifetime: `access` outlives the store, which reads its certificate again.
[[nodiscard]] store::Database::Options options_of(control::StoreAccess& access,
                                                  store::StoreKind kind);

/// One step of moving this process's stores. The index is not moved: it is made anew.
[[nodiscard]] control::MoveStore::Answer move(control::MoveStore asked,
                                              std::vector<store::StoreKind> kinds);

}  // namespace postern::app::stores
