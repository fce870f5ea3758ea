#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_store_test.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What is shown of an integration, and who may use it when.
namespace postern::integrations::test {
namespace {

using keys::KeyError;
using keys::Verb;

class AccessTest : public IntegrationsLab {
protected:
    Result<> check_open(Verb verb) { return run(integrations->check_open(workspace, id, verb)); }
    Result<Ticket> ticket(Verb verb) { return run(integrations->ticket(workspace, id, verb)); }
    Result<std::vector<mail::Check>> verify() {
        return run(integrations->verify(k_by, workspace, id));
    }
    void set_broken(std::optional<std::string> code) {
        EXPECT_TRUE(run(integrations->set_broken(workspace, id, std::move(code))).has_value());
    }
    Result<> rename(std::string name, bool is_current = true) {
        const auto judge = [is_current](const View&) { return is_current; };
        return run(integrations->rename(k_by, workspace, id, std::move(name), judge));
    }
    IntegrationId id = connected();
};

TEST_F(AccessTest, state_is_the_first_that_holds) {
    EXPECT_EQ(state_of(id), State::sealed);
    ASSERT_TRUE(grant(id).has_value());
    EXPECT_EQ(state_of(id), State::granted);
    ASSERT_TRUE(unlock(id).has_value());
    EXPECT_EQ(state_of(id), State::leased);
    set_broken("certificate_expired");
    EXPECT_EQ(state_of(id), State::broken);
    set_broken("sign_in_refused");
    EXPECT_EQ(state_of(id), State::access_removed);
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_EQ(state_of(id), State::cut_off);
}

TEST_F(AccessTest, states_have_the_names_of_the_api) {
    EXPECT_EQ(name_of(State::cut_off), "cut_off");
    EXPECT_EQ(name_of(State::access_removed), "access_removed");
    EXPECT_EQ(name_of(State::broken), "broken");
    EXPECT_EQ(name_of(State::leased), "leased");
    EXPECT_EQ(name_of(State::granted), "granted");
    EXPECT_EQ(name_of(State::sealed), "sealed");
}

TEST_F(AccessTest, what_keeper_says_counts_before_rows_of_an_older_copy) {
    ASSERT_TRUE(grant(id).has_value());
    held(id).epoch = 2;
    EXPECT_EQ(state_of(id), State::sealed) << "grants of a former epoch open nothing";
    held(id).cut_off = true;
    EXPECT_EQ(state_of(id), State::cut_off);
    EXPECT_TRUE(fails_with(check_open(Verb::send), KeyError::integration_cut_off));
}

TEST_F(AccessTest, expired_grant_grants_nothing) {
    ASSERT_TRUE(grant(id, 3600).has_value());
    clock.pass_s(3599);
    EXPECT_EQ(state_of(id), State::granted);
    clock.pass_s(1);
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(fails_with(check_open(Verb::send), KeyError::integration_sealed));
    EXPECT_TRUE(fails_with(ticket(Verb::send), KeyError::integration_sealed));
}

TEST_F(AccessTest, get_fails_when_keeper_or_its_settings_cannot_be_asked) {
    keeper.fail_named("GetStatus");
    EXPECT_TRUE(fails_with(get(id), KeyError::storage_failed));
    keeper.fail_named("OpenRecords");
    EXPECT_TRUE(fails_with(get(id), KeyError::storage_failed));
    keeper.heal();
    change_store(store::EngineText{"UPDATE integrations SET settings = x'0102'",
                                   "UPDATE integrations SET settings = '\\x0102'"});
    EXPECT_TRUE(fails_with(get(id), KeyError::cannot_open));
    EXPECT_TRUE(fails_with(run(integrations->list(workspace, {}, 10)), KeyError::cannot_open));
    EXPECT_TRUE(fails_with(run(integrations->describe(workspace, id)), KeyError::cannot_open));
    keeper.link.close();
    EXPECT_TRUE(fails_with(get(id), ipc::IpcError::closed));
}

TEST_F(AccessTest, settings_do_not_open_for_another_integration) {
    const auto other = connected();
    change_store(
        "UPDATE integrations SET settings = (SELECT settings FROM integrations ORDER BY "
        "integration_id LIMIT 1)");
    const auto first = std::min(id, other);
    EXPECT_TRUE(get(first).has_value());
    EXPECT_TRUE(fails_with(get(std::max(id, other)), KeyError::cannot_open));
}

TEST_F(AccessTest, id_of_another_workspace_is_not_found_anywhere) {
    const auto other = other_workspace;
    constexpr auto k_gone = IntegrationError::not_found;
    const auto always = [](const View&) { return true; };
    EXPECT_TRUE(fails_with(run(integrations->get(other, id)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->describe(other, id)), k_gone));
    EXPECT_TRUE(run(integrations->list(other, {}, 10)).value().empty());
    EXPECT_TRUE(fails_with(run(integrations->rename(k_by, other, id, "x", always)), k_gone));
    EXPECT_TRUE(
        fails_with(run(integrations->unlock(k_by, other, id, typed(k_secret), 60)), k_gone));
    GrantAsk ask{k_send, 1, 3600};
    EXPECT_TRUE(fails_with(run(integrations->grant(other, id, typed(k_secret), ask)), k_gone));
    EXPECT_TRUE(
        fails_with(run(integrations->revoke_grant(k_by, other, id, GrantId::make(1))), k_gone));
    EXPECT_TRUE(fails_with(
        run(integrations->reseal(k_by, other, id, typed(k_secret), typed(k_new_secret), false)),
        k_gone));
    EXPECT_TRUE(fails_with(run(integrations->cut_off(k_by, other, id, false)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->cut_off(k_by, other, id, true)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->check_open(other, id, Verb::send)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->ticket(other, id, Verb::send)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->verify(k_by, other, id)), k_gone));
    EXPECT_TRUE(fails_with(run(integrations->set_broken(other, id, "x")), k_gone));
    expect_whole(id);
}

TEST_F(AccessTest, lock_of_another_workspace_locks_nothing) {
    ASSERT_TRUE(unlock(id).has_value());
    listener.changed.clear();
    EXPECT_TRUE(fails_with(run(integrations->lock(k_by, other_workspace, id)),
                           IntegrationError::not_found));
    EXPECT_EQ(keeper.count("Lock"), 0);
    EXPECT_TRUE(listener.changed.empty()) << "nobody looks at it anew";
    EXPECT_EQ(state_of(id), State::leased);
}

TEST_F(AccessTest, deleted_one_is_not_found_and_still_described) {
    ASSERT_TRUE(unlock(id).has_value());
    ASSERT_TRUE(cut_off(id, true).has_value());
    constexpr auto k_gone = IntegrationError::not_found;
    EXPECT_TRUE(fails_with(get(id), k_gone));
    EXPECT_TRUE(fails_with(unlock(id), k_gone));
    EXPECT_TRUE(fails_with(grant(id), k_gone));
    EXPECT_TRUE(fails_with(reseal(id), k_gone));
    EXPECT_TRUE(fails_with(cut_off(id), k_gone));
    EXPECT_TRUE(fails_with(cut_off(id, true), k_gone));
    EXPECT_TRUE(fails_with(rename("x"), k_gone));
    EXPECT_TRUE(fails_with(check_open(Verb::send), k_gone));
    EXPECT_TRUE(fails_with(ticket(Verb::verify), k_gone));
    EXPECT_TRUE(fails_with(verify(), k_gone));
    EXPECT_TRUE(run(integrations->list(workspace, {}, 10)).value().empty());
    const auto described = run(integrations->describe(workspace, id)).value();
    EXPECT_EQ(described.settings.name, "Brand mail");
    EXPECT_EQ(described.integration.stored_state, StoredState::deleted);
}

TEST_F(AccessTest, list_has_each_with_its_state_from_a_cursor) {
    clock.pass_s(1);
    const auto second = connected(true);
    clock.pass_s(1);
    const auto third = connected();
    ASSERT_TRUE(cut_off(third).has_value());
    const auto all = run(integrations->list(workspace, {}, 10)).value();
    ASSERT_EQ(all.size(), 3);
    EXPECT_EQ(all[0].state, State::sealed);
    EXPECT_EQ(all[1].state, State::leased);
    EXPECT_EQ(all[2].state, State::cut_off);
    const auto rest = run(integrations->list(workspace, id, 1)).value();
    ASSERT_EQ(rest.size(), 1);
    EXPECT_EQ(rest[0].integration.id, second);
    EXPECT_TRUE(run(integrations->list(workspace, third, 10)).value().empty());
}

TEST_F(AccessTest, unlock_opens_a_lease_and_tells) {
    const auto before = told("integration.state").size();
    listener.changed.clear();
    const auto lease = unlock(id).value();
    EXPECT_TRUE(lease.open);
    EXPECT_EQ(lease.until_ms, clock.now + 3'600'000);
    EXPECT_EQ(get(id)->lease.until_ms, lease.until_ms);
    EXPECT_EQ(listener.changed, std::vector{id});
    const auto after = told("integration.state");
    ASSERT_EQ(after.size(), before + 1);
    EXPECT_EQ(after.back().ids_json,
              R"({"integration_id":")" + id.text() + R"(","state":"leased"})");
}

TEST_F(AccessTest, unlock_is_refused_with_keepers_reason_and_tells_nobody) {
    const auto before = told("integration.state").size();
    listener.changed.clear();
    EXPECT_TRUE(fails_with(unlock(id, k_new_secret), KeyError::wrong_secret));
    EXPECT_TRUE(fails_with(unlock(id, ""), KeyError::wrong_secret));
    EXPECT_TRUE(fails_with(
        run(integrations->unlock(k_by, workspace, IntegrationId::make(1), typed(k_secret), 60)),
        IntegrationError::not_found));
    EXPECT_EQ(told("integration.state").size(), before);
    EXPECT_TRUE(listener.changed.empty());
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_TRUE(fails_with(unlock(id), KeyError::integration_cut_off));
}

TEST_F(AccessTest, cut_off_counts_from_when_it_was_asked_for) {
    keeper.fail_named("CutOff");
    EXPECT_TRUE(fails_with(cut_off(id), KeyError::storage_failed));
    ASSERT_TRUE(held(id).live) << "keeper did nothing yet";
    EXPECT_EQ(state_of(id), State::cut_off);
    EXPECT_TRUE(fails_with(unlock(id), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(grant(id), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(reseal(id), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(ticket(Verb::send), KeyError::integration_cut_off));
    EXPECT_TRUE(fails_with(check_open(Verb::send), KeyError::integration_cut_off));
}

TEST_F(AccessTest, lock_ends_the_lease_and_works_without_the_store) {
    ASSERT_TRUE(unlock(id).has_value());
    ASSERT_TRUE(run(integrations->lock(k_by, workspace, id)).has_value());
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(run(integrations->lock(k_by, workspace, id)).has_value()) << "good again";
    ASSERT_TRUE(unlock(id).has_value());
    database->close();
    EXPECT_TRUE(run(integrations->lock(k_by, workspace, id)).has_value());
    EXPECT_FALSE(held(id).lease.open);
    keeper.fail_named("Lock");
    EXPECT_TRUE(fails_with(run(integrations->lock(k_by, workspace, id)), KeyError::storage_failed));
}

TEST_F(AccessTest, check_open_wants_a_lease_or_a_grant_with_the_verb) {
    for (const auto verb : {Verb::send, Verb::read_replies, Verb::call, Verb::verify})
        EXPECT_TRUE(fails_with(check_open(verb), KeyError::integration_sealed));
    ASSERT_TRUE(grant(id, 3600, k_send).has_value());
    EXPECT_TRUE(check_open(Verb::send).has_value());
    EXPECT_TRUE(fails_with(check_open(Verb::read_replies), KeyError::integration_sealed));
    EXPECT_TRUE(fails_with(check_open(Verb::call), KeyError::integration_sealed));
    EXPECT_TRUE(fails_with(check_open(Verb::verify), KeyError::integration_sealed));
    ASSERT_TRUE(grant(id, 3600, k_read).has_value());
    EXPECT_TRUE(check_open(Verb::read_replies).has_value());
    ASSERT_TRUE(unlock(id).has_value());
    for (const auto verb : {Verb::send, Verb::read_replies, Verb::call, Verb::verify})
        EXPECT_TRUE(check_open(verb).has_value());
}

TEST_F(AccessTest, check_open_moves_the_idle_limit_only_when_it_is_open) {
    EXPECT_FALSE(check_open(Verb::send).has_value());
    EXPECT_EQ(keeper.touched, 0);
    ASSERT_TRUE(unlock(id).has_value());
    EXPECT_TRUE(check_open(Verb::send).has_value());
    EXPECT_EQ(keeper.touched, 1);
    EXPECT_TRUE(run(integrations->touch(workspace, id)).has_value());
    EXPECT_EQ(keeper.touched, 2);
    keeper.fail_named("TouchLease");
    EXPECT_TRUE(fails_with(check_open(Verb::send), KeyError::storage_failed));
}

TEST_F(AccessTest, broken_one_is_neither_open_nor_ticketed_but_to_verify) {
    ASSERT_TRUE(unlock(id).has_value());
    set_broken("sign_in_refused");
    EXPECT_TRUE(fails_with(check_open(Verb::send), IntegrationError::access_removed));
    EXPECT_EQ(check_open(Verb::send).error().detail(), "sign_in_refused");
    for (const auto verb : {Verb::send, Verb::read_replies, Verb::call})
        EXPECT_TRUE(fails_with(ticket(verb), IntegrationError::access_removed));
    EXPECT_TRUE(ticket(Verb::verify).has_value());
    set_broken(std::nullopt);
    EXPECT_TRUE(check_open(Verb::send).has_value());
    EXPECT_TRUE(ticket(Verb::send).has_value());
}

TEST_F(AccessTest, what_may_pass_by_itself_keeps_its_tickets_and_is_mended) {
    ASSERT_TRUE(grant(id).has_value());
    set_broken("certificate_expired");
    EXPECT_EQ(state_of(id), State::broken);
    EXPECT_TRUE(check_open(Verb::send).has_value()) << "by the grant";
    EXPECT_TRUE(ticket(Verb::send).has_value());
    ASSERT_TRUE(unlock(id).has_value());
    EXPECT_TRUE(check_open(Verb::read_replies).has_value()) << "by the lease";
    listener.changed.clear();
    ASSERT_TRUE(run(integrations->mend(workspace, id)).has_value());
    EXPECT_EQ(state_of(id), State::leased);
    EXPECT_EQ(listener.changed, std::vector{id});
    ASSERT_TRUE(run(integrations->mend(workspace, id)).has_value());
    EXPECT_EQ(listener.changed, std::vector{id}) << "nothing to mend";
}

TEST_F(AccessTest, refused_sign_in_is_not_mended_by_what_works) {
    ASSERT_TRUE(unlock(id).has_value());
    set_broken("sign_in_refused");
    ASSERT_TRUE(run(integrations->mend(workspace, id)).has_value());
    EXPECT_EQ(state_of(id), State::access_removed);
}

TEST_F(AccessTest, ticket_is_by_the_lease_else_by_a_grant_with_the_verb) {
    EXPECT_TRUE(fails_with(ticket(Verb::send), KeyError::integration_sealed));
    ASSERT_TRUE(grant(id).has_value());
    EXPECT_TRUE(ticket(Verb::send)->by_grant);
    EXPECT_TRUE(fails_with(ticket(Verb::read_replies), KeyError::integration_sealed));
    ASSERT_TRUE(unlock(id).has_value());
    const auto by_lease = ticket(Verb::read_replies).value();
    EXPECT_FALSE(by_lease.by_grant);
    EXPECT_EQ(by_lease.ticket, to_bytes("ticket"));
    EXPECT_EQ(by_lease.until_ms, clock.now + 30'000);
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_TRUE(fails_with(ticket(Verb::verify), KeyError::integration_cut_off));
}

TEST_F(AccessTest, set_broken_is_told_once_and_mending_it_wakes) {
    const auto count = [&] { return told("integration.state").size(); };
    const auto before = count();
    listener.changed.clear();
    set_broken("tls_failed");
    set_broken("tls_failed");
    EXPECT_EQ(count(), before + 1);
    EXPECT_TRUE(listener.changed.empty());
    set_broken("sign_in_refused");
    EXPECT_EQ(count(), before + 2);
    EXPECT_EQ(stored(id)->broken_code, "sign_in_refused");
    set_broken(std::nullopt);
    EXPECT_EQ(count(), before + 3);
    EXPECT_EQ(listener.changed, std::vector{id});
    EXPECT_TRUE(fails_with(run(integrations->set_broken(workspace, IntegrationId::make(1), "x")),
                           IntegrationError::not_found));
}

TEST_F(AccessTest, verify_mends_only_when_every_check_is_good) {
    ASSERT_TRUE(unlock(id).has_value());
    set_broken("sign_in_refused");
    const auto good = courier.checks;
    courier.refuse_sign_in();
    EXPECT_EQ(verify()->size(), 2);
    EXPECT_EQ(state_of(id), State::access_removed);
    courier.checks.clear();
    EXPECT_TRUE(verify()->empty());
    EXPECT_EQ(state_of(id), State::access_removed) << "no check is no good one";
    courier.fail_named("VerifyMailbox");
    EXPECT_TRUE(fails_with(verify(), ipc::IpcError::failed));
    EXPECT_EQ(state_of(id), State::access_removed);
    courier.heal();
    courier.checks = good;
    EXPECT_EQ(verify()->size(), 2);
    EXPECT_EQ(state_of(id), State::leased);
}

TEST_F(AccessTest, verify_wants_it_open) {
    EXPECT_TRUE(fails_with(verify(), KeyError::integration_sealed));
    ASSERT_TRUE(grant(id).has_value());
    EXPECT_TRUE(fails_with(verify(), KeyError::integration_sealed)) << "not of its verbs";
    EXPECT_EQ(courier.count("VerifyMailbox"), 1) << "of connecting";
}

TEST_F(AccessTest, rename_keeps_everything_else) {
    const auto before = get(id).value();
    ASSERT_TRUE(rename("Ärger & Söhne").has_value());
    const auto after = get(id).value();
    EXPECT_EQ(after.settings.name, "Ärger & Söhne");
    EXPECT_EQ(after.settings.region, before.settings.region);
    EXPECT_EQ(mail::encode_destination(after.settings.destination),
              mail::encode_destination(before.settings.destination));
    EXPECT_EQ(after.integration.epoch, before.integration.epoch);
    expect_whole(id);
    EXPECT_EQ(store::raw_hits(folder.file("store.db"), "grger & S"), 0);
}

TEST_F(AccessTest, rename_judges_the_present_view_and_changes_nothing_that_is_not_current) {
    std::string seen;
    const auto judge = [&](const View& view) {
        seen = view.settings.name;
        return view.state == State::sealed;
    };
    EXPECT_TRUE(run(integrations->rename(k_by, workspace, id, "second", judge)).has_value());
    EXPECT_EQ(seen, "Brand mail");
    ASSERT_TRUE(unlock(id).has_value());
    EXPECT_TRUE(fails_with(run(integrations->rename(k_by, workspace, id, "third", judge)),
                           IntegrationError::changed_meanwhile));
    EXPECT_EQ(seen, "second");
    EXPECT_EQ(get(id)->settings.name, "second");
    EXPECT_TRUE(fails_with(rename("x", false), IntegrationError::changed_meanwhile));
}

TEST_F(AccessTest, rename_fails_whole) {
    for (const std::string call : {"OpenRecords", "GetStatus", "SealRecords"}) {
        keeper.fail_named(call);
        EXPECT_TRUE(fails_with(rename("x"), KeyError::storage_failed)) << call;
    }
    keeper.heal();
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE UPDATE ON integrations BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE UPDATE ON integrations FOR EACH ROW EXECUTE FUNCTION "
        "refuse()"});
    EXPECT_FALSE(rename("x").has_value());
    EXPECT_EQ(get(id)->settings.name, "Brand mail");
}

TEST_F(AccessTest, two_renames_at_once_do_not_overwrite_each_other) {
    keeper.hold("SealRecords");
    std::optional<Result<>> first;
    const auto always = [](const View&) { return true; };
    loop.start(integrations->rename(k_by, workspace, id, "first", always), first);
    run_until_held(keeper);
    EXPECT_TRUE(fails_with(rename("second"), IntegrationError::busy));
    EXPECT_TRUE(fails_with(reconnect(id, ask_for()), IntegrationError::busy));
    keeper.release("SealRecords");
    EXPECT_TRUE(outcome_of(first).has_value());
    EXPECT_EQ(get(id)->settings.name, "first");
    EXPECT_TRUE(rename("second").has_value());
}

}  // namespace
}  // namespace postern::integrations::test
