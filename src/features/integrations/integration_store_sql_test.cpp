#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations_lab_fake.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

/// The rows alone: what belongs to which workspace and epoch, and what goes with what.
namespace postern::integrations::test {
namespace {

using store::StoreError;
using store::Transaction;

class IntegrationRowsTest : public IntegrationsLab {
protected:
    Integration sample(IntegrationId id, StoredState state = StoredState::active) {
        Integration row;
        row.workspace = workspace;
        row.id = id;
        row.kind = "imap";
        row.level = "sealed";
        row.stored_state = state;
        row.epoch = 1;
        row.sealed_settings = to_bytes("settings");
        row.search_label = "@box.ptn.brand.example";
        row.created_at_ms = clock.now;
        return row;
    }
    static keys::Seal seal(std::uint64_t epoch) {
        keys::Seal out;
        out.epoch = epoch;
        out.holders.push_back({HolderId::make(1), to_bytes("salt"), 3, 64, to_bytes("public"),
                               to_bytes("private"), to_bytes("boxed")});
        out.credential_key = to_bytes("key");
        out.credential = to_bytes("credential");
        return out;
    }
    Grant grant_row(std::uint64_t epoch) {
        Grant grant;
        grant.seal = {GrantId::make(clock.now), epoch, k_send, 5, clock.now + 10,
                      to_bytes("noise")};
        grant.created_at_ms = clock.now;
        return grant;
    }
    /// With seals of epochs 1 and 2 and a grant of each.
    IntegrationId full() {
        const auto id = IntegrationId::make(clock.now);
        write([&](Transaction& tx) { return rows::insert_integration(tx, sample(id)); });
        for (const std::uint64_t epoch : {1, 2}) {
            write(
                [&](Transaction& tx) { return rows::insert_seal(tx, workspace, id, seal(epoch)); });
            write([&](Transaction& tx) {
                return rows::insert_grant(tx, workspace, id, grant_row(epoch));
            });
        }
        return id;
    }
    template <typename F>
    void write(F body) {
        const auto done = database->write_now(std::move(body));
        EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().detail());
    }
    template <typename F>
    auto refused(F body) {
        return database->write_now(std::move(body));
    }
    Operation operation(IntegrationId id, std::string kind) {
        return {workspace, ReceiptId::make(clock.now), id, std::move(kind), 2};
    }
};

TEST_F(IntegrationRowsTest, row_comes_back_as_it_was_with_the_seal_and_grants_of_its_epoch) {
    const auto id = full();
    const auto row = stored(id).value();
    EXPECT_EQ(row.workspace, workspace);
    EXPECT_EQ(row.id, id);
    EXPECT_EQ(row.kind, "imap");
    EXPECT_EQ(row.level, "sealed");
    EXPECT_EQ(row.stored_state, StoredState::active);
    EXPECT_EQ(row.sealed_settings, to_bytes("settings"));
    EXPECT_EQ(row.search_label, "@box.ptn.brand.example");
    EXPECT_FALSE(row.broken_code.has_value());
    EXPECT_EQ(row.created_at_ms, clock.now);
    ASSERT_TRUE(row.seal.has_value());
    EXPECT_EQ(row.seal->epoch, 1);
    ASSERT_EQ(row.seal->holders.size(), 1);
    EXPECT_EQ(row.seal->holders[0].memory_kib, 64);
    EXPECT_EQ(row.seal->holders[0].boxed_key, to_bytes("boxed"));
    EXPECT_EQ(row.seal->credential, to_bytes("credential"));
    ASSERT_EQ(row.grants.size(), 1);
    EXPECT_EQ(row.grants[0].seal.epoch, 1);
    EXPECT_EQ(row.grants[0].seal.verbs, k_send);
    EXPECT_EQ(row.grants[0].seal.hourly_ceiling, 5);
    EXPECT_EQ(row.grants[0].seal.expires_at_ms, clock.now + 10);
    EXPECT_EQ(row.grants[0].seal.credential, to_bytes("noise"));
    EXPECT_EQ(row.grants[0].warned_days, 0);
}

TEST_F(IntegrationRowsTest, other_workspaces_and_ids_are_not_found) {
    const auto id = full();
    const auto from = [&](WorkspaceId where, IntegrationId which) {
        return database->read_now([&](Transaction& tx) { return rows::load(tx, where, which); });
    };
    EXPECT_TRUE(from(workspace, id).has_value());
    EXPECT_TRUE(fails_with(from(other_workspace, id), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(from(workspace, IntegrationId::make(2)), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(from(workspace, {}), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(refused([&](Transaction& tx) {
                               return rows::set_state(tx, other_workspace, id,
                                                      StoredState::cut_off);
                           }),
                           IntegrationError::not_found));
    EXPECT_EQ(stored(id)->stored_state, StoredState::active);
}

TEST_F(IntegrationRowsTest, changes_of_another_workspace_change_nothing) {
    const auto id = full();
    const auto other = other_workspace;
    write([&](Transaction& tx) { return rows::set_broken(tx, other, id, "x"); });
    write([&](Transaction& tx) { return rows::set_epoch(tx, other, id, 2); });
    write([&](Transaction& tx) { return rows::set_settings(tx, other, id, to_bytes("x")); });
    write([&](Transaction& tx) { return rows::delete_seal(tx, other, id, 1); });
    write([&](Transaction& tx) { return rows::delete_seals_and_grants(tx, other, id); });
    write([&](Transaction& tx) { return rows::delete_integration(tx, other, id); });
    const auto row = stored(id).value();
    EXPECT_FALSE(row.broken_code.has_value());
    EXPECT_EQ(row.epoch, 1);
    EXPECT_EQ(row.sealed_settings, to_bytes("settings"));
    EXPECT_EQ(seal_epochs(id), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(grant_epochs(id), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(IntegrationRowsTest, same_id_twice_is_a_conflict_and_a_seal_of_the_same_epoch_replaces) {
    const auto id = full();
    EXPECT_TRUE(fails_with(
        refused([&](Transaction& tx) { return rows::insert_integration(tx, sample(id)); }),
        StoreError::conflict));
    auto again = seal(1);
    again.credential = to_bytes("another");
    write([&](Transaction& tx) { return rows::insert_seal(tx, workspace, id, again); });
    EXPECT_EQ(stored(id)->seal->credential, to_bytes("another"));
    const auto grant = stored(id)->grants[0];
    EXPECT_TRUE(fails_with(
        refused([&](Transaction& tx) { return rows::insert_grant(tx, workspace, id, grant); }),
        StoreError::conflict));
}

TEST_F(IntegrationRowsTest, damaged_seal_is_an_error_and_not_a_missing_one) {
    const auto id = full();
    change_store(store::EngineText{"UPDATE seals SET seal = CAST(x'02' || substr(seal, 2) AS BLOB)",
                                   "UPDATE seals SET seal = '\\x02' || substr(seal, 2)"});
    EXPECT_TRUE(fails_with(stored(id), keys::KeyError::cannot_open)) << "another version";
    change_store(store::EngineText{"UPDATE seals SET seal = x'01' WHERE epoch = 1",
                                   "UPDATE seals SET seal = '\\x01' WHERE epoch = 1"});
    EXPECT_TRUE(fails_with(stored(id), keys::KeyError::cannot_open));
    change_store(store::EngineText{"UPDATE seals SET seal = x'' WHERE epoch = 1",
                                   "UPDATE seals SET seal = '' WHERE epoch = 1"});
    EXPECT_TRUE(fails_with(stored(id), keys::KeyError::cannot_open));
    change_store("DELETE FROM seals WHERE epoch = 1");
    EXPECT_FALSE(stored(id)->seal.has_value());
}

TEST_F(IntegrationRowsTest, new_epoch_takes_other_seals_and_all_grants_away) {
    const auto id = full();
    write([&](Transaction& tx) { return rows::set_epoch(tx, workspace, id, 2); });
    const auto row = stored(id).value();
    EXPECT_EQ(row.epoch, 2);
    EXPECT_EQ(row.seal->epoch, 2);
    EXPECT_EQ(seal_epochs(id), std::vector<std::uint64_t>{2});
    EXPECT_TRUE(grant_epochs(id).empty());
}

TEST_F(IntegrationRowsTest, deletions_take_only_what_they_name) {
    const auto id = full();
    const auto other = full();
    const auto grant = stored(id)->grants[0].seal.grant;
    write([&](Transaction& tx) { return rows::delete_grant(tx, workspace, id, grant); });
    EXPECT_EQ(grant_epochs(id), std::vector<std::uint64_t>{2});
    write([&](Transaction& tx) { return rows::delete_seal(tx, workspace, id, 2); });
    EXPECT_EQ(seal_epochs(id), std::vector<std::uint64_t>{1});
    write([&](Transaction& tx) { return rows::delete_seals_and_grants(tx, workspace, id); });
    EXPECT_TRUE(seal_epochs(id).empty());
    EXPECT_TRUE(grant_epochs(id).empty());
    EXPECT_TRUE(stored(id).has_value());
    write([&](Transaction& tx) { return rows::delete_integration(tx, workspace, id); });
    EXPECT_FALSE(stored(id).has_value());
    EXPECT_EQ(seal_epochs(other).size(), 2);
    EXPECT_EQ(grant_epochs(other).size(), 2);
}

TEST_F(IntegrationRowsTest, grant_is_deleted_once_and_only_where_it_belongs) {
    const auto id = full();
    const auto grant = stored(id)->grants[0].seal.grant;
    const auto remove = [&](WorkspaceId where, IntegrationId of, GrantId which) {
        return refused([&](Transaction& tx) { return rows::delete_grant(tx, where, of, which); });
    };
    constexpr auto k_gone = IntegrationError::grant_not_found;
    EXPECT_TRUE(fails_with(remove(other_workspace, id, grant), k_gone));
    EXPECT_TRUE(fails_with(remove(workspace, full(), grant), k_gone));
    EXPECT_TRUE(fails_with(remove(workspace, id, GrantId::make(1)), k_gone));
    EXPECT_TRUE(remove(workspace, id, grant).has_value());
    EXPECT_TRUE(fails_with(remove(workspace, id, grant), k_gone));
}

TEST_F(IntegrationRowsTest, grants_of_all_workspaces_are_listed_in_steps) {
    const auto first = full();
    const auto second = full();
    write([&](Transaction& tx) {
        return rows::insert_grant(tx, other_workspace, first, grant_row(1));
    });
    std::vector<std::pair<WorkspaceId, IntegrationId>> seen;
    rows::GrantRow last;
    for (bool more = true; more;) {
        const auto page = rows([&](Transaction& tx) { return rows::list_grants(tx, last, 2); });
        EXPECT_LE(page.size(), 2U);
        for (const auto& row : page) {
            EXPECT_EQ(row.created_at_ms, clock.now);
            seen.emplace_back(row.workspace, row.integration);
        }
        more = !page.empty();
        if (more) last = page.back();
    }
    EXPECT_EQ(seen.size(), 5U);
    EXPECT_EQ(std::ranges::count(seen, std::pair(workspace, first)), 2);
    EXPECT_EQ(std::ranges::count(seen, std::pair(workspace, second)), 2);
    EXPECT_EQ(std::ranges::count(seen, std::pair(other_workspace, first)), 1);
}

TEST_F(IntegrationRowsTest, grant_made_anew_is_not_the_one_that_is_dropped) {
    const auto id = full();
    const auto grant = stored(id)->grants[0];
    const auto drop = [&](WorkspaceId where, UnixMs at) {
        write([&](Transaction& tx) {
            return rows::delete_made_grant(tx, {where, grant.seal.grant, id, at});
        });
        return grant_epochs(id).size();
    };
    EXPECT_EQ(drop(workspace, grant.created_at_ms - 1), 2U);
    EXPECT_EQ(drop(other_workspace, grant.created_at_ms), 2U);
    EXPECT_EQ(drop(workspace, grant.created_at_ms), 1U);
    EXPECT_EQ(drop(workspace, grant.created_at_ms), 1U) << "good to repeat";
}

TEST_F(IntegrationRowsTest, list_is_by_age_from_a_cursor_without_hidden_ones) {
    std::vector<IntegrationId> ids;
    for (const auto state : {StoredState::active, StoredState::cut_off, StoredState::connecting,
                             StoredState::deleted, StoredState::active}) {
        clock.pass_s(1);
        ids.push_back(IntegrationId::make(clock.now));
        const auto row = sample(ids.back(), state);
        write([&](Transaction& tx) { return rows::insert_integration(tx, row); });
    }
    const auto list = [&](WorkspaceId where, IntegrationId after, std::int64_t limit) {
        auto found = rows([&](Transaction& tx) { return rows::list(tx, where, after, limit); });
        std::vector<IntegrationId> out;
        for (const auto& row : found)
            out.push_back(row.id);
        return out;
    };
    EXPECT_EQ(list(workspace, {}, 10), (std::vector{ids[0], ids[1], ids[4]}));
    EXPECT_EQ(list(workspace, {}, 2), (std::vector{ids[0], ids[1]}));
    EXPECT_EQ(list(workspace, ids[1], 2), std::vector{ids[4]});
    EXPECT_TRUE(list(workspace, ids[4], 2).empty());
    EXPECT_TRUE(list(workspace, {}, 0).empty());
    EXPECT_TRUE(list(other_workspace, {}, 10).empty());
    const auto active = rows([](Transaction& tx) { return rows::list_active(tx); });
    EXPECT_EQ(active.size(), 2);
}

TEST_F(IntegrationRowsTest, operations_are_found_until_they_are_deleted_once) {
    const auto id = full();
    const auto reseal_of = operation(id, "reseal");
    const auto ending = operation(id, "cut_off");
    const auto has = [&](WorkspaceId where, const Operation& which) {
        return rows([&](Transaction& tx) { return rows::has_operation(tx, where, which.receipt); });
    };
    const auto is_ending = [&](WorkspaceId where, IntegrationId which) {
        return rows([&](Transaction& tx) { return rows::is_ending(tx, where, which); });
    };
    EXPECT_FALSE(has(workspace, reseal_of));
    write([&](Transaction& tx) { return rows::insert_operation(tx, reseal_of, 2); });
    EXPECT_TRUE(has(workspace, reseal_of));
    EXPECT_FALSE(has(other_workspace, reseal_of));
    EXPECT_FALSE(is_ending(workspace, id));
    write([&](Transaction& tx) { return rows::insert_operation(tx, ending, 1); });
    EXPECT_TRUE(is_ending(workspace, id));
    EXPECT_FALSE(is_ending(other_workspace, id));
    EXPECT_FALSE(is_ending(workspace, IntegrationId::make(1)));
    const auto listed = operations();
    ASSERT_EQ(listed.size(), 2);
    EXPECT_EQ(listed[0].receipt, ending.receipt) << "the earlier request first";
    EXPECT_EQ(listed[1].kind, "reseal");
    EXPECT_EQ(listed[1].epoch, 2);
    const auto remove = [&](WorkspaceId where, ReceiptId which) {
        return refused([&](Transaction& tx) { return rows::delete_operation(tx, where, which); });
    };
    EXPECT_TRUE(fails_with(remove(other_workspace, ending.receipt), IntegrationError::superseded));
    EXPECT_TRUE(remove(workspace, ending.receipt).has_value());
    EXPECT_TRUE(fails_with(remove(workspace, ending.receipt), IntegrationError::superseded));
    write([&](Transaction& tx) { return rows::delete_operations_of(tx, workspace, id); });
    EXPECT_TRUE(operations().empty());
}

TEST_F(IntegrationRowsTest, receipts_are_read_in_their_own_workspace_and_never_overwritten) {
    Receipt receipt;
    receipt.id = ReceiptId::make(1);
    receipt.state = "pending";
    const auto id = full();
    const auto insert = [&](const Bytes& body) {
        return refused([&](Transaction& tx) {
            return rows::insert_receipt(tx, workspace, receipt, id, body);
        });
    };
    const auto load = [&](WorkspaceId where, ReceiptId which) {
        return database->read_now(
            [&](Transaction& tx) { return rows::load_receipt(tx, where, which); });
    };
    ASSERT_TRUE(insert(to_bytes("first")).has_value());
    EXPECT_TRUE(fails_with(insert(to_bytes("second")), StoreError::conflict));
    EXPECT_EQ(load(workspace, receipt.id).value(), to_bytes("first"));
    EXPECT_TRUE(fails_with(load(other_workspace, receipt.id), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(load(workspace, ReceiptId::make(1)), IntegrationError::not_found));
}

TEST_F(IntegrationRowsTest, ledger_counts_per_workspace) {
    for (const auto where : {workspace, workspace, other_workspace}) {
        write([&](Transaction& tx) {
            return rows::append_ledger(tx, where, {"entry", to_bytes("signature")});
        });
    }
    const auto newest = [&](WorkspaceId where) {
        return rows([&](Transaction& tx) -> Result<std::int64_t> {
            POSTERN_TRY(
                const auto row,
                tx.query_one("SELECT MAX(number) FROM ledger WHERE workspace_id = $1", {where}));
            return row->integer(0);
        });
    };
    EXPECT_EQ(newest(workspace), 2);
    EXPECT_EQ(newest(other_workspace), 1);
    EXPECT_EQ(ledger().size(), 3);
}

}  // namespace
}  // namespace postern::integrations::test
