#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "foundation/base/bytes.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Connecting and reconnecting: the order of the steps, and what is left when one is refused.
namespace postern::integrations::test {
namespace {

using keys::KeyError;
using store::StoreError;

class ConnectTest : public IntegrationsLab {
protected:
    /// Nothing of it anywhere: no row, no operation, nothing at keeper that could open.
    void expect_nothing() {
        EXPECT_TRUE(fails_with(stored(id), IntegrationError::not_found));
        EXPECT_TRUE(fails_with(get(id), IntegrationError::not_found));
        EXPECT_TRUE(operations().empty());
        EXPECT_TRUE(seal_epochs(id).empty());
        EXPECT_FALSE(held(id).live);
        EXPECT_TRUE(held(id).secrets.empty());
        EXPECT_TRUE(told("integration.state").empty());
        EXPECT_TRUE(listener.changed.empty());
    }
    ConnectAsk ask_with_id() {
        auto ask = ask_for();
        ask.id = id;
        return ask;
    }
    IntegrationId id = IntegrationId::make(77);
};

TEST_F(ConnectTest, stores_settings_label_and_seal_and_opens_a_lease) {
    auto made = connect(ask_with_id()).value();
    ASSERT_TRUE(made.view.has_value());
    EXPECT_EQ(made.view->state, State::leased);
    EXPECT_EQ(made.view->settings.name, "Brand mail");
    EXPECT_EQ(made.view->settings.region, "eu");
    EXPECT_EQ(made.view->settings.destination.imap.host, "imap.brand.example");
    EXPECT_EQ(made.view->lease.until_ms, clock.now + 12 * 3600 * 1000);
    EXPECT_TRUE(made.generated.empty());
    EXPECT_EQ(made.checks.size(), 2);
    const auto row = stored(id).value();
    EXPECT_EQ(row.stored_state, StoredState::active);
    EXPECT_EQ(row.kind, "imap");
    EXPECT_EQ(row.level, "sealed");
    EXPECT_EQ(row.created_at_ms, clock.now);
    EXPECT_EQ(told("integration.state").size(), 1);
    EXPECT_EQ(listener.changed, std::vector{id});
    expect_whole(id);
}

TEST_F(ConnectTest, search_label_is_random_and_ends_in_the_lower_case_domain) {
    std::set<std::string> labels;
    for (int i = 0; i < 3; ++i) {
        const auto made = connect(ask_for("Olga@Brand.EXAMPLE")).value();
        const auto label = made.view->integration.search_label;
        EXPECT_TRUE(label.starts_with("@") && label.ends_with(".ptn.brand.example")) << label;
        labels.insert(label);
    }
    EXPECT_EQ(labels.size(), 3);
}

TEST_F(ConnectTest, verifies_the_pending_seal_before_anything_is_stored) {
    courier.on_call = [&](std::string_view) {
        EXPECT_FALSE(stored(id).has_value());
        EXPECT_TRUE(operations().empty());
        EXPECT_FALSE(held(id).live);
    };
    ASSERT_TRUE(connect(ask_with_id()).has_value());
    EXPECT_EQ(courier.count("VerifyMailbox"), 1);
}

TEST_F(ConnectTest, row_seal_and_operation_are_durable_before_keeper_commits) {
    bool seen = false;
    keeper.on_call = [&](std::string_view call) {
        if (call != "CommitSeal") return;
        seen = true;
        const auto row = stored(id);
        ASSERT_TRUE(row.has_value());
        EXPECT_EQ(row->stored_state, StoredState::connecting);
        EXPECT_TRUE(row->seal.has_value());
        ASSERT_EQ(operations().size(), 1);
        EXPECT_EQ(operations()[0].kind, "connect");
        EXPECT_EQ(operations()[0].integration, id);
        EXPECT_EQ(operations()[0].epoch, row->epoch);
    };
    ASSERT_TRUE(connect(ask_with_id()).has_value());
    EXPECT_TRUE(seen);
    EXPECT_TRUE(operations().empty());
}

TEST_F(ConnectTest, nobody_is_shown_it_before_it_is_confirmed) {
    keeper.hold("CommitSeal");
    std::optional<Result<Connected>> outcome;
    loop.start(integrations->connect(workspace, ask_with_id()), outcome);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(get(id), IntegrationError::not_found));
    EXPECT_TRUE(run(integrations->list(workspace, {}, 10)).value().empty());
    EXPECT_TRUE(run(integrations->list_active()).value().empty());
    EXPECT_TRUE(fails_with(unlock(id), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(grant(id), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(reseal(id), IntegrationError::busy)) << "under way";
    EXPECT_TRUE(fails_with(cut_off(id), IntegrationError::not_found));
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    EXPECT_TRUE(get(id).has_value());
}

TEST_F(ConnectTest, region_that_the_operator_does_not_keep_is_refused_before_keeper_is_asked) {
    for (const std::string region : {"us", "EU", "eu ", "e"}) {
        auto ask = ask_with_id();
        ask.region = region;
        EXPECT_TRUE(fails_with(connect(std::move(ask)), IntegrationError::region_not_allowed));
    }
    EXPECT_TRUE(keeper.calls.empty());
    auto unstated = ask_with_id();
    unstated.region.clear();
    EXPECT_TRUE(connect(std::move(unstated)).has_value());
}

TEST_F(ConnectTest, check_that_is_not_good_stores_nothing_and_abandons_the_seal) {
    courier.refuse_sign_in();
    const auto made = connect(ask_with_id());
    ASSERT_TRUE(made.has_value());
    EXPECT_FALSE(made->view.has_value());
    EXPECT_TRUE(made->generated.empty());
    ASSERT_EQ(made->checks.size(), 2);
    EXPECT_EQ(made->checks[1].code, "sign_in_refused");
    EXPECT_EQ(keeper.count("AbandonSeal"), 1);
    EXPECT_EQ(keeper.count("CommitSeal"), 0);
    expect_nothing();
}

TEST_F(ConnectTest, answer_without_checks_is_no_good_one) {
    courier.checks.clear();
    const auto made = connect(ask_with_id());
    ASSERT_TRUE(made.has_value());
    EXPECT_FALSE(made->view.has_value());
    expect_nothing();
}

TEST_F(ConnectTest, courier_that_fails_stores_nothing_and_abandons_the_seal) {
    courier.fail_named("VerifyMailbox");
    EXPECT_TRUE(fails_with(connect(ask_with_id()), ipc::IpcError::failed));
    expect_nothing();
    courier.link.close();
    EXPECT_TRUE(fails_with(connect(ask_with_id()), ipc::IpcError::closed));
    EXPECT_EQ(keeper.count("AbandonSeal"), 2);
    expect_nothing();
}

TEST_F(ConnectTest, settings_that_cannot_be_sealed_abandon_the_seal) {
    keeper.fail_named("SealRecords");
    EXPECT_TRUE(fails_with(connect(ask_with_id()), KeyError::storage_failed));
    EXPECT_EQ(keeper.count("AbandonSeal"), 1);
    expect_nothing();
}

TEST_F(ConnectTest, store_that_refuses_abandons_the_seal) {
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON operations BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION "
        "refuse()"});
    EXPECT_TRUE(fails_with(connect(ask_with_id()), StoreError::row_refused));
    EXPECT_EQ(keeper.count("AbandonSeal"), 1);
    EXPECT_EQ(keeper.count("CommitSeal"), 0);
    expect_nothing();
}

TEST_F(ConnectTest, id_that_is_taken_leaves_what_has_it) {
    ASSERT_TRUE(connect(ask_with_id()).has_value());
    auto again = ask_with_id();
    again.name = "Another";
    again.shared_secret = typed(k_new_secret);
    EXPECT_TRUE(fails_with(connect(std::move(again)), StoreError::conflict));
    EXPECT_EQ(get(id)->settings.name, "Brand mail");
    EXPECT_TRUE(unlock(id).has_value());
    expect_whole(id);
}

TEST_F(ConnectTest, weak_secret_is_keepers_to_refuse_and_nothing_is_left) {
    auto ask = ask_with_id();
    ask.shared_secret = typed("short");
    EXPECT_TRUE(fails_with(connect(std::move(ask)), KeyError::weak_secret));
    EXPECT_EQ(courier.count("VerifyMailbox"), 0);
    expect_nothing();
}

TEST_F(ConnectTest, commit_that_keeper_refuses_is_undone_and_told_as_failed) {
    keeper.fail_named("CommitSeal");
    EXPECT_TRUE(fails_with(connect(ask_with_id()), KeyError::storage_failed));
    expect_nothing();
}

TEST_F(ConnectTest, commit_whose_answer_is_lost_is_undone_and_told_as_failed) {
    keeper.fail_named("CommitSeal", Fault::answer_lost);
    EXPECT_TRUE(fails_with(connect(ask_with_id()), ipc::IpcError::busy));
    EXPECT_TRUE(held(id).cut_off);
    expect_nothing();
}

TEST_F(ConnectTest, generated_secret_is_returned_once_and_stored_nowhere) {
    auto ask = ask_with_id();
    ask.shared_secret = {};
    ask.generate = true;
    const auto made = connect(std::move(ask)).value();
    const auto secret = text_of(made.generated);
    EXPECT_EQ(secret, keeper.last_generated);
    EXPECT_TRUE(unlock(id, secret).has_value());
    EXPECT_TRUE(fails_with(unlock(id, k_secret), KeyError::wrong_secret));
    EXPECT_EQ(store::raw_hits(folder.file("store.db"), secret), 0);
}

TEST_F(ConnectTest, generated_secret_is_not_returned_when_the_checks_are_not_good) {
    courier.refuse_sign_in();
    auto ask = ask_with_id();
    ask.generate = true;
    EXPECT_TRUE(connect(std::move(ask)).value().generated.empty());
    expect_nothing();
}

TEST_F(ConnectTest, what_stands_is_told_even_when_it_cannot_be_looked_at_again) {
    for (const std::string call : {"OpenRecords", "GetStatus"}) {
        keeper.fail_named(call);
        auto ask = ask_for();
        ask.generate = true;
        const auto made = connect(std::move(ask));
        ASSERT_TRUE(made.has_value()) << call;
        ASSERT_TRUE(made->view.has_value());
        EXPECT_EQ(made->view->state, State::leased);
        EXPECT_EQ(made->view->settings.name, "Brand mail");
        EXPECT_EQ(made->view->integration.stored_state, StoredState::active);
        EXPECT_EQ(text_of(made->generated), keeper.last_generated);
        keeper.heal();
        EXPECT_EQ(state_of(made->view->integration.id), State::leased);
    }
}

TEST_F(ConnectTest, keeps_working_through_a_grant_that_the_lease_makes) {
    auto ask = ask_with_id();
    ask.keep_working = GrantAsk{k_send | k_read, 50, 7200};
    const auto made = connect(std::move(ask)).value();
    const auto& grants = made.view->integration.grants;
    ASSERT_EQ(grants.size(), 1);
    EXPECT_FALSE(made.not_granted.has_value());
    EXPECT_EQ(grants[0].seal.verbs, k_send | k_read);
    EXPECT_EQ(grants[0].seal.hourly_ceiling, 50);
    EXPECT_EQ(grants[0].seal.expires_at_ms, clock.now + 7'200'000);
    keeper.end_lease(workspace, id);
    EXPECT_EQ(state_of(id), State::granted);
    EXPECT_TRUE(run(integrations->ticket(workspace, id, keys::Verb::send))->by_grant);
}

TEST_F(ConnectTest, grant_that_failed_shows_in_its_absence_and_the_rest_stands) {
    keeper.fail_named("MakeGrant");
    auto ask = ask_with_id();
    ask.keep_working = GrantAsk{k_send, 50, 7200};
    const auto made = connect(std::move(ask));
    ASSERT_TRUE(made.has_value());
    EXPECT_TRUE(made->view->integration.grants.empty());
    EXPECT_EQ(made->view->state, State::leased);
    ASSERT_TRUE(made->not_granted.has_value());
    EXPECT_TRUE(made->not_granted->is(KeyError::storage_failed));
    expect_whole(id);
    auto again = ask_for();
    again.keep_working = GrantAsk{k_send, 50, 7200};
    const auto renewed = reconnect(id, std::move(again));
    ASSERT_TRUE(renewed.has_value());
    EXPECT_TRUE(renewed->not_granted.has_value());
}

TEST_F(ConnectTest, same_id_at_once_is_busy) {
    keeper.hold("CommitSeal");
    std::optional<Result<Connected>> outcome;
    loop.start(integrations->connect(workspace, ask_with_id()), outcome);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(connect(ask_with_id()), IntegrationError::busy));
    keeper.release("CommitSeal");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    expect_whole(id);
}

class ReconnectTest : public IntegrationsLab {
protected:
    ConnectAsk new_ask() {
        auto ask = ask_for();
        ask.credential = typed("a new password");
        ask.shared_secret = typed(k_new_secret);
        return ask;
    }
    void expect_old() {
        EXPECT_EQ(stored(id)->epoch, 1);
        EXPECT_EQ(stored(id)->sealed_settings, settings);
        EXPECT_EQ(held(id).pending, 0);
        EXPECT_TRUE(unlock(id, k_secret).has_value());
        expect_whole(id);
    }
    IntegrationId id = connected();
    Bytes settings = stored(id)->sealed_settings;
};

TEST_F(ReconnectTest, new_credential_and_secret_take_the_place_of_the_old) {
    ASSERT_TRUE(grant(id).has_value());
    ASSERT_TRUE(run(integrations->set_broken(workspace, id, "sign_in_refused")).has_value());
    const auto label = stored(id)->search_label;
    const auto made = reconnect(id, new_ask());
    ASSERT_TRUE(made.has_value() && made->view.has_value());
    EXPECT_EQ(made->view->state, State::leased);
    EXPECT_EQ(made->view->integration.epoch, 2);
    EXPECT_FALSE(made->view->integration.broken_code.has_value());
    EXPECT_TRUE(made->view->integration.grants.empty());
    EXPECT_EQ(made->view->integration.search_label, label);
    EXPECT_EQ(keeper.credentials.back(), "a new password");
    EXPECT_TRUE(fails_with(unlock(id, k_secret), KeyError::wrong_secret));
    EXPECT_TRUE(unlock(id, k_new_secret).has_value());
    expect_whole(id);
}

TEST_F(ReconnectTest, generated_secret_is_told_although_keeper_fails_for_a_moment) {
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        auto ask = new_ask();
        ask.generate = true;
        ask.shared_secret = {};
        keeper.failed = 0;
        keeper.fail_named("CommitSeal", fault);
        keeper.on_call = [&](std::string_view) {
            if (keeper.failed > 0) keeper.heal();
        };
        const auto made = reconnect(id, std::move(ask));
        ASSERT_TRUE(made.has_value());
        EXPECT_EQ(text_of(made->generated), keeper.last_generated);
        EXPECT_TRUE(unlock(id, keeper.last_generated).has_value());
        EXPECT_TRUE(operations().empty());
    }
}

TEST_F(ReconnectTest, brings_back_what_was_cut_off) {
    ASSERT_TRUE(cut_off(id).has_value());
    ASSERT_EQ(state_of(id), State::cut_off);
    const auto made = reconnect(id, new_ask());
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->view->state, State::leased);
    EXPECT_EQ(stored(id)->stored_state, StoredState::active);
    expect_whole(id);
}

TEST_F(ReconnectTest, seal_settings_and_operation_are_durable_before_keeper_commits) {
    bool seen = false;
    keeper.on_call = [&](std::string_view call) {
        if (call != "CommitSeal") return;
        seen = true;
        EXPECT_EQ(seal_epochs(id), (std::vector<std::uint64_t>{1, 2}));
        EXPECT_EQ(stored(id)->epoch, 1) << "the old one still counts";
        ASSERT_EQ(operations().size(), 1);
        EXPECT_EQ(operations()[0].kind, "reconnect");
        EXPECT_EQ(operations()[0].epoch, 2);
    };
    ASSERT_TRUE(reconnect(id, new_ask()).has_value());
    EXPECT_TRUE(seen);
}

TEST_F(ReconnectTest, address_in_another_case_is_the_same_account_and_another_one_is_not) {
    for (const std::string other :
         {"olga@brand.example.org", "olga@brand.exampl", "olg@brand.example", "@", "x"}) {
        auto ask = new_ask();
        ask.destination.address = other;
        EXPECT_TRUE(fails_with(reconnect(id, std::move(ask)), IntegrationError::other_account));
    }
    expect_old();
    auto same = new_ask();
    same.destination.address = "OLGA@Brand.Example";
    EXPECT_TRUE(reconnect(id, std::move(same)).has_value());
}

TEST_F(ReconnectTest, without_a_destination_the_account_stays_where_it_was) {
    auto ask = new_ask();
    ask.destination = {};
    ask.region.clear();
    const auto made = reconnect(id, std::move(ask));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->view->settings.destination.imap.host, "imap.brand.example");
    EXPECT_EQ(made->view->settings.region, "eu");
    EXPECT_EQ(made->view->settings.name, "Brand mail");
}

TEST_F(ReconnectTest, new_servers_are_kept_and_the_name_survives) {
    auto ask = new_ask();
    ask.name = "ignored";
    ask.destination.imap.host = "imap2.brand.example";
    ASSERT_TRUE(reconnect(id, std::move(ask)).has_value());
    EXPECT_EQ(get(id)->settings.destination.imap.host, "imap2.brand.example");
    EXPECT_EQ(get(id)->settings.name, "Brand mail");
}

TEST_F(ReconnectTest, check_that_is_not_good_leaves_the_old_one) {
    courier.refuse_sign_in();
    const auto made = reconnect(id, new_ask());
    ASSERT_TRUE(made.has_value());
    EXPECT_FALSE(made->view.has_value());
    EXPECT_EQ(made->checks[1].code, "sign_in_refused");
    expect_old();
}

TEST_F(ReconnectTest, courier_store_or_settings_that_fail_leave_the_old_one) {
    courier.fail_named("VerifyMailbox");
    EXPECT_FALSE(reconnect(id, new_ask()).has_value());
    expect_old();
    courier.heal();
    keeper.fail_named("SealRecords");
    EXPECT_FALSE(reconnect(id, new_ask()).has_value());
    keeper.heal();
    expect_old();
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON operations BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION "
        "refuse()"});
    EXPECT_TRUE(fails_with(reconnect(id, new_ask()), StoreError::row_refused));
    expect_old();
}

TEST_F(ReconnectTest, region_is_judged_and_who_is_not_there_is_not_found) {
    auto abroad = new_ask();
    abroad.region = "us";
    EXPECT_TRUE(fails_with(reconnect(id, std::move(abroad)), IntegrationError::region_not_allowed));
    EXPECT_TRUE(
        fails_with(reconnect(IntegrationId::make(5), new_ask()), IntegrationError::not_found));
    EXPECT_TRUE(fails_with(run(integrations->reconnect(other_workspace, id, new_ask())),
                           IntegrationError::not_found));
    expect_old();
    ASSERT_TRUE(cut_off(id, true).has_value());
    EXPECT_TRUE(fails_with(reconnect(id, new_ask()), IntegrationError::not_found));
}

TEST_F(ReconnectTest, second_change_at_once_is_busy) {
    courier.hold("VerifyMailbox");
    std::optional<Result<Connected>> outcome;
    loop.start(integrations->reconnect(workspace, id, new_ask()), outcome);
    run_until_held(courier);
    EXPECT_TRUE(fails_with(reconnect(id, new_ask()), IntegrationError::busy));
    EXPECT_TRUE(fails_with(reseal(id), IntegrationError::busy));
    const auto always = [](const View&) { return true; };
    EXPECT_TRUE(fails_with(run(integrations->rename(k_by, workspace, id, "x", always)),
                           IntegrationError::busy));
    EXPECT_TRUE(unlock(id).has_value()) << "uses go on";
    courier.release("VerifyMailbox");
    EXPECT_TRUE(outcome_of(outcome).has_value());
    EXPECT_TRUE(reseal(id, k_new_secret, k_secret).has_value()) << "free again";
}

TEST_F(ReconnectTest, what_stands_is_told_even_when_it_cannot_be_looked_at_again) {
    keeper.fail_named("GetStatus");
    auto ask = new_ask();
    ask.generate = true;
    ask.keep_working = GrantAsk{k_send, 50, 7200};
    const auto made = reconnect(id, std::move(ask));
    ASSERT_TRUE(made.has_value() && made->view.has_value());
    EXPECT_EQ(made->view->state, State::leased);
    EXPECT_EQ(made->view->integration.epoch, 2);
    EXPECT_EQ(made->view->integration.grants.size(), 1);
    EXPECT_EQ(text_of(made->generated), keeper.last_generated);
}

TEST_F(ReconnectTest, cut_off_that_is_not_finished_yet_is_not_overtaken) {
    keeper.fail_named("CutOff");
    EXPECT_FALSE(cut_off(id).has_value());
    EXPECT_TRUE(fails_with(reconnect(id, new_ask()), IntegrationError::busy));
    EXPECT_EQ(held(id).pending, 0);
    keeper.heal();
    recover();
    EXPECT_EQ(state_of(id), State::cut_off);
    expect_whole(id);
    ASSERT_TRUE(reconnect(id, new_ask()).has_value());
    recover();
    EXPECT_EQ(state_of(id), State::leased);
    expect_whole(id);
}

}  // namespace
}  // namespace postern::integrations::test
