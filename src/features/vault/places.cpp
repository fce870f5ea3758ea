#include "features/vault/places.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/crypto/place.h"
#include "platform/keys/seals.h"
#include "platform/store/data_map.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::vault {
namespace {

namespace columns = store::data_map::keyring;
// Where front keeps what keeper made and cannot store itself.
constexpr auto k_seal = store::data_map::store::seals::seal.value;
constexpr auto k_grant = store::data_map::store::grants::credential.value;

void put(Bytes& row, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i)
        row.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put(Bytes& row, ByteView bytes) {
    put(row, bytes.size(), 4);
    row.insert(row.end(), bytes.begin(), bytes.end());
}

/// The parts of one column: a name tells them apart.
Bytes seal_row(std::string_view part, const IntegrationKey& key) {
    Bytes row = crypto::row_key(key.integration);
    put(row, as_bytes(part));
    return row;
}

}  // namespace

crypto::Place keyring_key_place(std::uint32_t version) {
    return {k_installation, columns::keyring_keys::wrap.value, {}, version};
}

crypto::Place installation_key_place(std::uint32_t purpose) {
    Bytes row;
    put(row, purpose, 4);
    return {k_installation, columns::installation_keys::wrap.value, row, 0};
}

crypto::Place recovery_kit_place() {
    return {k_installation, columns::recovery_kits::public_wrap.value, {}, 0};
}

crypto::Place workspace_key_place(WorkspaceId workspace,
                                  std::uint32_t version,
                                  std::uint32_t generation) {
    Bytes row;
    // The first generation is older than generations are.
    if (generation != 1) put(row, generation, 4);
    return {workspace, columns::workspace_keys::wrap.value, row, version};
}

crypto::Place kept_key_place(WorkspaceId workspace,
                             std::uint32_t generation,
                             std::uint32_t purpose,
                             std::uint32_t under) {
    Bytes row;
    put(row, generation, 4);
    put(row, purpose, 4);
    return {workspace, columns::kept_keys::wrap.value, row, under};
}

crypto::Place subject_key_place(WorkspaceId workspace, CreatorId creator, std::uint32_t purpose) {
    Bytes row = crypto::row_key(creator);
    put(row, purpose, 4);
    return {workspace, columns::subject_keys::wrap.value, row, 0};
}

crypto::Place server_share_place(const IntegrationKey& key, std::uint64_t epoch) {
    return {key.workspace, columns::server_shares::wrap.value, crypto::row_key(key.integration),
            epoch};
}

crypto::Place holder_share_place(const IntegrationKey& key, std::uint64_t epoch, HolderId holder) {
    return {key.workspace, columns::holder_shares::wrap.value,
            crypto::row_key(key.integration, holder), epoch};
}

crypto::Place grant_key_place(const IntegrationKey& key, std::uint64_t epoch, GrantId grant) {
    return {key.workspace, columns::grant_keys::wrap.value, crypto::row_key(key.integration, grant),
            epoch};
}

crypto::Place holder_private_place(const IntegrationKey& key, const keys::HolderSeal& holder) {
    Bytes row = seal_row("holder private key", key);
    put(row, holder.holder.bytes());
    put(row, holder.salt);
    put(row, holder.passes, 4);
    put(row, holder.memory_kib, 4);
    put(row, holder.public_key);
    return {key.workspace, k_seal, row, 0};
}

crypto::Place boxed_key_place(const IntegrationKey& key,
                              std::uint64_t epoch,
                              const keys::HolderSeal& holder) {
    Bytes row = seal_row("integration key", key);
    put(row, holder.holder.bytes());
    put(row, holder.public_key);
    return {key.workspace, k_seal, row, epoch};
}

crypto::Place credential_key_place(const IntegrationKey& key, std::uint64_t epoch) {
    return {key.workspace, k_seal, seal_row("credential key", key), epoch};
}

crypto::Place credential_place(const IntegrationKey& key, std::uint64_t epoch) {
    return {key.workspace, k_seal, seal_row("credential", key), epoch};
}

crypto::Place grant_place(const IntegrationKey& key, const keys::GrantSeal& grant) {
    Bytes row = seal_row("grant", key);
    put(row, grant.grant.bytes());
    put(row, grant.verbs, 1);
    put(row, grant.hourly_ceiling, 4);
    put(row, static_cast<std::uint64_t>(grant.expires_at_ms), 8);
    return {key.workspace, k_grant, row, grant.epoch};
}

}  // namespace postern::vault
