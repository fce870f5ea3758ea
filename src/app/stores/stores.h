#pragma once

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"

#include <vector>

namespace postern::app::stores {

/// Loads the library that the configured stores need, where one is: a fenced process may load none.
void load_library(const config::Config& config);

/// Options to open a store of this process where the supervisor says that it lies. Takes the
/// password. Lifetime: `access` outlives the store, which reads its certificate again.
[[nodiscard]] store::Database::Options options_of(control::StoreAccess& access,
                                                  store::StoreKind kind);

/// Whether opening this store would migrate it; changes nothing. Errors: as store::is_behind().
[[nodiscard]] Result<bool> is_behind(control::StoreAccess& access, store::StoreKind kind);

/// One step of moving this process's stores. The index is not moved: it is made anew.
[[nodiscard]] control::MoveStore::Answer move(control::MoveStore asked,
                                              const std::vector<store::StoreKind>& kinds);

}  // namespace postern::app::stores
