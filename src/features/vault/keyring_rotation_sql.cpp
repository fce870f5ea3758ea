#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/sql_keyring_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/key_error.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using store::Clear;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::StoreError;
using store::Transaction;

constexpr std::int64_t k_receipt_purpose = 1;
constexpr std::int64_t k_outreach_purpose = 1;
constexpr std::string_view k_fingerprint_name = "root_key_fingerprint";
constexpr std::string_view k_marker_name = "rotation_under_way";

constexpr SqlText k_update_fingerprint =
    "UPDATE meta SET value = $3 WHERE workspace_id = $1 AND name = $2 AND value = $4";
constexpr SqlText k_update_keyring_key =
    "UPDATE keyring_keys SET wrap = $3 WHERE workspace_id = $1 AND version = $2";
constexpr SqlText k_update_installation_key =
    "UPDATE installation_keys SET wrap = $3 WHERE workspace_id = $1 AND purpose = $2";
constexpr SqlText k_update_recovery_kit =
    "UPDATE recovery_kits SET public_wrap = $2, root_key_box = $3 WHERE workspace_id = $1";

constexpr SqlText k_insert_marker =
    "INSERT INTO meta (workspace_id, name, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
constexpr SqlText k_select_marker = "SELECT 1 FROM meta WHERE workspace_id = $1 AND name = $2";
constexpr SqlText k_delete_marker = "DELETE FROM meta WHERE workspace_id = $1 AND name = $2";

constexpr SqlText k_count_keyring_keys =
    "SELECT count(*), max(version) FROM keyring_keys WHERE workspace_id = $1";
constexpr SqlText k_has_keyring_key =
    "SELECT 1 FROM keyring_keys WHERE workspace_id = $1 AND version = $2";
constexpr SqlText k_insert_keyring_key =
    "INSERT INTO keyring_keys (workspace_id, version, wrap) VALUES ($1, $2, $3)";
constexpr SqlText k_delete_keyring_key =
    "DELETE FROM keyring_keys WHERE workspace_id = $1 AND version = $2";
constexpr SqlText k_select_present_under =
    "SELECT workspace_id, keyring_version, wrap, generation FROM workspace_keys "
    "WHERE keyring_version = $1 LIMIT $2";
constexpr SqlText k_select_next_under =
    "SELECT workspace_id, keyring_version, wrap, generation FROM next_workspace_keys "
    "WHERE keyring_version = $1 LIMIT $2";
constexpr SqlText k_update_present_key =
    "UPDATE workspace_keys SET keyring_version = $3, wrap = $4 "
    "WHERE workspace_id = $1 AND generation = $2";
constexpr SqlText k_update_next_key =
    "UPDATE next_workspace_keys SET keyring_version = $3, wrap = $4 "
    "WHERE workspace_id = $1 AND generation = $2";

constexpr SqlText k_select_workspaces = "SELECT workspace_id FROM workspace_keys";
constexpr SqlText k_select_rotating = "SELECT workspace_id FROM next_workspace_keys";
constexpr SqlText k_has_rotating = "SELECT 1 FROM next_workspace_keys LIMIT 1";
constexpr SqlText k_select_generation =
    "SELECT generation FROM workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_select_next =
    "SELECT keyring_version, wrap, generation FROM next_workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_insert_next =
    "INSERT INTO next_workspace_keys (workspace_id, generation, keyring_version, wrap) "
    "VALUES ($1, $2, $3, $4)";
constexpr SqlText k_delete_next = "DELETE FROM next_workspace_keys WHERE workspace_id = $1";
constexpr SqlText k_promote =
    "UPDATE workspace_keys SET generation = $2, keyring_version = $3, wrap = $4 "
    "WHERE workspace_id = $1";
constexpr SqlText k_insert_kept =
    "INSERT INTO kept_keys (workspace_id, generation, purpose, under_generation, wrap) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_delete_kept =
    "DELETE FROM kept_keys WHERE workspace_id = $1 AND under_generation = $2";

constexpr SqlText k_select_subjects =
    "SELECT creator_id, wrap FROM subject_keys WHERE workspace_id = $1 AND generation = $2 "
    "LIMIT $3";
constexpr SqlText k_select_server_shares =
    "SELECT integration_id, epoch, wrap FROM server_shares "
    "WHERE workspace_id = $1 AND generation = $2 LIMIT $3";
constexpr SqlText k_select_holder_shares =
    "SELECT integration_id, epoch, holder_id, wrap FROM holder_shares "
    "WHERE workspace_id = $1 AND generation = $2 LIMIT $3";
constexpr SqlText k_select_grants =
    "SELECT integration_id, epoch, grant_id, wrap FROM grant_keys "
    "WHERE workspace_id = $1 AND generation = $2 LIMIT $3";
constexpr SqlText k_update_subject =
    "UPDATE subject_keys SET wrap = $5, generation = $4 + 1 "
    "WHERE workspace_id = $1 AND creator_id = $2 AND purpose = $3 AND generation = $4";
constexpr SqlText k_update_server_share =
    "UPDATE server_shares SET wrap = $5, generation = $4 + 1 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 AND generation = $4";
constexpr SqlText k_update_holder_share =
    "UPDATE holder_shares SET wrap = $6, generation = $5 + 1 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 AND holder_id = $4 "
    "AND generation = $5";
constexpr SqlText k_update_grant =
    "UPDATE grant_keys SET wrap = $5, generation = $4 + 1 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3 AND generation = $4";

/// What is destroyed on the way is out of the files only when the marker is gone.
void mark(Transaction& tx) {
    tx.execute(k_insert_marker,
               {k_installation, Clear::text(k_marker_name), Clear::bytes(as_bytes("1"))});
}

WorkspaceKeyRow workspace_key_of(const Row& row) {
    return {row.id<WorkspaceTag>(0), static_cast<std::uint32_t>(row.integer(1)),
            row.sealed(2).take(), static_cast<std::uint32_t>(row.integer(3))};
}

std::uint64_t epoch_of(const Row& row) {
    return static_cast<std::uint64_t>(row.integer(1));
}

IntegrationKey integration_of(WorkspaceId workspace, const Row& row) {
    return {workspace, row.id<IntegrationTag>(0)};
}

/// What is left of one kind, until there are `max` rows in all.
struct Collector {
    Transaction& tx;
    WorkspaceId workspace;
    std::int64_t generation;
    std::size_t max;
    std::vector<WrapRow> rows;

    template <typename F>
    Result<> add(SqlText select, F read) {
        if (rows.size() >= max) return {};
        const auto left = static_cast<std::int64_t>(max - rows.size());
        POSTERN_TRY(const auto found, tx.query(select, {workspace, generation, left}));
        for (const auto& row : found)
            rows.push_back(read(row));
        return {};
    }
};

Result<std::vector<WrapRow>> collect(Transaction& tx,
                                     WorkspaceId workspace,
                                     std::uint32_t generation,
                                     std::size_t max) {
    Collector all{tx, workspace, std::int64_t{generation}, max, {}};
    auto done = all.add(k_select_subjects, [](const Row& row) {
        WrapRow wrap;
        wrap.kind = WrapRow::Kind::subject;
        wrap.creator = row.id<CreatorTag>(0);
        wrap.wrap = row.sealed(1).take();
        return wrap;
    });
    if (!done) return fail(std::move(done.error()));
    done = all.add(k_select_server_shares, [&](const Row& row) {
        WrapRow wrap;
        wrap.kind = WrapRow::Kind::server_share;
        wrap.integration = integration_of(workspace, row);
        wrap.epoch = epoch_of(row);
        wrap.wrap = row.sealed(2).take();
        return wrap;
    });
    if (!done) return fail(std::move(done.error()));
    done = all.add(k_select_holder_shares, [&](const Row& row) {
        WrapRow wrap;
        wrap.kind = WrapRow::Kind::holder_share;
        wrap.integration = integration_of(workspace, row);
        wrap.epoch = epoch_of(row);
        wrap.holder = row.id<HolderTag>(2);
        wrap.wrap = row.sealed(3).take();
        return wrap;
    });
    if (!done) return fail(std::move(done.error()));
    done = all.add(k_select_grants, [&](const Row& row) {
        WrapRow wrap;
        wrap.kind = WrapRow::Kind::grant;
        wrap.integration = integration_of(workspace, row);
        wrap.epoch = epoch_of(row);
        wrap.grant = row.id<GrantTag>(2);
        wrap.wrap = row.sealed(3).take();
        return wrap;
    });
    if (!done) return fail(std::move(done.error()));
    return std::move(all.rows);
}

/// Where it was destroyed meanwhile, or is under the next key already, nothing happens.
void replace(Transaction& tx, WorkspaceId workspace, std::int64_t before, const WrapRow& row) {
    const SealedBytes wrap(row.wrap);
    const auto integration = row.integration.integration;
    const auto epoch = static_cast<std::int64_t>(row.epoch);
    switch (row.kind) {
        case WrapRow::Kind::subject:
            tx.execute(k_update_subject,
                       {workspace, row.creator, k_outreach_purpose, before, wrap});
            return;
        case WrapRow::Kind::server_share:
            tx.execute(k_update_server_share, {workspace, integration, epoch, before, wrap});
            return;
        case WrapRow::Kind::holder_share:
            tx.execute(k_update_holder_share,
                       {workspace, integration, epoch, row.holder, before, wrap});
            return;
        case WrapRow::Kind::grant:
            tx.execute(k_update_grant, {workspace, integration, row.grant, before, wrap});
            return;
    }
}

Result<std::vector<WorkspaceKeyRow>> keys_under(Transaction& tx,
                                                std::uint32_t version,
                                                std::size_t max) {
    std::vector<WorkspaceKeyRow> rows;
    for (const auto select : {k_select_present_under, k_select_next_under}) {
        if (rows.size() >= max) break;
        const auto left = static_cast<std::int64_t>(max - rows.size());
        POSTERN_TRY(const auto found, tx.query(select, {std::int64_t{version}, left}));
        for (const auto& row : found)
            rows.push_back(workspace_key_of(row));
    }
    return rows;
}

/// Whatever the marker says: a key that is to be replaced is there, and the one in its place.
Result<bool> has_two_of_a_key(Transaction& tx) {
    POSTERN_TRY(const auto keyring, tx.query_one(k_count_keyring_keys, {k_installation}));
    if (keyring && keyring->integer(0) > 1) return true;
    POSTERN_TRY(const auto rotating, tx.query_one(k_has_rotating));
    return rotating.has_value();
}

Result<> begin_keyring(Transaction& tx, const KeyringKeyRow& next) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_keyring_keys, {k_installation}));
    if (!row || row->integer(0) != 1 || row->integer(1) + 1 != std::int64_t{next.version}) {
        return fail(StoreError::conflict, "keyring key");
    }
    const SealedBytes wrap(next.wrap);
    tx.execute(k_insert_keyring_key, {k_installation, std::int64_t{next.version}, wrap});
    return {};
}

Result<> begin_workspace(Transaction& tx, const WorkspaceRotation& rotation) {
    const auto& next = rotation.next;
    POSTERN_TRY(const auto present, tx.query_one(k_select_generation, {next.workspace}));
    POSTERN_TRY(const auto under_way, tx.query_one(k_select_next, {next.workspace}));
    const auto generation = std::int64_t{next.generation};
    if (!present || under_way || present->integer(0) + 1 != generation) {
        return fail(StoreError::conflict, "workspace key");
    }
    const SealedBytes wrap(next.wrap);
    tx.execute(k_insert_next, {next.workspace, generation, std::int64_t{next.version}, wrap});
    for (const auto& row : rotation.kept) {
        const SealedBytes kept(row.wrap);
        tx.execute(k_insert_kept, {next.workspace, std::int64_t{row.generation},
                                   std::int64_t{row.purpose}, std::int64_t{row.under}, kept});
    }
    return {};
}

}  // namespace

Result<> SqlKeyringStore::change_root_key(RootKeyChange change) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto changed, tx.execute(k_update_fingerprint,
                                                   {k_installation, Clear::text(k_fingerprint_name),
                                                    Clear::bytes(as_bytes(change.head.fingerprint)),
                                                    Clear::bytes(as_bytes(change.from))}));
        if (changed != 1) return fail(StoreError::conflict, "root key");
        mark(tx);
        const SealedBytes newest(change.head.keyring_wrap);
        tx.execute(k_update_keyring_key,
                   {k_installation, std::int64_t{change.head.version}, newest});
        if (change.head.older) {
            const SealedBytes older(change.head.older->wrap);
            tx.execute(k_update_keyring_key,
                       {k_installation, std::int64_t{change.head.older->version}, older});
        }
        const SealedBytes receipt(change.head.receipt_wrap);
        tx.execute(k_update_installation_key, {k_installation, k_receipt_purpose, receipt});
        const SealedBytes kit_public(change.kit.public_wrap);
        const SealedBytes kit_box(change.kit.root_key_box);
        tx.execute(k_update_recovery_kit, {k_installation, kit_public, kit_box});
        return {};
    });
}

Result<> SqlKeyringStore::begin_rotation(RotationStart start) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        // What it would wrap under another one opens for nobody.
        if (auto ours = require_root_key(tx, start.root_key); !ours) return ours;
        mark(tx);
        if (start.keyring_key) {
            if (auto begun = begin_keyring(tx, *start.keyring_key); !begun) return begun;
        }
        for (const auto& rotation : start.workspaces) {
            if (auto begun = begin_workspace(tx, rotation); !begun) return begun;
        }
        return {};
    });
}

Result<std::vector<WorkspaceKeyRow>> SqlKeyringStore::workspace_keys_under(std::uint32_t version,
                                                                           std::size_t max) {
    return db_->read_now([&](Transaction& tx) -> Result<std::vector<WorkspaceKeyRow>> {
        return keys_under(tx, version, max);
    });
}

Result<> SqlKeyringStore::rewrap_workspace_keys(std::vector<WorkspaceKeyRow> rows) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& row : rows) {
            POSTERN_TRY(
                const auto known,
                tx.query_one(k_has_keyring_key, {k_installation, std::int64_t{row.version}}));
            if (!known) return fail(keys::KeyError::keys_rotated);
            const SealedBytes wrap(row.wrap);
            // The one of the two that has this generation.
            for (const auto update : {k_update_present_key, k_update_next_key}) {
                tx.execute(update, {row.workspace, std::int64_t{row.generation},
                                    std::int64_t{row.version}, wrap});
            }
        }
        return {};
    });
}

Result<bool> SqlKeyringStore::finish_keyring_rotation(std::uint32_t older) {
    return db_->write_now([&](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto left, keys_under(tx, older, 1));
        if (!left.empty()) return false;
        tx.execute(k_delete_keyring_key, {k_installation, std::int64_t{older}});
        return true;
    });
}

Result<bool> SqlKeyringStore::rotation_under_way() {
    return db_->read_now([](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_select_marker, {k_installation, Clear::text(k_marker_name)}));
        if (row) return true;
        return has_two_of_a_key(tx);
    });
}

Result<bool> SqlKeyringStore::end_rotation() {
    return db_->write_now([](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto unfinished, has_two_of_a_key(tx));
        if (unfinished) return false;
        tx.execute(k_delete_marker, {k_installation, Clear::text(k_marker_name)});
        return true;
    });
}

Result<std::vector<WorkspaceId>> SqlKeyringStore::all_workspaces() {
    return db_->read_now([](Transaction& tx) -> Result<std::vector<WorkspaceId>> {
        std::vector<WorkspaceId> all;
        POSTERN_TRY(const auto rows, tx.query(k_select_workspaces));
        for (const auto& row : rows)
            all.push_back(row.id<WorkspaceTag>(0));
        return all;
    });
}

Result<std::vector<WorkspaceId>> SqlKeyringStore::workspaces_in_rotation() {
    return db_->read_now([](Transaction& tx) -> Result<std::vector<WorkspaceId>> {
        std::vector<WorkspaceId> all;
        POSTERN_TRY(const auto rows, tx.query(k_select_rotating));
        for (const auto& row : rows)
            all.push_back(row.id<WorkspaceTag>(0));
        return all;
    });
}

Result<std::vector<WrapRow>> SqlKeyringStore::wraps_under(WorkspaceId workspace,
                                                          std::uint32_t generation,
                                                          std::size_t max) {
    return db_->read_now([&](Transaction& tx) -> Result<std::vector<WrapRow>> {
        return collect(tx, workspace, generation, max);
    });
}

Result<> SqlKeyringStore::rewrap(WorkspaceId workspace,
                                 std::uint32_t before,
                                 std::vector<WrapRow> rows) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& row : rows)
            replace(tx, workspace, std::int64_t{before}, row);
        return {};
    });
}

Result<bool> SqlKeyringStore::finish_workspace_rotation(WorkspaceId workspace,
                                                        std::uint32_t before) {
    return db_->write_now([&](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto next, tx.query_one(k_select_next, {workspace}));
        if (!next) return true;
        POSTERN_TRY(const auto left, collect(tx, workspace, before, 1));
        if (!left.empty()) return false;
        const SealedBytes wrap(next->sealed(1).take());
        tx.execute(k_promote, {workspace, next->integer(2), next->integer(0), wrap});
        tx.execute(k_delete_next, {workspace});
        tx.execute(k_delete_kept, {workspace, std::int64_t{before}});
        return true;
    });
}

}  // namespace postern::vault
