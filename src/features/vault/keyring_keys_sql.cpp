#include "features/vault/keyring_store.h"
#include "features/vault/sql_keyring_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;
using store::Clear;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::StoreError;
using store::Transaction;

constexpr std::int64_t k_receipt_purpose = 1;
constexpr std::int64_t k_outreach_purpose = 1;
constexpr std::string_view k_fingerprint_name = "root_key_fingerprint";

constexpr SqlText k_select_meta = "SELECT value FROM meta WHERE workspace_id = $1 AND name = $2";
constexpr SqlText k_insert_meta =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, $2, $3)";
constexpr SqlText k_select_keyring_keys =
    "SELECT version, wrap FROM keyring_keys WHERE workspace_id = $1 ORDER BY version DESC";
constexpr SqlText k_has_keyring_key =
    "SELECT 1 FROM keyring_keys WHERE workspace_id = $1 AND version = $2";
constexpr SqlText k_insert_keyring_key =
    "INSERT INTO keyring_keys (workspace_id, version, wrap) VALUES ($1, $2, $3)";
constexpr SqlText k_select_installation_key =
    "SELECT public_key, wrap FROM installation_keys WHERE workspace_id = $1 AND purpose = $2";
constexpr SqlText k_insert_installation_key =
    "INSERT INTO installation_keys (workspace_id, purpose, public_key, wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_select_recovery_kit =
    "SELECT shares, threshold, public_wrap, root_key_box FROM recovery_kits "
    "WHERE workspace_id = $1";
constexpr SqlText k_upsert_recovery_kit =
    "INSERT INTO recovery_kits (workspace_id, shares, threshold, public_wrap, root_key_box) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id) "
    "DO UPDATE SET shares = $2, threshold = $3, public_wrap = $4, root_key_box = $5";
constexpr SqlText k_select_workspace_key =
    "SELECT keyring_version, wrap, generation FROM workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_select_next_key =
    "SELECT keyring_version, wrap, generation FROM next_workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_select_kept_keys =
    "SELECT generation, purpose, under_generation, wrap FROM kept_keys WHERE workspace_id = $1 "
    "ORDER BY generation DESC, purpose";
constexpr SqlText k_has_generation =
    "SELECT 1 FROM workspace_keys WHERE workspace_id = $1 AND generation = $2 UNION ALL "
    "SELECT 1 FROM next_workspace_keys WHERE workspace_id = $1 AND generation = $2";
constexpr SqlText k_insert_workspace_key =
    "INSERT INTO workspace_keys (workspace_id, keyring_version, wrap) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING";
constexpr SqlText k_select_subject_key =
    "SELECT wrap, generation FROM subject_keys "
    "WHERE workspace_id = $1 AND creator_id = $2 AND purpose = $3";
constexpr SqlText k_insert_subject_key =
    "INSERT INTO subject_keys (workspace_id, creator_id, purpose, wrap, generation) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
constexpr SqlText k_delete_subject_keys =
    "DELETE FROM subject_keys WHERE workspace_id = $1 AND creator_id = $2";

std::uint32_t number_of(const Row& row, std::size_t column) {
    return static_cast<std::uint32_t>(row.integer(column));
}

WorkspaceKeyRow workspace_key_of(WorkspaceId workspace, const Row& row) {
    return {workspace, number_of(row, 0), row.sealed(1).take(), number_of(row, 2)};
}

/// Each wrap under a workspace key with the generations that there are: waiting under the present
/// one where there is a next, orphaned where it is neither.
constexpr SqlText k_count_wraps =
    "SELECT COUNT(*), "
    "COALESCE(SUM(CASE WHEN w.generation = p.generation AND n.generation IS NOT NULL "
    "THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN w.generation = p.generation OR w.generation = n.generation "
    "THEN 0 ELSE 1 END), 0) FROM ("
    "SELECT workspace_id, generation FROM subject_keys UNION ALL "
    "SELECT workspace_id, generation FROM server_shares UNION ALL "
    "SELECT workspace_id, generation FROM holder_shares UNION ALL "
    "SELECT workspace_id, generation FROM grant_keys UNION ALL "
    "SELECT workspace_id, under_generation FROM kept_keys) w "
    "LEFT JOIN workspace_keys p ON p.workspace_id = w.workspace_id "
    "LEFT JOIN next_workspace_keys n ON n.workspace_id = w.workspace_id";
/// The same of workspace keys under keyring keys.
constexpr SqlText k_count_workspace_keys =
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN w.keyring_version < "
    "(SELECT MAX(version) FROM keyring_keys) THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN k.version IS NULL THEN 1 ELSE 0 END), 0) FROM ("
    "SELECT keyring_version FROM workspace_keys UNION ALL "
    "SELECT keyring_version FROM next_workspace_keys) w "
    "LEFT JOIN keyring_keys k ON k.version = w.keyring_version";
constexpr SqlText k_count_old_keys =
    "SELECT (SELECT COUNT(*) FROM keyring_keys) - 1 + (SELECT COUNT(*) FROM next_workspace_keys)";
constexpr SqlText k_is_rotating =
    "SELECT COUNT(*) FROM meta WHERE workspace_id = $1 AND name = 'rotation_under_way'";
constexpr SqlText k_plant_wrap =
    "INSERT INTO subject_keys (workspace_id, creator_id, purpose, wrap, generation) "
    "VALUES ($1, $2, $3, $4, 0)";

Result<keys::CountWraps::Answer> counted_wraps(Transaction& tx) {
    keys::CountWraps::Answer answer;
    for (const auto sql : {k_count_wraps, k_count_workspace_keys}) {
        POSTERN_TRY(const auto row, tx.query_one(sql));
        if (!row) continue;
        answer.wraps += static_cast<std::uint64_t>(row->integer(0));
        answer.waiting += static_cast<std::uint64_t>(row->integer(1));
        answer.orphaned += static_cast<std::uint64_t>(row->integer(2));
    }
    POSTERN_TRY(const auto old, tx.query_one(k_count_old_keys));
    POSTERN_TRY(const auto marker, tx.query_one(k_is_rotating, {k_installation}));
    answer.old_keys = old ? static_cast<std::uint64_t>(old->integer(0)) : 0;
    answer.rotating = marker && marker->integer(0) > 0;
    return answer;
}

}  // namespace

Result<> require_generation(Transaction& tx, WorkspaceId workspace, std::uint32_t generation) {
    POSTERN_TRY(const auto known,
                tx.query_one(k_has_generation, {workspace, std::int64_t{generation}}));
    if (!known) return fail(KeyError::keys_rotated);
    return {};
}

Result<> require_root_key(Transaction& tx, std::string_view fingerprint) {
    POSTERN_TRY(const auto meta,
                tx.query_one(k_select_meta, {k_installation, Clear::text(k_fingerprint_name)}));
    if (!meta || as_text(meta->clear_bytes(0)) != fingerprint) {
        return fail(StoreError::conflict, "root key");
    }
    return {};
}

Result<std::optional<KeyringHead>> SqlKeyringStore::head() {
    return db_->read_now([](Transaction& tx) -> Result<std::optional<KeyringHead>> {
        POSTERN_TRY(const auto meta,
                    tx.query_one(k_select_meta, {k_installation, Clear::text(k_fingerprint_name)}));
        if (!meta) return std::optional<KeyringHead>();
        POSTERN_TRY(const auto keys, tx.query(k_select_keyring_keys, {k_installation}));
        POSTERN_TRY(const auto receipt,
                    tx.query_one(k_select_installation_key, {k_installation, k_receipt_purpose}));
        if (keys.empty() || !receipt) return fail(StoreError::corrupt, "keyring without its keys");
        KeyringHead head;
        head.fingerprint = std::string(as_text(meta->clear_bytes(0)));
        head.version = number_of(keys[0], 0);
        head.keyring_wrap = keys[0].sealed(1).take();
        if (keys.size() > 1) {
            head.older = KeyringKeyRow{number_of(keys[1], 0), keys[1].sealed(1).take()};
        }
        head.receipt_public = receipt->clear_bytes(0);
        head.receipt_wrap = receipt->sealed(1).take();
        return std::optional(std::move(head));
    });
}

Result<> SqlKeyringStore::create(KeyringHead head, WorkspaceKeyRow installation) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        tx.execute(k_insert_meta, {k_installation, Clear::text(k_fingerprint_name),
                                   Clear::bytes(as_bytes(head.fingerprint))});
        const SealedBytes keyring_wrap(head.keyring_wrap);
        tx.execute(k_insert_keyring_key,
                   {k_installation, std::int64_t{head.version}, keyring_wrap});
        const SealedBytes receipt_wrap(head.receipt_wrap);
        tx.execute(k_insert_installation_key, {k_installation, k_receipt_purpose,
                                               Clear::bytes(head.receipt_public), receipt_wrap});
        const SealedBytes workspace_wrap(installation.wrap);
        tx.execute(k_insert_workspace_key,
                   {k_installation, std::int64_t{installation.version}, workspace_wrap});
        return {};
    });
}

Result<std::optional<RecoveryKitRow>> SqlKeyringStore::recovery_kit() {
    return db_->read_now([](Transaction& tx) -> Result<std::optional<RecoveryKitRow>> {
        POSTERN_TRY(const auto row, tx.query_one(k_select_recovery_kit, {k_installation}));
        if (!row) return std::optional<RecoveryKitRow>();
        RecoveryKitRow kit;
        kit.scheme.shares = static_cast<std::uint8_t>(row->integer(0));
        kit.scheme.threshold = static_cast<std::uint8_t>(row->integer(1));
        kit.public_wrap = row->sealed(2).take();
        kit.root_key_box = row->sealed(3).take();
        return std::optional(std::move(kit));
    });
}

Result<> SqlKeyringStore::put_recovery_kit(RecoveryKitRow row, std::string under) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        if (auto ours = require_root_key(tx, under); !ours) return ours;
        const SealedBytes public_wrap(row.public_wrap);
        const SealedBytes box(row.root_key_box);
        tx.execute(k_upsert_recovery_kit, {k_installation, std::int64_t{row.scheme.shares},
                                           std::int64_t{row.scheme.threshold}, public_wrap, box});
        return {};
    });
}

Result<std::optional<WorkspaceKeyRows>> SqlKeyringStore::workspace_keys(WorkspaceId workspace) {
    using Rows = std::optional<WorkspaceKeyRows>;
    return db_->read_now([&](Transaction& tx) -> Result<Rows> {
        POSTERN_TRY(const auto present, tx.query_one(k_select_workspace_key, {workspace}));
        if (!present) return Rows();
        WorkspaceKeyRows rows;
        rows.present = workspace_key_of(workspace, *present);
        POSTERN_TRY(const auto next, tx.query_one(k_select_next_key, {workspace}));
        if (next) rows.next = workspace_key_of(workspace, *next);
        POSTERN_TRY(const auto kept, tx.query(k_select_kept_keys, {workspace}));
        for (const auto& row : kept) {
            rows.kept.push_back(
                {number_of(row, 0), number_of(row, 1), number_of(row, 2), row.sealed(3).take()});
        }
        return Rows(std::move(rows));
    });
}

Result<> SqlKeyringStore::add_workspace_key(WorkspaceKeyRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto known,
                    tx.query_one(k_has_keyring_key, {k_installation, std::int64_t{row.version}}));
        if (!known) return fail(KeyError::keys_rotated);
        const SealedBytes wrap(row.wrap);
        tx.execute(k_insert_workspace_key, {row.workspace, std::int64_t{row.version}, wrap});
        return {};
    });
}

Result<std::vector<SubjectKeyRow>> SqlKeyringStore::subject_keys(WorkspaceId workspace,
                                                                 std::vector<CreatorId> creators) {
    return db_->read_now([&](Transaction& tx) -> Result<std::vector<SubjectKeyRow>> {
        std::vector<SubjectKeyRow> found;
        for (const auto& creator : creators) {
            POSTERN_TRY(const auto row, tx.query_one(k_select_subject_key,
                                                     {workspace, creator, k_outreach_purpose}));
            if (row) found.push_back({creator, row->sealed(0).take(), number_of(*row, 1)});
        }
        return found;
    });
}

Result<> SqlKeyringStore::add_subject_keys(WorkspaceId workspace, std::vector<SubjectKeyRow> rows) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& row : rows) {
            if (auto known = require_generation(tx, workspace, row.generation); !known) {
                return known;
            }
            const SealedBytes wrap(row.wrap);
            tx.execute(k_insert_subject_key, {workspace, row.creator, k_outreach_purpose, wrap,
                                              std::int64_t{row.generation}});
        }
        return {};
    });
}

Result<> SqlKeyringStore::destroy_subject_keys(WorkspaceId workspace,
                                               std::vector<CreatorId> creators) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& creator : creators) {
            tx.execute(k_delete_subject_keys, {workspace, creator});
        }
        return {};
    });
}

Result<keys::CountWraps::Answer> SqlKeyringStore::count_wraps(bool planted) {
    if (!planted) return db_->read_now(counted_wraps);
    std::optional<keys::CountWraps::Answer> seen;
    const auto rolled_back = db_->write_now([&seen](Transaction& tx) -> Result<> {
        std::array<std::uint8_t, 16> nobody{};
        crypto::fill_random(nobody);
        const SealedBytes wrap(crypto::random_bytes(64));
        tx.execute(k_plant_wrap, {k_installation, CreatorId(nobody), k_outreach_purpose, wrap});
        POSTERN_TRY(seen, counted_wraps(tx));
        return fail(KeyError::stale_epoch, "planted");
    });
    if (!seen || !rolled_back.error().is(KeyError::stale_epoch)) {
        return fail(rolled_back ? Error(StoreError::corrupt, "planted") : rolled_back.error());
    }
    return *seen;
}

}  // namespace postern::vault
