#include "features/vault/keyring_store_sql.h"

#include "features/vault/attempt_budget.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/sql_keyring_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/reserve.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;
using store::Clear;
using store::Database;
using store::Row;
using store::SealedBytes;
using store::SqlText;
using store::Transaction;

constexpr std::int64_t k_grants_max = 100;  // of one integration
constexpr std::int64_t k_hour_ms = 3'600'000;
constexpr std::int64_t k_no_epoch = -1;
constexpr std::int64_t k_planted_epoch = std::numeric_limits<std::int64_t>::max();

constexpr SqlText k_select_integration =
    "SELECT state, epoch, pending_epoch, minted_epoch FROM integrations "
    "WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_is_of_another =
    "SELECT 1 FROM integrations WHERE workspace_id <> $1 AND integration_id = $2 LIMIT 1";
constexpr SqlText k_upsert_pending =
    "INSERT INTO integrations "
    "(workspace_id, integration_id, state, epoch, pending_epoch, minted_epoch) "
    "VALUES ($1, $2, 0, 0, $3, $3) ON CONFLICT (workspace_id, integration_id) "
    "DO UPDATE SET pending_epoch = $3, minted_epoch = $3";
constexpr SqlText k_update_integration =
    "UPDATE integrations SET state = $3, epoch = $4, pending_epoch = 0, minted_epoch = $5 "
    "WHERE workspace_id = $1 AND integration_id = $2";

constexpr SqlText k_select_server_share =
    "SELECT wrap, generation FROM server_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_insert_server_share =
    "INSERT INTO server_shares (workspace_id, integration_id, epoch, wrap, generation) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_delete_server_shares =
    "DELETE FROM server_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3";
constexpr SqlText k_delete_server_share =
    "DELETE FROM server_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";
constexpr SqlText k_select_holder_shares =
    "SELECT holder_id, public_key, wrap, generation FROM holder_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 ORDER BY holder_id";
constexpr SqlText k_insert_holder_share =
    "INSERT INTO holder_shares "
    "(workspace_id, integration_id, epoch, holder_id, public_key, wrap, generation) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
constexpr SqlText k_delete_holder_shares =
    "DELETE FROM holder_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3";
constexpr SqlText k_delete_holder_share =
    "DELETE FROM holder_shares WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3";

constexpr SqlText k_delete_one_share =
    "DELETE FROM holder_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch = $3 AND holder_id = $4";

constexpr SqlText k_select_grant =
    "SELECT epoch, hour, used, wrap, generation FROM grant_keys "
    "WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_select_grant_ids =
    "SELECT grant_id FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2 "
    "ORDER BY grant_id";
constexpr SqlText k_count_grants =
    "SELECT count(*) FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_insert_grant =
    "INSERT INTO grant_keys (workspace_id, integration_id, grant_id, epoch, expires_at_ms, hour, "
    "used, wrap, generation) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7)";
constexpr SqlText k_update_grant =
    "UPDATE grant_keys SET hour = $4, used = $5 "
    "WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_delete_grant =
    "DELETE FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2 AND grant_id = $3";
constexpr SqlText k_delete_grants =
    "DELETE FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2";
constexpr SqlText k_delete_workspace_grants =
    "DELETE FROM grant_keys WHERE workspace_id = $1 RETURNING workspace_id, integration_id";
constexpr SqlText k_delete_all_grants =
    "DELETE FROM grant_keys RETURNING workspace_id, integration_id";
constexpr SqlText k_delete_expired_grants = "DELETE FROM grant_keys WHERE expires_at_ms <= $1";
/// $3: the epoch whose shares do not count.
constexpr SqlText k_count_keys =
    "SELECT (SELECT COUNT(*) FROM server_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3) + "
    "(SELECT COUNT(*) FROM holder_shares "
    "WHERE workspace_id = $1 AND integration_id = $2 AND epoch <> $3) + "
    "(SELECT COUNT(*) FROM grant_keys WHERE workspace_id = $1 AND integration_id = $2)";

constexpr SqlText k_select_attempts =
    "SELECT failed, blocked_until_ms FROM holder_attempts "
    "WHERE workspace_id = $1 AND integration_id = $2 AND holder_id = $3";
constexpr SqlText k_upsert_attempts =
    "INSERT INTO holder_attempts "
    "(workspace_id, integration_id, holder_id, failed, blocked_until_ms) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, integration_id, holder_id) "
    "DO UPDATE SET failed = $4, blocked_until_ms = $5";
/// All but those of who has the same key in both epochs, and so the same secret.
constexpr SqlText k_delete_attempts =
    "DELETE FROM holder_attempts WHERE workspace_id = $1 AND integration_id = $2 "
    "AND holder_id NOT IN (SELECT n.holder_id FROM holder_shares n JOIN holder_shares o "
    "ON o.workspace_id = n.workspace_id AND o.integration_id = n.integration_id "
    "AND o.holder_id = n.holder_id AND o.public_key = n.public_key "
    "WHERE n.workspace_id = $1 AND n.integration_id = $2 AND n.epoch = $3 AND o.epoch = $4)";

// A statement that fails dooms its transaction, so the ones run for their effect are not checked.

std::int64_t stored(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}
std::uint32_t generation_of(const Row& row, std::size_t column) {
    return static_cast<std::uint32_t>(row.integer(column));
}
std::uint64_t loaded(std::int64_t number) {
    return static_cast<std::uint64_t>(number);
}
/// Numbers from outside may not fit what is stored.
bool storable(std::uint64_t number) {
    return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

Result<std::optional<IntegrationRow>> find_integration(Transaction& tx, const IntegrationKey& key) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_select_integration, {key.workspace, key.integration}));
    if (!row) return std::optional<IntegrationRow>();
    const auto state = row->integer(0);
    if (state < 0 || state > 2) return fail(store::StoreError::corrupt, "integrations.state");
    return std::optional(IntegrationRow{static_cast<IntegrationState>(state),
                                        loaded(row->integer(1)), loaded(row->integer(2)),
                                        loaded(row->integer(3))});
}

Result<std::int64_t> count_grants(Transaction& tx, const IntegrationKey& key) {
    POSTERN_TRY(const auto row, tx.query_one(k_count_grants, {key.workspace, key.integration}));
    return row ? row->integer(0) : 0;
}

Result<std::vector<IntegrationStanding>> standings_of(Transaction& tx,
                                                      WorkspaceId workspace,
                                                      const std::vector<IntegrationId>& ids) {
    std::vector<IntegrationStanding> out;
    for (const auto& id : ids) {
        POSTERN_TRY(auto row, find_integration(tx, {workspace, id}));
        const bool pending = row && row->pending_epoch != 0;
        const auto left_out = pending ? stored(row->pending_epoch) : k_no_epoch;
        POSTERN_TRY(const auto keys, tx.query_one(k_count_keys, {workspace, id, left_out}));
        POSTERN_TRY(const auto grants, tx.query(k_select_grant_ids, {workspace, id}));
        IntegrationStanding standing{row, keys ? loaded(keys->integer(0)) : 0, {}};
        for (const auto& grant : grants)
            standing.grants.push_back(grant.id<GrantTag>(0));
        out.push_back(std::move(standing));
    }
    return out;
}

/// Keys of an epoch that is never given out: they are in nobody's way.
void plant_keys(Transaction& tx, const IntegrationKey& key) {
    const SealedBytes wrap(crypto::random_bytes(64));
    std::array<std::uint8_t, 16> nobody{};
    crypto::fill_random(nobody);
    tx.execute(k_insert_server_share,
               {key.workspace, key.integration, k_planted_epoch, wrap, std::int64_t{0}});
    tx.execute(k_insert_holder_share,
               {key.workspace, key.integration, k_planted_epoch, HolderId(nobody),
                Clear::bytes(crypto::random_bytes(32)), wrap, std::int64_t{0}});
    tx.execute(k_insert_grant, {key.workspace, key.integration, GrantId(nobody), k_planted_epoch,
                                std::int64_t{0}, wrap, std::int64_t{0}});
}

void put_attempts(Transaction& tx,
                  const IntegrationKey& key,
                  HolderId holder,
                  const Attempts& attempts) {
    tx.execute(k_upsert_attempts, {key.workspace, key.integration, holder, attempts.failed,
                                   attempts.blocked_until_ms});
}

/// Of `present` is what there was until now. `kept_epoch` 0 keeps none: no share is of epoch 0.
void destroy_others(Transaction& tx,
                    const IntegrationKey& key,
                    std::uint64_t kept_epoch,
                    std::uint64_t present) {
    const auto kept = stored(kept_epoch);
    // Whoever seals anew with a secret of theirs gets no more guesses at another's.
    tx.execute(k_delete_attempts, {key.workspace, key.integration, kept, stored(present)});
    tx.execute(k_delete_server_shares, {key.workspace, key.integration, kept});
    tx.execute(k_delete_holder_shares, {key.workspace, key.integration, kept});
    tx.execute(k_delete_grants, {key.workspace, key.integration});
}

void destroy_shares(Transaction& tx, const IntegrationKey& key, std::uint64_t epoch) {
    const auto gone = stored(epoch);
    tx.execute(k_delete_server_share, {key.workspace, key.integration, gone});
    tx.execute(k_delete_holder_share, {key.workspace, key.integration, gone});
}

}  // namespace

Result<std::vector<std::optional<IntegrationRow>>> SqlKeyringStore::integrations(
    WorkspaceId workspace, std::vector<IntegrationId> ids) {
    using Rows = std::vector<std::optional<IntegrationRow>>;
    return db_->read_now([&](Transaction& tx) -> Result<Rows> {
        Rows rows;
        for (const auto& id : ids) {
            POSTERN_TRY(auto row, find_integration(tx, {workspace, id}));
            rows.push_back(row);
        }
        return rows;
    });
}

Result<std::vector<IntegrationStanding>> SqlKeyringStore::standings(WorkspaceId workspace,
                                                                    std::vector<IntegrationId> ids,
                                                                    bool planted) {
    using Standings = std::vector<IntegrationStanding>;
    if (!planted) {
        return db_->read_now([&](Transaction& tx) { return standings_of(tx, workspace, ids); });
    }
    std::optional<Standings> seen;
    const auto rolled_back = db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& id : ids)
            plant_keys(tx, {workspace, id});
        POSTERN_TRY(seen, standings_of(tx, workspace, ids));
        return fail(KeyError::stale_epoch, "planted");
    });
    if (!seen || rolled_back || !rolled_back.error().is(KeyError::stale_epoch)) {
        return fail(rolled_back ? Error(store::StoreError::corrupt, "planted")
                                : rolled_back.error());
    }
    return std::move(*seen);
}

Result<bool> SqlKeyringStore::is_of_another(IntegrationKey key) {
    return db_->read_now([&](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_is_of_another, {key.workspace, key.integration}));
        return row.has_value();
    });
}

Result<Shares> SqlKeyringStore::shares(IntegrationKey key, std::uint64_t epoch) {
    if (!storable(epoch)) return fail(KeyError::stale_epoch);
    return db_->read_now([&](Transaction& tx) -> Result<Shares> {
        POSTERN_TRY(
            const auto server,
            tx.query_one(k_select_server_share, {key.workspace, key.integration, stored(epoch)}));
        if (!server) return fail(KeyError::stale_epoch);
        Shares shares{server->sealed(0).take(), {}, generation_of(*server, 1)};
        POSTERN_TRY(const auto holders, tx.query(k_select_holder_shares,
                                                 {key.workspace, key.integration, stored(epoch)}));
        for (const auto& row : holders) {
            shares.holders.push_back({row.id<HolderTag>(0), row.clear_bytes(1),
                                      row.sealed(2).take(), generation_of(row, 3)});
        }
        return shares;
    });
}

Result<> SqlKeyringStore::put_pending(IntegrationKey key, std::uint64_t epoch, Shares shares) {
    if (!storable(epoch)) return fail(KeyError::stale_epoch);
    return db_->write_now([&](Transaction& tx) -> Result<> {
        if (auto known = require_generation(tx, key.workspace, shares.generation); !known) {
            return known;
        }
        POSTERN_TRY(const auto elsewhere,
                    tx.query_one(k_is_of_another, {key.workspace, key.integration}));
        if (elsewhere) return fail(KeyError::unknown_integration);
        POSTERN_TRY(const auto found, find_integration(tx, key));
        const auto before = found.value_or(IntegrationRow{});
        if (epoch != before.minted_epoch + 1) return fail(KeyError::stale_epoch);
        destroy_shares(tx, key, before.pending_epoch);
        tx.execute(k_upsert_pending, {key.workspace, key.integration, stored(epoch)});
        const SealedBytes server(shares.server);
        const auto generation = std::int64_t{shares.generation};
        tx.execute(k_insert_server_share,
                   {key.workspace, key.integration, stored(epoch), server, generation});
        for (const auto& holder : shares.holders) {
            const SealedBytes wrap(holder.wrap);
            tx.execute(k_insert_holder_share,
                       {key.workspace, key.integration, stored(epoch), holder.holder,
                        Clear::bytes(holder.public_key), wrap, generation});
        }
        return {};
    });
}

Result<> SqlKeyringStore::commit_pending(IntegrationKey key, std::uint64_t epoch) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        const auto before = found.value_or(IntegrationRow{});
        const bool done = before.state == IntegrationState::live && before.epoch == epoch;
        if (done && epoch != 0) return {};
        if (epoch == 0 || before.pending_epoch != epoch) return fail(KeyError::stale_epoch);
        destroy_others(tx, key, epoch, before.epoch);
        tx.execute(k_update_integration, {key.workspace, key.integration,
                                          static_cast<std::int64_t>(IntegrationState::live),
                                          stored(epoch), stored(before.minted_epoch)});
        return {};
    });
}

Result<> SqlKeyringStore::abandon_pending(IntegrationKey key, std::uint64_t epoch) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found || epoch == 0 || found->pending_epoch != epoch) return {};
        destroy_shares(tx, key, epoch);
        tx.execute(k_update_integration,
                   {key.workspace, key.integration, static_cast<std::int64_t>(found->state),
                    stored(found->epoch), stored(found->minted_epoch)});
        return {};
    });
}

Result<CutOffOutcome> SqlKeyringStore::cut_off(IntegrationKey key) {
    return db_->write_now([&](Transaction& tx) -> Result<CutOffOutcome> {
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found) return fail(KeyError::unknown_integration);
        const bool done = found->state == IntegrationState::cut_off && found->pending_epoch == 0;
        if (done) return CutOffOutcome{found->epoch, 0};
        POSTERN_TRY(const auto grants, count_grants(tx, key));
        const auto epoch = found->minted_epoch + 1;
        destroy_others(tx, key, 0, found->epoch);
        tx.execute(k_update_integration, {key.workspace, key.integration,
                                          static_cast<std::int64_t>(IntegrationState::cut_off),
                                          stored(epoch), stored(epoch)});
        return CutOffOutcome{epoch, static_cast<std::uint32_t>(grants)};
    });
}

Result<ChargedAttempts> SqlKeyringStore::charge_attempts(IntegrationKey key,
                                                         std::vector<HolderId> holders,
                                                         UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<ChargedAttempts> {
        ChargedAttempts all;
        for (const auto& holder : holders) {
            POSTERN_TRY(const auto row,
                        tx.query_one(k_select_attempts, {key.workspace, key.integration, holder}));
            Attempts before;
            if (row) before = {row->integer(0), row->integer(1)};
            const auto charged = charge(before, now);
            if (charged.after != before) put_attempts(tx, key, holder, charged.after);
            if (charged.retry_after_s == 0) {
                all.holders.push_back({holder, before});
            } else if (all.retry_after_s == 0 || charged.retry_after_s < all.retry_after_s) {
                all.retry_after_s = charged.retry_after_s;
            }
        }
        return all;
    });
}

Result<> SqlKeyringStore::settle_attempts(IntegrationKey key,
                                          HolderId opened,
                                          ChargedAttempts charged) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        for (const auto& each : charged.holders)
            put_attempts(tx, key, each.holder, each.holder == opened ? Attempts{} : each.before);
        return {};
    });
}

Result<> SqlKeyringStore::add_holder(IntegrationKey key, std::uint64_t epoch, HolderShareRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        if (auto known = require_generation(tx, key.workspace, row.generation); !known) {
            return known;
        }
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found || found->state != IntegrationState::live || found->epoch != epoch) {
            return fail(KeyError::stale_epoch);
        }
        // A repeated request: of its first try nobody has the seal.
        tx.execute(k_delete_one_share, {key.workspace, key.integration, stored(epoch), row.holder});
        const SealedBytes wrap(row.wrap);
        tx.execute(k_insert_holder_share,
                   {key.workspace, key.integration, stored(epoch), row.holder,
                    Clear::bytes(row.public_key), wrap, std::int64_t{row.generation}});
        return {};
    });
}

Result<> SqlKeyringStore::add_grant(IntegrationKey key, GrantKeyRow row) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        if (auto known = require_generation(tx, key.workspace, row.generation); !known) {
            return known;
        }
        POSTERN_TRY(const auto found, find_integration(tx, key));
        if (!found || found->state != IntegrationState::live || found->epoch != row.epoch) {
            return fail(KeyError::stale_epoch);
        }
        // A repeated request: of its first try nobody has the seal.
        tx.execute(k_delete_grant, {key.workspace, key.integration, row.grant});
        POSTERN_TRY(const auto count, count_grants(tx, key));
        if (count >= k_grants_max) return fail(KeyError::ceiling_reached, "grants");
        const SealedBytes wrap(row.wrap);
        tx.execute(k_insert_grant, {key.workspace, key.integration, row.grant, stored(row.epoch),
                                    row.expires_at_ms, wrap, std::int64_t{row.generation}});
        return {};
    });
}

Result<> SqlKeyringStore::destroy_grant(IntegrationKey key, GrantId grant) {
    return db_->write_now([&](Transaction& tx) -> Result<> {
        tx.execute(k_delete_grant, {key.workspace, key.integration, grant});
        return {};
    });
}

Result<GrantUse> SqlKeyringStore::use_grant(IntegrationKey key,
                                            const keys::GrantSeal& grant,
                                            UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<GrantUse> {
        POSTERN_TRY(const auto row,
                    tx.query_one(k_select_grant, {key.workspace, key.integration, grant.grant}));
        if (!row) return fail(KeyError::integration_sealed);
        if (loaded(row->integer(0)) != grant.epoch) return fail(KeyError::stale_epoch);
        POSTERN_TRY(
            const auto share,
            tx.query_one(k_select_server_share, {key.workspace, key.integration, row->integer(0)}));
        if (!share) return fail(KeyError::stale_epoch);
        // A clock that was set back counts on in the hour it had reached.
        const auto hour = std::max(now / k_hour_ms, row->integer(1));
        const auto used = hour == row->integer(1) ? row->integer(2) : 0;
        if (used >= grant.hourly_ceiling) {
            const auto left_s = ((hour + 1) * k_hour_ms - now + 999) / 1000;
            return fail(Error(KeyError::ceiling_reached).with_retry_after(left_s));
        }
        tx.execute(k_update_grant, {key.workspace, key.integration, grant.grant, hour, used + 1});
        return GrantUse{row->sealed(3).take(), share->sealed(0).take(), generation_of(*row, 4),
                        generation_of(*share, 1)};
    });
}

Result<std::int64_t> SqlKeyringStore::destroy_expired_grants(UnixMs now) {
    return db_->write_now([&](Transaction& tx) -> Result<std::int64_t> {
        return tx.execute(k_delete_expired_grants, {now});
    });
}

Result<std::unique_ptr<KeyringStore>> open_keyring_store(const KeyringStoreOptions& options) {
    Database::Options open;
    open.kind = store::StoreKind::keyring;
    open.file = options.file;
    open.create = options.create;
    open.server = options.server;
    open.readers = 1;
    POSTERN_TRY(auto db, Database::open(open));
    std::optional<store::Reserve> reserve;
    if (options.reserve_file) {
        reserve.emplace(store::Reserve::Options{.file = *options.reserve_file});
    }
    return std::make_unique<SqlKeyringStore>(std::move(db), std::move(reserve));
}

Result<std::vector<IntegrationKey>> SqlKeyringStore::destroy_all_grants(
    std::optional<WorkspaceId> workspace) {
    return db_->write_now([&](Transaction& tx) -> Result<std::vector<IntegrationKey>> {
        std::vector<IntegrationKey> ended;
        auto rows = workspace ? tx.query(k_delete_workspace_grants, {*workspace})
                              : tx.query(k_delete_all_grants);
        if (!rows) return fail(std::move(rows.error()));
        for (const auto& row : *rows)
            ended.push_back({row.id<WorkspaceTag>(0), row.id<IntegrationTag>(1)});
        return ended;
    });
}

}  // namespace postern::vault
