#include "features/integrations/integration_error.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// recover(): what a crash left is brought to its end, what is under way or done is left alone.
namespace postern::integrations::test {
namespace {

using keys::KeyError;

class RecoveryTest : public IntegrationsLab {
protected:
    /// As if front had died at this call to keeper, which may or may not have been carried out.
    template <typename T>
    void die_at(std::string_view call, Fault fault, async::Task<T> task) {
        keeper.die_at(std::string(call), fault);
        EXPECT_FALSE(run(std::move(task)).has_value());
        EXPECT_GT(keeper.failed, 0);
        restart();
    }
    async::Task<Connected> connecting(IntegrationId id) {
        auto ask = ask_for();
        ask.id = id;
        return integrations->connect(workspace, std::move(ask));
    }
    async::Task<Integrations::Resealed> resealing(IntegrationId id) {
        return integrations->reseal(k_by, workspace, id, typed(k_secret), typed(k_new_secret),
                                    false);
    }
    async::Task<Connected> reconnecting(IntegrationId id) {
        auto ask = ask_for();
        ask.shared_secret = typed(k_new_secret);
        return integrations->reconnect(workspace, id, std::move(ask));
    }
    void write_operation(Operation operation) {
        rows([&](store::Transaction& tx) -> Result<bool> {
            if (auto done = rows::insert_operation(tx, operation, clock.now); !done) {
                return fail(std::move(done.error()));
            }
            return true;
        });
    }
};

TEST_F(RecoveryTest, nothing_to_do_is_fine) {
    recover();
    EXPECT_TRUE(keeper.calls.empty());
    const auto id = connected();
    recover();
    expect_whole(id);
}

TEST_F(RecoveryTest, connect_is_undone_whether_or_not_keeper_had_committed) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        const auto id = IntegrationId::make(clock.now);
        die_at("CommitSeal", fault, connecting(id));
        EXPECT_EQ(stored(id)->stored_state, StoredState::connecting);
        EXPECT_TRUE(fails_with(get(id), IntegrationError::not_found));
        recover();
        EXPECT_TRUE(fails_with(stored(id), IntegrationError::not_found));
        EXPECT_TRUE(held(id).cut_off);
        expect_whole(id);
    }
}

TEST_F(RecoveryTest, connect_that_keeper_knows_nothing_of_is_undone) {
    const auto id = IntegrationId::make(clock.now);
    die_at("CommitSeal", Fault::refused, connecting(id));
    keeper.forget(workspace, id);
    recover();
    EXPECT_TRUE(fails_with(stored(id), IntegrationError::not_found));
    EXPECT_TRUE(operations().empty());
}

TEST_F(RecoveryTest, connect_asked_for_again_before_recovery_is_made) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        const auto id = IntegrationId::make(clock.now);
        die_at("CommitSeal", fault, connecting(id));
        const auto again = run(connecting(id));
        ASSERT_TRUE(again.has_value()) << again.error().detail();
        EXPECT_TRUE(operations().empty());
        EXPECT_TRUE(unlock(id).has_value());
        expect_whole(id);
    }
}

TEST_F(RecoveryTest, reseal_is_rolled_forward_with_its_receipt) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        const auto id = connected();
        die_at("CommitSeal", fault, resealing(id));
        recover();
        EXPECT_TRUE(unlock(id, k_new_secret).has_value());
        EXPECT_FALSE(unlock(id, k_secret).has_value());
        ASSERT_EQ(receipts_of(id).size(), 1);
        const auto done = run(integrations->receipt(workspace, receipts_of(id)[0])).value();
        EXPECT_EQ(done.kind, "reseal");
        EXPECT_EQ(done.epoch, 2);
        EXPECT_TRUE(keeper.has_signed(done));
        expect_whole(id);
    }
}

TEST_F(RecoveryTest, reconnect_is_rolled_forward) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        const auto id = connected();
        ASSERT_TRUE(run(integrations->set_broken(workspace, id, "sign_in_refused")).has_value());
        die_at("CommitSeal", fault, reconnecting(id));
        recover();
        EXPECT_TRUE(unlock(id, k_new_secret).has_value());
        EXPECT_FALSE(stored(id)->broken_code.has_value());
        expect_whole(id);
    }
}

TEST_F(RecoveryTest, reconnect_of_what_was_cut_off_is_rolled_forward) {
    const auto id = connected();
    ASSERT_TRUE(cut_off(id).has_value());
    die_at("CommitSeal", Fault::refused, reconnecting(id));
    EXPECT_EQ(state_of(id), State::cut_off);
    recover();
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_EQ(stored(id)->stored_state, StoredState::active);
    expect_whole(id);
}

TEST_F(RecoveryTest, cut_off_and_deletion_are_rolled_forward_with_their_receipt) {
    for (const bool erase : {false, true}) {
        for (const auto fault : {Fault::refused, Fault::answer_lost}) {
            const auto id = connected();
            die_at("CutOff", fault, integrations->cut_off(k_by, workspace, id, erase));
            recover();
            EXPECT_TRUE(held(id).cut_off);
            ASSERT_EQ(receipts_of(id).size(), 1);
            const auto done = run(integrations->receipt(workspace, receipts_of(id)[0])).value();
            EXPECT_EQ(done.kind, erase ? "delete" : "cut_off");
            EXPECT_EQ(get(id).has_value(), !erase);
            expect_whole(id);
        }
    }
}

TEST_F(RecoveryTest, receipt_has_the_id_that_the_ledger_names) {
    const auto id = connected();
    die_at("CutOff", Fault::refused, integrations->cut_off(k_by, workspace, id, false));
    recover();
    ASSERT_EQ(ledger().size(), 1);
    ASSERT_EQ(receipts_of(id).size(), 1);
    EXPECT_NE(ledger()[0].text.find(receipts_of(id)[0].text()), std::string::npos);
}

TEST_F(RecoveryTest, replacement_that_keeper_no_longer_knows_is_forgotten) {
    for (const std::string kind : {"reseal", "reconnect"}) {
        const auto id = connected();
        if (kind == "reseal") die_at("CommitSeal", Fault::refused, resealing(id));
        if (kind == "reconnect") die_at("CommitSeal", Fault::refused, reconnecting(id));
        held(id).secrets.erase(held(id).pending);
        held(id).pending = 0;
        recover();
        EXPECT_TRUE(unlock(id, k_secret).has_value());
        EXPECT_TRUE(receipts_of(id).empty());
        expect_whole(id);
    }
}

TEST_F(RecoveryTest, later_replacement_wins_over_one_that_was_left) {
    const auto id = connected();
    die_at("CommitSeal", Fault::refused, resealing(id));
    ASSERT_TRUE(run(reconnecting(id)).has_value());
    recover();
    EXPECT_EQ(stored(id)->epoch, 3);
    EXPECT_TRUE(unlock(id, k_new_secret).has_value());
    expect_whole(id);
}

TEST_F(RecoveryTest, cut_off_wins_over_a_reseal_that_was_left) {
    const auto id = connected();
    die_at("CommitSeal", Fault::refused, resealing(id));
    ASSERT_TRUE(cut_off(id).has_value());
    recover();
    EXPECT_EQ(state_of(id), State::cut_off);
    expect_whole(id);
}

TEST_F(RecoveryTest, one_that_cannot_be_finished_holds_up_nothing_else_and_is_tried_again) {
    const auto first = connected();
    die_at("CutOff", Fault::refused, integrations->cut_off(k_by, workspace, first, false));
    clock.pass_s(1);
    const auto second = connected();
    die_at("CutOff", Fault::refused, integrations->cut_off(k_by, workspace, second, false));
    keeper.fail_call(0, Fault::refused);
    recover();
    ASSERT_EQ(operations().size(), 1);
    EXPECT_EQ(operations()[0].integration, first);
    expect_rows_whole(second);
    keeper.heal();
    recover();
    expect_whole(first);
}

TEST_F(RecoveryTest, fails_only_when_the_store_cannot_be_read) {
    database->close();
    EXPECT_TRUE(fails_with(run(integrations->recover()), store::StoreError::closed));
}

TEST_F(RecoveryTest, connect_under_way_is_left_alone) {
    const auto id = IntegrationId::make(clock.now);
    keeper.hold("CommitSeal");
    std::optional<Result<Connected>> outcome;
    loop.start(connecting(id), outcome);
    run_until_held(keeper);
    recover();
    EXPECT_EQ(keeper.count("CutOff"), 0);
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    EXPECT_EQ(state_of(id), State::leased);
    expect_whole(id);
}

TEST_F(RecoveryTest, changes_under_way_are_left_alone) {
    const auto sealing = connected();
    keeper.hold("CommitSeal");
    std::optional<Result<Integrations::Resealed>> outcome;
    loop.start(resealing(sealing), outcome);
    run_until_held(keeper);
    recover();
    EXPECT_EQ(operations().size(), 1);
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    expect_whole(sealing);
    const auto ending = connected();
    keeper.hold("CutOff");
    std::optional<Result<Receipt>> ended;
    loop.start(integrations->cut_off(k_by, workspace, ending, false), ended);
    run_until_held(keeper);
    recover();
    EXPECT_EQ(keeper.count("CutOff"), 1);
    keeper.release("CutOff");
    EXPECT_TRUE(outcome_of(ended).has_value());
    EXPECT_EQ(receipts_of(ending).size(), 1);
    expect_whole(ending);
}

TEST_F(RecoveryTest, connect_that_was_finished_since_it_was_listed_stands) {
    const auto left = connected();
    die_at("CutOff", Fault::refused, integrations->cut_off(k_by, workspace, left, false));
    clock.pass_s(1);
    const auto id = IntegrationId::make(clock.now);
    keeper.hold("CommitSeal");
    std::optional<Result<Connected>> outcome;
    loop.start(connecting(id), outcome);
    run_until_held(keeper);
    ASSERT_EQ(operations().size(), 2);
    // Recovery has listed both and waits with the first.
    keeper.hold("CutOff");
    std::optional<Result<>> recovered;
    loop.start(integrations->recover(), recovered);
    loop.run_until([&] { return keeper.holding() == 2; });
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    keeper.release("CutOff");
    EXPECT_TRUE(outcome_of(recovered).has_value());
    EXPECT_TRUE(operations().empty());
    EXPECT_EQ(state_of(id), State::leased);
    EXPECT_TRUE(unlock(id, k_secret).has_value());
}

TEST_F(RecoveryTest, cut_off_that_was_finished_since_does_not_end_a_reconnect) {
    const auto left = connected();
    die_at("CutOff", Fault::refused, integrations->cut_off(k_by, workspace, left, false));
    clock.pass_s(1);
    const auto id = connected();
    keeper.hold("CutOff");
    std::optional<Result<Receipt>> ended;
    std::optional<Result<>> recovered;
    loop.start(integrations->cut_off(k_by, workspace, id, false), ended);
    run_until_held(keeper);
    loop.start(integrations->recover(), recovered);
    loop.run_until([&] { return keeper.holding() == 2; });
    keeper.release_first();
    EXPECT_TRUE(outcome_of(ended).has_value());
    ASSERT_TRUE(run(reconnecting(id)).has_value());
    keeper.release("CutOff");
    EXPECT_TRUE(outcome_of(recovered).has_value());
    EXPECT_EQ(state_of(id), State::leased);
    expect_whole(id);
}

TEST_F(RecoveryTest, what_is_being_recovered_is_not_changed_by_others) {
    const auto id = connected();
    die_at("CommitSeal", Fault::refused, resealing(id));
    keeper.hold("CommitSeal");
    std::optional<Result<>> recovered;
    loop.start(integrations->recover(), recovered);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(run(resealing(id)), IntegrationError::busy));
    EXPECT_TRUE(fails_with(run(reconnecting(id)), IntegrationError::busy));
    recover();
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(recovered).has_value());
    EXPECT_EQ(receipts_of(id).size(), 1);
    expect_whole(id);
}

TEST_F(RecoveryTest, cut_off_is_not_held_up_by_recovery) {
    const auto id = connected();
    die_at("CommitSeal", Fault::refused, resealing(id));
    keeper.hold("CommitSeal");
    std::optional<Result<>> recovered;
    loop.start(integrations->recover(), recovered);
    run_until_held(keeper);
    EXPECT_TRUE(cut_off(id).has_value());
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(recovered).has_value());
    EXPECT_EQ(state_of(id), State::cut_off);
    recover();
    expect_whole(id);
}

TEST_F(RecoveryTest, operation_of_what_is_gone_is_dropped) {
    const auto id = IntegrationId::make(1);
    write_operation({workspace, ReceiptId::make(1), id, "connect", 1});
    write_operation({workspace, ReceiptId::make(2), id, "reseal", 1});
    recover();
    EXPECT_TRUE(operations().empty());
}

}  // namespace
}  // namespace postern::integrations::test
