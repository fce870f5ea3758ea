#pragma once

#include "features/vault/keyring_store.h"
#include "platform/store/server.h"

#include <memory>
#include <optional>
#include <string>

namespace postern::vault {

struct KeyringStoreOptions {
    std::string file = "keyring.db";
    bool create = false;
    /// A PostgreSQL cluster of its own instead of the file.
    std::optional<store::Server> server = std::nullopt;
    /// Beside the store, on its disk; nothing: none is kept.
    std::optional<std::string> reserve_file = "keyring.reserve";
};

/// The keyring in its own database, which only keeper opens. Errors: as store::Database::open.
[[nodiscard]] Result<std::unique_ptr<KeyringStore>> open_keyring_store(
    const KeyringStoreOptions& options);

}  // namespace postern::vault
