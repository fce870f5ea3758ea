#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "foundation/base/id.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"

#include <string>
#include <string_view>
#include <utility>

/// Each change with a fault at each of its steps, at keeper and in the store; then recover(). What
/// is left is whole, old or new.
namespace postern::integrations::test {
namespace {

struct KeeperFault {
    const char* name;
    Fault fault;
    bool for_good;
};
constexpr KeeperFault k_keeper_faults[] = {
    {"one call is refused", Fault::refused, false},
    {"one answer is lost", Fault::answer_lost, false},
    {"keeper goes away", Fault::refused, true},
};

struct StoreFault {
    store::EngineText make;
    store::EngineText end;
};
constexpr StoreFault k_store_faults[] = {
    {store::EngineText{
         "CREATE TRIGGER f1 BEFORE INSERT ON integrations BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f1 BEFORE INSERT ON integrations FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f1", "DROP TRIGGER f1 ON integrations"}},
    {store::EngineText{
         "CREATE TRIGGER f2 BEFORE UPDATE ON integrations BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f2 BEFORE UPDATE ON integrations FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f2", "DROP TRIGGER f2 ON integrations"}},
    {store::EngineText{
         "CREATE TRIGGER f3 BEFORE INSERT ON seals BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f3 BEFORE INSERT ON seals FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f3", "DROP TRIGGER f3 ON seals"}},
    {store::EngineText{
         "CREATE TRIGGER f4 BEFORE DELETE ON seals BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f4 BEFORE DELETE ON seals FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f4", "DROP TRIGGER f4 ON seals"}},
    {store::EngineText{
         "CREATE TRIGGER f5 BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f5 BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f5", "DROP TRIGGER f5 ON grants"}},
    {store::EngineText{
         "CREATE TRIGGER f6 BEFORE DELETE ON grants BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f6 BEFORE DELETE ON grants FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f6", "DROP TRIGGER f6 ON grants"}},
    {store::EngineText{
         "CREATE TRIGGER f7 BEFORE INSERT ON operations BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f7 BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f7", "DROP TRIGGER f7 ON operations"}},
    {store::EngineText{
         "CREATE TRIGGER f8 BEFORE DELETE ON operations BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f8 BEFORE DELETE ON operations FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f8", "DROP TRIGGER f8 ON operations"}},
    {store::EngineText{
         "CREATE TRIGGER f9 BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f9 BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f9", "DROP TRIGGER f9 ON receipts"}},
    {store::EngineText{
         "CREATE TRIGGER f10 BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f10 BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f10", "DROP TRIGGER f10 ON ledger"}},
    {store::EngineText{
         "CREATE TRIGGER f11 BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'x'); END",
         "CREATE TRIGGER f11 BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()"},
     store::EngineText{"DROP TRIGGER f11", "DROP TRIGGER f11 ON events"}},
};

class FaultTest : public IntegrationsLab {
protected:
    /// For every kind of fault and every call: `prepare` makes the integration, `work` changes it
    /// and says whether that was told as done, `judge(id, told)` looks at it after recover().
    template <typename Prepare, typename Work, typename Judge>
    void sweep_keeper(Prepare prepare, Work work, Judge judge) {
        for (const auto& [name, fault, for_good] : k_keeper_faults) {
            int at = 0;
            for (bool hit = true; hit; ++at) {
                SCOPED_TRACE(std::string(name) + " at " + std::to_string(at));
                const auto id = prepare();
                keeper.fail_call(at, fault, for_good);
                const bool told = work(id);
                hit = keeper.failed > 0;
                settle(id);
                judge(id, told);
                EXPECT_TRUE(hit || told);
                if (HasFatalFailure()) return;
            }
            EXPECT_GT(at, 3) << "as many calls as there are steps";
        }
    }
    template <typename Prepare, typename Work, typename Judge>
    void sweep_store(Prepare prepare, Work work, Judge judge) {
        for (const auto& fault : k_store_faults) {
            SCOPED_TRACE(std::string(fault.make.files.view()));
            const auto id = prepare();
            change_store(fault.make);
            const bool told = work(id);
            run_recover();
            change_store(fault.end);
            settle(id);
            judge(id, told);
        }
    }
    template <typename Prepare, typename Work, typename Judge>
    void sweep(Prepare prepare, Work work, Judge judge) {
        sweep_keeper(prepare, work, judge);
        sweep_store(prepare, work, judge);
    }
    /// As after a restart; recovery itself is cut short at its first calls, and then not.
    void settle(IntegrationId id) {
        restart();
        for (int at = 0; at < 3; ++at) {
            keeper.fail_call(at, Fault::answer_lost);
            run_recover();
        }
        keeper.heal();
        run_recover();
        expect_whole(id);
    }
    void run_recover() { (void)run(integrations->recover()); }
    /// Connected, with a grant.
    IntegrationId granted() {
        const auto id = connected();
        EXPECT_TRUE(grant(id).has_value());
        return id;
    }
    /// Without unlocking it, which would be one more change.
    bool opens(IntegrationId id, std::string_view secret) {
        const auto row = stored(id);
        const auto& known = held(id);
        if (!row || row->stored_state != StoredState::active || !row->seal || !known.live) {
            return false;
        }
        const auto found = known.secrets.find(row->seal->epoch);
        return found != known.secrets.end() && known.epoch == row->epoch && found->second == secret;
    }
};

TEST_F(FaultTest, connect_is_there_as_told_or_not_at_all) {
    const auto prepare = [&] { return IntegrationId::make(clock.now); };
    const auto work = [&](IntegrationId id) {
        auto ask = ask_for();
        ask.id = id;
        ask.keep_working = GrantAsk{k_send, 10, 7200};
        const auto made = connect(std::move(ask));
        return made && made->view;
    };
    const auto judge = [&](IntegrationId id, bool told) {
        EXPECT_EQ(get(id).has_value(), told);
        EXPECT_EQ(stored(id).has_value(), told);
        EXPECT_EQ(held(id).live, told);
        EXPECT_EQ(opens(id, k_secret), told);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, connect_returns_its_generated_secret_or_is_not_there) {
    std::string secret;
    const auto prepare = [&] { return IntegrationId::make(clock.now); };
    const auto work = [&](IntegrationId id) {
        auto ask = ask_for();
        ask.id = id;
        ask.generate = true;
        const auto made = connect(std::move(ask));
        secret = made ? text_of(made->generated) : "";
        return made && made->view;
    };
    for (const auto& [name, fault, for_good] : k_keeper_faults) {
        bool hit = true;
        for (int at = 0; hit; ++at) {
            SCOPED_TRACE(std::string(name) + " at " + std::to_string(at));
            const auto id = prepare();
            keeper.fail_call(at, fault, for_good);
            const bool told = work(id);
            hit = keeper.failed > 0;
            restart();
            recover();
            EXPECT_EQ(get(id).has_value(), told);
            EXPECT_EQ(opens(id, secret), told);
        }
    }
}

TEST_F(FaultTest, reconnect_is_old_or_new) {
    const auto prepare = [&] { return granted(); };
    const auto work = [&](IntegrationId id) {
        auto ask = ask_for();
        ask.shared_secret = typed(k_new_secret);
        const auto made = reconnect(id, std::move(ask));
        return made && made->view;
    };
    const auto judge = [&](IntegrationId id, bool told) {
        const bool is_new = opens(id, k_new_secret);
        EXPECT_TRUE(is_new || !told);
        EXPECT_EQ(grant_epochs(id).size(), is_new ? 0 : 1);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, reconnect_of_what_was_cut_off_is_cut_off_or_new) {
    const auto prepare = [&] {
        const auto id = granted();
        EXPECT_TRUE(cut_off(id).has_value());
        return id;
    };
    const auto work = [&](IntegrationId id) {
        auto ask = ask_for();
        ask.shared_secret = typed(k_new_secret);
        const auto made = reconnect(id, std::move(ask));
        return made && made->view;
    };
    const auto judge = [&](IntegrationId id, bool told) {
        const auto state = state_of(id);
        EXPECT_TRUE(state == State::cut_off || state == State::sealed);
        EXPECT_EQ(state == State::sealed, opens(id, k_new_secret));
        EXPECT_FALSE(opens(id, k_secret));
        EXPECT_TRUE(state == State::sealed || !told);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, reseal_is_old_or_new_and_new_with_a_receipt) {
    const auto prepare = [&] { return granted(); };
    const auto work = [&](IntegrationId id) { return reseal(id).has_value(); };
    const auto judge = [&](IntegrationId id, bool told) {
        const bool is_new = opens(id, k_new_secret);
        EXPECT_TRUE(is_new || !told);
        EXPECT_EQ(receipts_of(id).size(), is_new ? 1 : 0);
        EXPECT_EQ(grant_epochs(id).size(), is_new ? 0 : 1);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, cut_off_is_done_with_a_receipt_once_it_was_recorded) {
    const auto prepare = [&] { return granted(); };
    const auto work = [&](IntegrationId id) { return cut_off(id).has_value(); };
    const auto judge = [&](IntegrationId id, bool told) {
        const bool is_ended = state_of(id) == State::cut_off;
        EXPECT_TRUE(is_ended || !told);
        EXPECT_EQ(is_ended, held(id).cut_off);
        EXPECT_EQ(receipts_of(id).size(), is_ended ? 1 : 0);
        EXPECT_EQ(opens(id, k_secret), !is_ended);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, cut_off_that_failed_can_be_asked_for_again) {
    for (const auto& [name, fault, for_good] : k_keeper_faults) {
        bool hit = true;
        for (int at = 0; hit; ++at) {
            SCOPED_TRACE(std::string(name) + " at " + std::to_string(at));
            const auto id = granted();
            keeper.fail_call(at, fault, for_good);
            (void)cut_off(id);
            hit = keeper.failed > 0;
            keeper.heal();
            const auto again = cut_off(id);
            ASSERT_TRUE(again.has_value());
            EXPECT_TRUE(run(integrations->receipt(workspace, again->id)).has_value());
            recover();
            expect_whole(id);
        }
    }
}

TEST_F(FaultTest, deletion_is_done_with_a_receipt_once_it_was_recorded) {
    const auto prepare = [&] { return granted(); };
    const auto work = [&](IntegrationId id) { return cut_off(id, true).has_value(); };
    const auto judge = [&](IntegrationId id, bool told) {
        const bool is_ended = !get(id).has_value();
        EXPECT_TRUE(is_ended || !told);
        EXPECT_EQ(is_ended, held(id).cut_off);
        EXPECT_EQ(receipts_of(id).size(), is_ended ? 1 : 0);
        EXPECT_EQ(opens(id, k_secret), !is_ended);
    };
    sweep(prepare, work, judge);
}

TEST_F(FaultTest, courier_that_fails_leaves_no_trace) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        const auto old = connected();
        courier.fail_named("VerifyMailbox", fault);
        auto ask = ask_for();
        ask.id = IntegrationId::make(clock.now);
        const auto id = *ask.id;
        EXPECT_FALSE(connect(std::move(ask)).has_value());
        EXPECT_FALSE(stored(id).has_value());
        auto again = ask_for();
        again.shared_secret = typed(k_new_secret);
        EXPECT_FALSE(reconnect(old, std::move(again)).has_value());
        EXPECT_TRUE(opens(old, k_secret));
        courier.heal();
        expect_whole(old);
    }
}

}  // namespace
}  // namespace postern::integrations::test
