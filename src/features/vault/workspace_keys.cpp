#include "features/vault/workspace_keys.h"

#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;

constexpr std::uint32_t k_settings_purpose = 1;
constexpr std::uint32_t k_audit_purpose = 2;
constexpr std::uint32_t k_first_mac_purpose = 10;  // and those after it, by keys::MacPurpose
constexpr std::uint32_t k_outreach_purpose = 1;

constexpr std::string_view k_settings_info = "postern settings 1";
constexpr std::string_view k_audit_info = "postern audit 1";
constexpr std::array<std::string_view, keys::k_mac_purposes> k_mac_infos = {
    "postern mac creator address 1", "postern mac person address 1", "postern mac request 1",
    "postern mac message id 1",      "postern mac folder 1",         "postern mac origin 1"};

Secret kept_wrap_key(const Secret& workspace_key) {
    return crypto::derive_key(workspace_key, "postern kept key wrap 1");
}

WrapKeys wrap_keys(const Secret& key, std::uint32_t generation) {
    return {.generation = generation,
            .subjects = crypto::derive_key(key, "postern subject wrap 1"),
            .shares = crypto::derive_key(key, "postern share wrap 1"),
            .grants = crypto::derive_key(key, "postern grant wrap 1")};
}

/// Puts a kept key where it belongs. Errors: cannot_open.
Result<> take(WorkspaceKeys& keys,
              WorkspaceId workspace,
              const KeptKeyRow& row,
              const Secret& wrap_key) {
    auto key = crypto::open_secret(
        wrap_key, row.wrap, kept_key_place(workspace, row.generation, row.purpose, row.under));
    if (!key || key->size() != crypto::k_key_bytes) return fail(KeyError::cannot_open, "kept key");
    if (row.purpose == k_settings_purpose) {
        keys.older_settings.push_back({row.generation, std::move(*key)});
        return {};
    }
    if (row.purpose == k_audit_purpose) {
        keys.audit = std::move(*key);
        return {};
    }
    const auto mac = std::size_t{row.purpose} - k_first_mac_purpose;
    if (mac >= keys.macs.size()) return fail(KeyError::cannot_open, "kept key of no purpose");
    keys.macs[mac] = std::move(*key);
    return {};
}

crypto::Place place_of(WorkspaceId workspace, const WrapRow& row) {
    switch (row.kind) {
        case WrapRow::Kind::subject:
            return subject_key_place(workspace, row.creator, k_outreach_purpose);
        case WrapRow::Kind::server_share: return server_share_place(row.integration, row.epoch);
        case WrapRow::Kind::holder_share:
            return holder_share_place(row.integration, row.epoch, row.holder);
        case WrapRow::Kind::grant: return grant_key_place(row.integration, row.epoch, row.grant);
    }
    return {};
}

const Secret& key_for(const WrapKeys& keys, WrapRow::Kind kind) {
    switch (kind) {
        case WrapRow::Kind::subject: return keys.subjects;
        case WrapRow::Kind::server_share:
        case WrapRow::Kind::holder_share: return keys.shares;
        case WrapRow::Kind::grant: return keys.grants;
    }
    return keys.subjects;
}

}  // namespace

Result<WorkspaceKeys> derive_keys(const WorkspaceKeyRows& rows,
                                  const Secret& present,
                                  const Secret* next) {
    const auto& newest = next == nullptr ? present : *next;
    const auto generation = rows.newest().generation;
    WorkspaceKeys keys;
    keys.newest = wrap_keys(newest, generation);
    if (next != nullptr) keys.before = wrap_keys(present, rows.present.generation);
    keys.settings = crypto::derive_key(newest, k_settings_info);
    if (generation == k_first_generation) {
        for (std::size_t i = 0; i < keys.macs.size(); ++i)
            keys.macs[i] = crypto::derive_key(newest, k_mac_infos[i]);
        keys.audit = crypto::derive_key(newest, k_audit_info);
        return keys;
    }
    const auto wrap_key = kept_wrap_key(newest);
    for (const auto& row : rows.kept) {
        if (row.under != generation) continue;
        auto taken = take(keys, rows.present.workspace, row, wrap_key);
        if (!taken) return fail(std::move(taken.error()));
    }
    for (const auto& mac : keys.macs) {
        if (mac.empty()) return fail(KeyError::cannot_open, "a kept key is missing");
    }
    // None was kept where the key was rotated before there was an audit record.
    if (keys.audit.empty()) keys.audit = crypto::derive_key(newest, k_audit_info);
    return keys;
}

std::vector<KeptKeyRow> keep_keys(const WorkspaceKeys& keys,
                                  WorkspaceId workspace,
                                  std::uint32_t next_generation,
                                  const Secret& next) {
    const auto wrap_key = kept_wrap_key(next);
    std::vector<KeptKeyRow> rows;
    const auto keep = [&](std::uint32_t generation, std::uint32_t purpose, const Secret& key) {
        const auto place = kept_key_place(workspace, generation, purpose, next_generation);
        rows.push_back({generation, purpose, next_generation, crypto::seal(wrap_key, key, place)});
    };
    keep(keys.newest.generation, k_settings_purpose, keys.settings);
    for (const auto& older : keys.older_settings)
        keep(older.generation, k_settings_purpose, older.settings);
    for (std::size_t i = 0; i < keys.macs.size(); ++i)
        keep(k_first_generation, k_first_mac_purpose + static_cast<std::uint32_t>(i), keys.macs[i]);
    keep(k_first_generation, k_audit_purpose, keys.audit);
    return rows;
}

Result<WrapRow> rewrap(const WorkspaceKeys& keys, WorkspaceId workspace, WrapRow row) {
    if (!keys.before) return fail(KeyError::cannot_open, "no rotation");
    const auto place = place_of(workspace, row);
    const auto opened = crypto::open_secret(key_for(*keys.before, row.kind), row.wrap, place);
    if (!opened) return fail(KeyError::cannot_open, "a wrap that does not open");
    row.wrap = crypto::seal(key_for(keys.newest, row.kind), *opened, place);
    return row;
}

}  // namespace postern::vault
