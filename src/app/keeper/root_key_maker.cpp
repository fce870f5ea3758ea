#include "app/keeper/root_key_maker.h"

#include "app/control/control_protocol.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <unistd.h>
#include <optional>
#include <utility>

namespace postern::app::keeper {
namespace {

Result<> write_key(const os::Fd& file, const Secret& root_key) {
    auto written =
        root_key.with_bytes([&](ByteView bytes) { return os::append(file.get(), bytes); });
    if (!written) return written;
    if (::fsync(file.get()) != 0) return fail(os::errno_error("root key"));
    return {};
}

Result<Secret> make(const os::Fd& file) {
    const auto root_key = vault::make_root_key();
    if (auto written = write_key(file, root_key); !written) return fail(written.error());
    return vault::recovery_text(root_key);
}

Result<std::string> restore(const Secret& share, const os::Fd& file) {
    POSTERN_TRY(const auto root_key, vault::root_key_from(share));
    POSTERN_TRY(const auto store, vault::open_keyring_store({.reserve_file = std::nullopt}));
    POSTERN_TRY(const auto head, store->head());
    if (!head) return fail(vault::VaultError::no_keyring);
    auto ours = vault::fingerprint(root_key);
    if (ours != head->fingerprint) {
        return fail(vault::VaultError::wrong_root_key,
                    "the keyring wants the root key " + head->fingerprint + ", this is " + ours);
    }
    if (auto written = write_key(file, root_key); !written) return fail(written.error());
    return ours;
}

async::Task<control::MakeRootKey::Answer> on_make(control::MakeRootKey asked) {
    control::MakeRootKey::Answer answer;
    auto made = make(asked.file);
    if (made) {
        answer.recovery_text = std::move(*made);
    } else {
        answer.refused = control::refusal_of(made.error());
    }
    co_return std::move(answer);
}

async::Task<control::RestoreRootKey::Answer> on_restore(control::RestoreRootKey asked) {
    control::RestoreRootKey::Answer answer;
    auto restored = restore(asked.share, asked.file);
    if (restored) {
        answer.fingerprint = std::move(*restored);
    } else {
        answer.refused = control::refusal_of(restored.error());
    }
    co_return std::move(answer);
}

}  // namespace

void serve_root_key(ipc::Router& router) {
    router.on<control::MakeRootKey>(
        [](control::MakeRootKey asked) { return on_make(std::move(asked)); });
    router.on<control::RestoreRootKey>(
        [](control::RestoreRootKey asked) { return on_restore(std::move(asked)); });
}

}  // namespace postern::app::keeper
