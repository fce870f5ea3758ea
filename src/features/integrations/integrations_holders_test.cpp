#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Several holders of one integration, sealing everything, and who is not used any more.
namespace postern::integrations::test {
namespace {

using keys::KeyError;

class HoldersTest : public IntegrationsLab {
protected:
    Result<std::vector<Holder>> holders(IntegrationId id) {
        return run(integrations->holders(workspace, id));
    }
    Result<Integrations::HolderAdded> add(IntegrationId id,
                                          std::string_view secret = k_secret,
                                          std::string name = "Ida Copperkettle") {
        HolderAsk ask;
        ask.name = std::move(name);
        ask.secret = typed(secret);
        ask.new_secret = typed(k_new_secret);
        return run(integrations->add_holder(workspace, id, std::move(ask)));
    }
    std::vector<integrations::rows::HolderRow> names_of(IntegrationId id) {
        return rows([&](store::Transaction& tx) {
            return integrations::rows::list_holders(tx, workspace, id);
        });
    }
    Result<Receipt> remove(IntegrationId id, HolderId who, std::optional<std::string> secret) {
        std::optional<keys::SecretInput> given;
        if (secret) given = typed(*secret);
        return run(integrations->remove_holder(k_by, workspace, id, who, std::move(given)));
    }
    /// Recorded, and keeper went away before it was committed.
    void leave_unfinished(IntegrationId id, HolderId who) {
        keeper.fail_named("CommitSeal");
        EXPECT_FALSE(remove(id, who, std::string(k_secret)));
        EXPECT_EQ(operations().size(), 1U);
    }
    bool is_holder(IntegrationId id, HolderId who) {
        const auto all = holders(id);
        EXPECT_TRUE(all);
        return std::ranges::any_of(*all, [&](const Holder& each) { return each.id == who; });
    }
};

TEST_F(HoldersTest, who_connects_is_the_first_one_and_has_no_name) {
    const auto id = connected();
    const auto all = holders(id);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 1U);
    EXPECT_EQ(all->front().name, "");
}

TEST_F(HoldersTest, added_one_is_listed_by_name) {
    const auto id = connected();
    clock.pass_s(5);
    const auto added = add(id);
    ASSERT_TRUE(added);
    const auto all = holders(id);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[1].id, added->holder.id);
    EXPECT_EQ((*all)[1].name, "Ida Copperkettle");
    EXPECT_EQ((*all)[1].created_at_ms, clock.now);
}

TEST_F(HoldersTest, added_one_has_the_id_that_was_asked_for_and_none_has_it_twice) {
    const auto id = connected();
    const auto who = HolderId::make(7);
    const auto add_them = [&] {
        HolderAsk ask;
        ask.id = who;
        ask.name = "Ida Copperkettle";
        ask.secret = typed(k_secret);
        ask.new_secret = typed(k_new_secret);
        return run(integrations->add_holder(workspace, id, std::move(ask)));
    };
    const auto added = add_them();
    ASSERT_TRUE(added);
    EXPECT_EQ(added->holder.id, who);
    EXPECT_TRUE(fails_with(add_them(), IntegrationError::superseded));
    EXPECT_EQ(holders(id)->size(), 2U);
}

TEST_F(HoldersTest, only_a_holder_adds_one_and_only_while_it_is_not_cut_off) {
    const auto id = connected();
    EXPECT_TRUE(fails_with(add(id, "another secret"), KeyError::wrong_secret));
    EXPECT_TRUE(fails_with(add(IntegrationId::make(clock.now)), IntegrationError::not_found));
    EXPECT_EQ(holders(id)->size(), 1U);
    ASSERT_TRUE(run(integrations->cut_off(k_by, workspace, id, false)));
    EXPECT_TRUE(fails_with(add(id), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(holders(id), KeyError::integration_cut_off));
}

TEST_F(HoldersTest, who_leaves_is_gone_with_their_name_and_a_receipt_says_so) {
    const auto id = connected();
    const auto added = add(id);
    const auto receipt = remove(id, added->holder.id, std::string(k_secret));
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->kind, "reseal");
    EXPECT_EQ(receipt->epoch, 2U);
    EXPECT_TRUE(keeper.has_signed(*receipt));
    const auto all = holders(id);
    ASSERT_EQ(all->size(), 1U);
    EXPECT_NE(all->front().id, added->holder.id);
    EXPECT_TRUE(names_of(id).empty());
}

TEST_F(HoldersTest, leaving_needs_a_secret_or_an_open_lease) {
    const auto id = connected();
    const auto added = add(id);
    ASSERT_TRUE(run(integrations->lock(k_by, workspace, id)));
    EXPECT_TRUE(
        fails_with(remove(id, added->holder.id, std::nullopt), KeyError::integration_sealed));
    EXPECT_TRUE(fails_with(remove(id, added->holder.id, "another secret"), KeyError::wrong_secret));
    EXPECT_EQ(holders(id)->size(), 2U);
    ASSERT_TRUE(unlock(id, k_secret));
    EXPECT_TRUE(remove(id, added->holder.id, std::nullopt));
    EXPECT_EQ(holders(id)->size(), 1U);
}

TEST_F(HoldersTest, leaving_that_was_left_is_finished_before_the_next_change) {
    for (const std::string_view next : {"reseal", "add", "remove"}) {
        const auto id = connected();
        clock.pass_s(1);
        const auto who = add(id)->holder.id;
        clock.pass_s(1);
        const auto other = add(id)->holder.id;
        leave_unfinished(id, who);
        keeper.heal();
        if (next == "reseal") {
            EXPECT_TRUE(reseal(id)) << next;
        } else if (next == "add") {
            clock.pass_s(1);
            const auto added = add(id);
            ASSERT_TRUE(added) << next;
            recover();
            EXPECT_TRUE(is_holder(id, added->holder.id)) << next;
        } else {
            EXPECT_TRUE(remove(id, other, std::string(k_secret))) << next;
            EXPECT_FALSE(is_holder(id, other));
        }
        recover();
        EXPECT_FALSE(is_holder(id, who)) << next;
        EXPECT_GE(receipts_of(id).size(), 1U) << next;
        expect_whole(id);
    }
}

TEST_F(HoldersTest, nothing_is_changed_while_a_leaving_cannot_be_finished) {
    const auto id = connected();
    clock.pass_s(1);
    const auto who = add(id)->holder.id;
    leave_unfinished(id, who);
    EXPECT_FALSE(add(id));
    EXPECT_FALSE(reseal(id));
    EXPECT_FALSE(reconnect(id, ask_for()));
    EXPECT_EQ(operations().size(), 1U);
    keeper.heal();
    recover();
    EXPECT_FALSE(is_holder(id, who));
    expect_whole(id);
}

TEST_F(HoldersTest, last_one_and_strangers_do_not_leave) {
    const auto id = connected();
    const auto first = holders(id)->front().id;
    EXPECT_TRUE(fails_with(remove(id, first, std::string(k_secret)), KeyError::last_holder));
    EXPECT_TRUE(fails_with(remove(id, HolderId::make(clock.now + 1), std::string(k_secret)),
                           KeyError::unknown_holder));
}

TEST_F(HoldersTest, cut_off_takes_the_names_along) {
    const auto id = connected();
    ASSERT_TRUE(add(id));
    ASSERT_TRUE(run(integrations->cut_off(k_by, workspace, id, false)));
    EXPECT_TRUE(names_of(id).empty());
}

TEST_F(HoldersTest, sealing_all_ends_leases_and_grants_of_this_workspace_alone) {
    const auto first = connected(true);
    const auto second = connected(true);
    ASSERT_TRUE(grant(second));
    auto sealed = run(integrations->seal_all(k_by, workspace, false));
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->leases, 2U);
    EXPECT_EQ(sealed->grants, 0U);
    EXPECT_EQ(run(integrations->get(workspace, first))->state, State::sealed);
    EXPECT_EQ(run(integrations->get(workspace, second))->state, State::granted);
    sealed = run(integrations->seal_all(k_by, workspace, true));
    EXPECT_EQ(sealed->grants, 1U);
    EXPECT_EQ(run(integrations->get(workspace, second))->state, State::sealed);
    EXPECT_TRUE(run(integrations->get(workspace, second))->integration.grants.empty());
    sealed = run(integrations->seal_all(k_by, WorkspaceId::make(clock.now), true));
    EXPECT_TRUE(sealed->ended.empty());
}

TEST_F(HoldersTest, those_that_nobody_uses_are_listed_until_somebody_does) {
    const auto id = connected();
    const auto idle = [&](std::int64_t days) {
        const auto listed = run(integrations->list_idle(workspace, {}, days * 86'400, 10))->size();
        EXPECT_EQ(run(integrations->count_idle(days * 86'400)).value(),
                  static_cast<std::int64_t>(listed));
        return listed;
    };
    EXPECT_EQ(idle(90), 0U);
    clock.pass_days(90);
    EXPECT_EQ(idle(90), 1U);
    EXPECT_EQ(idle(91), 0U);
    ASSERT_TRUE(unlock(id, k_secret));
    EXPECT_EQ(idle(90), 0U);
    EXPECT_EQ(run(integrations->get(workspace, id))->integration.last_used_at_ms, clock.now);
    clock.pass_days(90);
    EXPECT_EQ(idle(90), 1U);
    ASSERT_TRUE(run(integrations->cut_off(k_by, workspace, id, false)));
    EXPECT_EQ(idle(90), 0U) << "what is cut off already is not proposed";
}

}  // namespace
}  // namespace postern::integrations::test
