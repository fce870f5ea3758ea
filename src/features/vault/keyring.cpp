#include "features/vault/keyring.h"

#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/random.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/keys/key_error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;

constexpr std::uint32_t k_first_version = 1;
constexpr std::uint32_t k_receipt_purpose = 1;
constexpr std::uint32_t k_outreach_purpose = 1;

Secret keyring_wrap_key(const Secret& root_key) {
    return crypto::derive_key(root_key, "postern keyring wrap 1");
}
Secret installation_wrap_key(const Secret& root_key) {
    return crypto::derive_key(root_key, "postern installation wrap 1");
}
Secret recovery_wrap_key(const Secret& root_key) {
    return crypto::derive_key(root_key, "postern recovery kit wrap 1");
}
Secret workspace_wrap_key(const Secret& keyring_key) {
    return crypto::derive_key(keyring_key, "postern workspace wrap 1");
}

WorkspaceKeyRow wrap_workspace_key(const Secret& wrap_key,
                                   std::uint32_t version,
                                   WorkspaceId workspace,
                                   std::uint32_t generation,
                                   const Secret& key) {
    const auto place = workspace_key_place(workspace, version, generation);
    return {workspace, version, crypto::seal(wrap_key, key, place), generation};
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

bool is_key(const Result<Secret>& opened) {
    return opened && opened->size() == crypto::k_key_bytes;
}

/// Errors: keyring_damaged.
Result<Secret> open_keyring_key(const Secret& root_key, const KeyringKeyRow& row) {
    auto key =
        crypto::open_secret(keyring_wrap_key(root_key), row.wrap, keyring_key_place(row.version));
    if (!is_key(key)) return fail(VaultError::keyring_damaged);
    return key;
}

KeyringKeyRow wrap_keyring_key(const Secret& root_key, std::uint32_t version, const Secret& key) {
    return {version, crypto::seal(keyring_wrap_key(root_key), key, keyring_key_place(version))};
}

RecoveryKitRow box_for(const Secret& root_key,
                       ByteView kit_public_key,
                       const crypto::SharingScheme& scheme) {
    return {scheme, crypto::seal(recovery_wrap_key(root_key), kit_public_key, recovery_kit_place()),
            crypto::box_seal(kit_public_key, root_key)};
}

}  // namespace

Keyring::Keyring(Secret root_key, WrapKeysByVersion wrap_keys, crypto::SigningPair receipt)
    : root_key_(std::move(root_key)),
      wrap_keys_(std::move(wrap_keys)),
      receipt_(std::move(receipt)) {}

NewKeyring Keyring::make(const Secret& root_key) {
    const auto keyring_key = crypto::random_key();
    const auto receipt = crypto::make_signing_pair();
    NewKeyring made;
    made.head = {.fingerprint = vault::fingerprint(root_key),
                 .version = k_first_version,
                 .keyring_wrap = wrap_keyring_key(root_key, k_first_version, keyring_key).wrap,
                 .older = std::nullopt,
                 .receipt_public = receipt.public_key,
                 .receipt_wrap = crypto::seal(installation_wrap_key(root_key), receipt.seed,
                                              installation_key_place(k_receipt_purpose))};
    made.installation =
        wrap_workspace_key(workspace_wrap_key(keyring_key), k_first_version, k_installation,
                           k_first_generation, crypto::random_key());
    return made;
}

Result<Keyring> Keyring::open(const Secret& root_key, const KeyringHead& head) {
    const auto ours = vault::fingerprint(root_key);
    if (ours != head.fingerprint) {
        return fail(VaultError::wrong_root_key,
                    "the keyring wants the root key " + head.fingerprint + ", this is " + ours);
    }
    WrapKeysByVersion wrap_keys;
    std::vector<KeyringKeyRow> rows{{head.version, head.keyring_wrap}};
    if (head.older) rows.push_back(*head.older);
    for (const auto& row : rows) {
        POSTERN_TRY(const auto key, open_keyring_key(root_key, row));
        wrap_keys.emplace(row.version, workspace_wrap_key(key));
    }
    auto seed = crypto::open_secret(installation_wrap_key(root_key), head.receipt_wrap,
                                    installation_key_place(k_receipt_purpose));
    if (!is_key(seed)) return fail(VaultError::keyring_damaged);
    auto receipt = crypto::signing_pair_of(std::move(*seed));
    if (receipt.public_key != head.receipt_public) return fail(VaultError::keyring_damaged);
    return Keyring(copy_of(root_key), std::move(wrap_keys), std::move(receipt));
}

std::string Keyring::fingerprint() const {
    return vault::fingerprint(root_key_);
}

Secret Keyring::copy_root_key() const {
    return copy_of(root_key_);
}

RecoveryKitRow Keyring::box_root_key(ByteView kit_public_key,
                                     const crypto::SharingScheme& scheme) const {
    return box_for(root_key_, kit_public_key, scheme);
}

WorkspaceKeyRow Keyring::make_workspace_key(WorkspaceId workspace) const {
    const auto& [version, wrap_key] = *wrap_keys_.rbegin();
    return wrap_workspace_key(wrap_key, version, workspace, k_first_generation,
                              crypto::random_key());
}

std::shared_ptr<const WorkspaceKeys> Keyring::workspace(WorkspaceId workspace) {
    const auto* found = workspaces_.find(workspace);
    return found == nullptr ? nullptr : *found;
}

Result<Secret> Keyring::open_key(const WorkspaceKeyRow& row) const {
    const auto wrap_key = wrap_keys_.find(row.version);
    if (wrap_key == wrap_keys_.end()) return fail(KeyError::cannot_open, "keyring key version");
    auto key = crypto::open_secret(wrap_key->second, row.wrap,
                                   workspace_key_place(row.workspace, row.version, row.generation));
    if (!is_key(key)) return fail(KeyError::cannot_open, "workspace key");
    return key;
}

Result<WorkspaceKeys> Keyring::open(const WorkspaceKeyRows& rows) const {
    POSTERN_TRY(const auto present, open_key(rows.present));
    if (!rows.next) return derive_keys(rows, present, nullptr);
    POSTERN_TRY(const auto next, open_key(*rows.next));
    return derive_keys(rows, present, &next);
}

Result<> Keyring::admit(const WorkspaceKeyRows& rows) {
    POSTERN_TRY(auto keys, open(rows));
    workspaces_.put(rows.present.workspace, std::make_shared<const WorkspaceKeys>(std::move(keys)));
    return {};
}

SubjectKeyRow Keyring::make_subject_key(const WorkspaceKeys& keys,
                                        WorkspaceId workspace,
                                        CreatorId creator) {
    const auto place = subject_key_place(workspace, creator, k_outreach_purpose);
    return {creator, crypto::seal(keys.newest.subjects, crypto::random_key(), place),
            keys.newest.generation};
}

SubjectKey Keyring::subject(WorkspaceId workspace, CreatorId creator) {
    const auto* found = subjects_.find({workspace, creator});
    return found == nullptr ? nullptr : *found;
}

Result<> Keyring::admit(const WorkspaceKeys& keys,
                        WorkspaceId workspace,
                        const SubjectKeyRow& row) {
    const auto* under = keys.under(row.generation);
    if (under == nullptr) return fail(KeyError::keys_rotated);
    const auto key = crypto::open_secret(
        under->subjects, row.wrap, subject_key_place(workspace, row.creator, k_outreach_purpose));
    if (!is_key(key)) return fail(KeyError::cannot_open, "subject key");
    subjects_.put({workspace, row.creator}, std::make_shared<const Secret>(crypto::derive_key(
                                                *key, "postern message wrap 1")));
    return {};
}

void Keyring::forget(WorkspaceId workspace, const std::vector<CreatorId>& creators) {
    ++erasures_;
    for (const auto& creator : creators)
        subjects_.erase({workspace, creator});
}

Result<RootKeyChange> Keyring::change_root_key(const Secret& next,
                                               const KeyringHead& head,
                                               const RecoveryKitRow& kit) const {
    const auto move = [&](const KeyringKeyRow& row) -> Result<KeyringKeyRow> {
        POSTERN_TRY(const auto key, open_keyring_key(root_key_, row));
        return wrap_keyring_key(next, row.version, key);
    };
    RootKeyChange change;
    change.from = head.fingerprint;
    change.head = head;
    change.head.fingerprint = vault::fingerprint(next);
    POSTERN_TRY(auto newest, move({head.version, head.keyring_wrap}));
    change.head.keyring_wrap = std::move(newest.wrap);
    if (head.older) {
        POSTERN_TRY(change.head.older, move(*head.older));
    }
    change.head.receipt_wrap = crypto::seal(installation_wrap_key(next), receipt_.seed,
                                            installation_key_place(k_receipt_purpose));
    // Who could write to the keyring's file must not have put in a kit of their own.
    const auto kit_public =
        crypto::open(recovery_wrap_key(root_key_), kit.public_wrap, recovery_kit_place());
    if (!kit_public) return fail(VaultError::keyring_damaged);
    change.kit = box_for(next, *kit_public, kit.scheme);
    return change;
}

KeyringKeyRow Keyring::make_keyring_key() const {
    return wrap_keyring_key(root_key_, wrap_keys_.rbegin()->first + 1, crypto::random_key());
}

Result<> Keyring::admit(const KeyringKeyRow& row) {
    POSTERN_TRY(const auto key, open_keyring_key(root_key_, row));
    wrap_keys_.insert_or_assign(row.version, workspace_wrap_key(key));
    return {};
}

std::optional<std::uint32_t> Keyring::older_version() const {
    if (wrap_keys_.size() < 2) return std::nullopt;
    return wrap_keys_.begin()->first;
}

Result<WorkspaceKeyRow> Keyring::rewrap(const WorkspaceKeyRow& row) const {
    POSTERN_TRY(const auto key, open_key(row));
    const auto& [version, wrap_key] = *wrap_keys_.rbegin();
    return wrap_workspace_key(wrap_key, version, row.workspace, row.generation, key);
}

Result<WorkspaceRotation> Keyring::rotate(const WorkspaceKeyRows& rows,
                                          const KeyringKeyRow* keyring_key) const {
    POSTERN_TRY(const auto keys, open(rows));
    const auto next = crypto::random_key();
    const auto workspace = rows.present.workspace;
    const auto generation = rows.newest().generation + 1;
    WorkspaceRotation rotation;
    if (keyring_key != nullptr) {
        POSTERN_TRY(const auto wrap_key, open_keyring_key(root_key_, *keyring_key));
        rotation.next = wrap_workspace_key(workspace_wrap_key(wrap_key), keyring_key->version,
                                           workspace, generation, next);
    } else {
        const auto& [version, wrap_key] = *wrap_keys_.rbegin();
        rotation.next = wrap_workspace_key(wrap_key, version, workspace, generation, next);
    }
    rotation.kept = keep_keys(keys, workspace, generation, next);
    return rotation;
}

}  // namespace postern::vault
