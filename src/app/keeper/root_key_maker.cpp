#include "app/keeper/root_key_maker.h"

#include "app/control/control_protocol.h"
#include "app/stores/stores.h"
#include "features/vault/keyring_store.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/recovery_kit.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/keypair.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/store/migration.h"

#include <optional>
#include <string>
#include <utility>

namespace postern::app::keeper {
namespace {

/// The root key that the shares restore, perhaps another keyring's.
Result<Secret> root_key_of(const Secret& shares, vault::KeyringStore& store) {
    POSTERN_TRY(auto joined, vault::join_recovery_shares(shares));
    if (!joined.kit) return std::move(joined.root_key);
    POSTERN_TRY(const auto row, store.recovery_kit());
    if (!row) return fail(vault::VaultError::no_recovery_kit);
    auto root_key = crypto::box_open(*joined.kit, row->root_key_box);
    // Of another keyring, or of a kit in whose place there is another one now.
    if (!root_key) return fail(vault::VaultError::no_recovery_kit);
    return root_key;
}

Result<std::string> restore(control::RestoreRootKey& asked) {
    const auto place = stores::options_of(asked.store, store::StoreKind::keyring);
    POSTERN_TRY(const auto store,
                vault::open_keyring_store({.server = place.server, .reserve_file = std::nullopt}));
    POSTERN_TRY(const auto head, store->head());
    if (!head) return fail(vault::VaultError::no_keyring);
    POSTERN_TRY(const auto root_key, root_key_of(asked.shares, *store));
    auto ours = vault::fingerprint(root_key);
    if (ours != head->fingerprint) {
        return fail(vault::VaultError::wrong_root_key,
                    "the keyring wants the root key " + head->fingerprint + ", this is " + ours);
    }
    const auto written = vault::write_root_key(asked.file.get(), root_key, asked.passphrase);
    if (!written) return fail(written.error());
    return ours;
}

async::Task<control::MakeRootKey::Answer> on_make(control::MakeRootKey asked) {
    control::MakeRootKey::Answer answer;
    const auto written =
        vault::write_root_key(asked.file.get(), vault::make_root_key(), asked.passphrase);
    if (!written) answer.refused = control::refusal_of(written.error());
    co_return std::move(answer);
}

async::Task<control::RestoreRootKey::Answer> on_restore(control::RestoreRootKey asked) {
    control::RestoreRootKey::Answer answer;
    auto restored = restore(asked);
    if (restored) {
        answer.fingerprint = std::move(*restored);
    } else {
        answer.refused = control::refusal_of(restored.error());
    }
    co_return std::move(answer);
}

async::Task<control::MoveStore::Answer> on_move(control::MoveStore asked) {
    co_return stores::move(std::move(asked), {store::StoreKind::keyring});
}

}  // namespace

void serve_root_key(ipc::Router& router) {
    router.on<control::MakeRootKey>(
        [](control::MakeRootKey asked) { return on_make(std::move(asked)); });
    router.on<control::RestoreRootKey>(
        [](control::RestoreRootKey asked) { return on_restore(std::move(asked)); });
    router.on<control::MoveStore>(
        [](control::MoveStore asked) { return on_move(std::move(asked)); });
}

}  // namespace postern::app::keeper
