#include "features/vault/keyring.h"

#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
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
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

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

WorkspaceKeyRow wrap_new_workspace_key(const Secret& wrap_key,
                                       WorkspaceId workspace,
                                       std::uint32_t version) {
    return {workspace, version,
            crypto::seal(wrap_key, crypto::random_key(), workspace_key_place(workspace, version))};
}

WorkspaceKeys derive_all(const Secret& key) {
    return {.subjects = crypto::derive_key(key, "postern subject wrap 1"),
            .shares = crypto::derive_key(key, "postern share wrap 1"),
            .grants = crypto::derive_key(key, "postern grant wrap 1"),
            .settings = crypto::derive_key(key, "postern settings 1"),
            .macs = {crypto::derive_key(key, "postern mac creator address 1"),
                     crypto::derive_key(key, "postern mac person address 1"),
                     crypto::derive_key(key, "postern mac request 1"),
                     crypto::derive_key(key, "postern mac message id 1"),
                     crypto::derive_key(key, "postern mac folder 1"),
                     crypto::derive_key(key, "postern mac origin 1")}};
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

bool is_key(const Result<Secret>& opened) {
    return opened && opened->size() == crypto::k_key_bytes;
}

}  // namespace

Keyring::Keyring(Secret root_key,
                 Secret wrap_key,
                 std::uint32_t version,
                 crypto::SigningPair receipt)
    : root_key_(std::move(root_key)),
      workspace_wrap_key_(std::move(wrap_key)),
      version_(version),
      receipt_(std::move(receipt)) {}

NewKeyring Keyring::make(const Secret& root_key) {
    const auto keyring_key = crypto::random_key();
    const auto receipt = crypto::make_signing_pair();
    NewKeyring made;
    made.head = {.fingerprint = vault::fingerprint(root_key),
                 .version = k_first_version,
                 .keyring_wrap = crypto::seal(keyring_wrap_key(root_key), keyring_key,
                                              keyring_key_place(k_first_version)),
                 .receipt_public = receipt.public_key,
                 .receipt_wrap = crypto::seal(installation_wrap_key(root_key), receipt.seed,
                                              installation_key_place(k_receipt_purpose))};
    made.installation =
        wrap_new_workspace_key(workspace_wrap_key(keyring_key), k_installation, k_first_version);
    return made;
}

Result<Keyring> Keyring::open(const Secret& root_key, const KeyringHead& head) {
    const auto ours = vault::fingerprint(root_key);
    if (ours != head.fingerprint) {
        return fail(VaultError::wrong_root_key,
                    "the keyring wants the root key " + head.fingerprint + ", this is " + ours);
    }
    const auto keyring_key = crypto::open_secret(keyring_wrap_key(root_key), head.keyring_wrap,
                                                 keyring_key_place(head.version));
    auto seed = crypto::open_secret(installation_wrap_key(root_key), head.receipt_wrap,
                                    installation_key_place(k_receipt_purpose));
    if (!is_key(keyring_key) || !is_key(seed)) return fail(VaultError::keyring_damaged);
    auto receipt = crypto::signing_pair_of(std::move(*seed));
    if (receipt.public_key != head.receipt_public) return fail(VaultError::keyring_damaged);
    return Keyring(copy_of(root_key), workspace_wrap_key(*keyring_key), head.version,
                   std::move(receipt));
}

std::string Keyring::fingerprint() const {
    return vault::fingerprint(root_key_);
}

RecoveryKitRow Keyring::box_root_key(ByteView kit_public_key,
                                     const crypto::SharingScheme& scheme) const {
    return {scheme,
            crypto::seal(recovery_wrap_key(root_key_), kit_public_key, recovery_kit_place()),
            crypto::box_seal(kit_public_key, root_key_)};
}

WorkspaceKeyRow Keyring::make_workspace_key(WorkspaceId workspace) const {
    return wrap_new_workspace_key(workspace_wrap_key_, workspace, version_);
}

std::shared_ptr<const WorkspaceKeys> Keyring::workspace(WorkspaceId workspace) {
    const auto* found = workspaces_.find(workspace);
    return found == nullptr ? nullptr : *found;
}

Result<> Keyring::admit(const WorkspaceKeyRow& row) {
    if (row.version != version_) return fail(keys::KeyError::cannot_open, "keyring key version");
    const auto key = crypto::open_secret(workspace_wrap_key_, row.wrap,
                                         workspace_key_place(row.workspace, row.version));
    if (!is_key(key)) return fail(keys::KeyError::cannot_open, "workspace key");
    workspaces_.put(row.workspace, std::make_shared<const WorkspaceKeys>(derive_all(*key)));
    return {};
}

SubjectKeyRow Keyring::make_subject_key(const WorkspaceKeys& keys,
                                        WorkspaceId workspace,
                                        CreatorId creator) {
    return {creator, crypto::seal(keys.subjects, crypto::random_key(),
                                  subject_key_place(workspace, creator, k_outreach_purpose))};
}

SubjectKey Keyring::subject(WorkspaceId workspace, CreatorId creator) {
    const auto* found = subjects_.find({workspace, creator});
    return found == nullptr ? nullptr : *found;
}

Result<> Keyring::admit(const WorkspaceKeys& keys,
                        WorkspaceId workspace,
                        const SubjectKeyRow& row) {
    const auto key = crypto::open_secret(
        keys.subjects, row.wrap, subject_key_place(workspace, row.creator, k_outreach_purpose));
    if (!is_key(key)) return fail(keys::KeyError::cannot_open, "subject key");
    subjects_.put({workspace, row.creator}, std::make_shared<const Secret>(crypto::derive_key(
                                                *key, "postern message wrap 1")));
    return {};
}

void Keyring::forget(WorkspaceId workspace, const std::vector<CreatorId>& creators) {
    ++erasures_;
    for (const auto& creator : creators)
        subjects_.erase({workspace, creator});
}

}  // namespace postern::vault
