#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/integrations_lab_fake.h"
#include "features/integrations/played_keeper_fake.h"
#include "features/integrations/played_process_fake.h"
#include "foundation/base/id.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Grants: made with the secret, warned of twice, gone when they end.
namespace postern::integrations::test {
namespace {

using keys::KeyError;
using store::StoreError;

constexpr std::int64_t k_day_s = 86'400;

class GrantTest : public IntegrationsLab {
protected:
    void look_after() { EXPECT_TRUE(run(integrations->warn_of_ending_grants()).has_value()); }
    /// The days told of so far, in order.
    std::vector<std::string> warned() {
        std::vector<std::string> out;
        for (const auto& event : told("grant.expiring")) {
            const auto at = event.ids_json.find(R"("days":")") + 8;
            out.push_back(event.ids_json.substr(at, event.ids_json.find('"', at) - at));
        }
        return out;
    }
    Result<> revoke(GrantId which) {
        return run(integrations->revoke_grant(k_by, workspace, id, which));
    }
    using Days = std::vector<std::string>;
    IntegrationId id = connected();
};

TEST_F(GrantTest, is_stored_with_its_limits_and_told) {
    const auto before = told("integration.state").size();
    listener.changed.clear();
    const auto made = grant(id, 3600, k_send | k_read).value();
    EXPECT_EQ(made.seal.verbs, k_send | k_read);
    EXPECT_EQ(made.seal.hourly_ceiling, 100);
    EXPECT_EQ(made.seal.expires_at_ms, clock.now + 3'600'000);
    EXPECT_EQ(made.created_at_ms, clock.now);
    const auto row = stored(id).value();
    ASSERT_EQ(row.grants.size(), 1);
    EXPECT_EQ(row.grants[0].seal.grant, made.seal.grant);
    EXPECT_EQ(row.grants[0].seal.credential, made.seal.credential);
    EXPECT_EQ(told("integration.state").size(), before + 1);
    EXPECT_EQ(listener.changed, std::vector{id});
}

TEST_F(GrantTest, repeated_after_a_lost_answer_is_made_under_the_same_id) {
    const auto chosen = GrantId::make(clock.now);
    GrantAsk ask{k_send, 1, 60};
    ask.id = chosen;
    keeper.fail_named("MakeGrant", Fault::answer_lost);
    EXPECT_FALSE(run(integrations->grant(workspace, id, typed(k_secret), ask)).has_value());
    keeper.heal();
    const auto made = run(integrations->grant(workspace, id, typed(k_secret), ask));
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->seal.grant, chosen);
    EXPECT_EQ(held(id).grants.size(), 1) << "keeper has one key";
    EXPECT_EQ(stored(id)->grants.size(), 1);
}

TEST_F(GrantTest, that_keeper_refuses_is_stored_nowhere) {
    const auto refused = [&](std::string_view secret, GrantAsk ask) {
        return run(integrations->grant(workspace, id, typed(secret), ask));
    };
    EXPECT_TRUE(fails_with(refused(k_new_secret, {k_send, 1, 60}), KeyError::wrong_secret));
    EXPECT_FALSE(refused(k_secret, {0, 1, 60}).has_value()) << "no verbs";
    EXPECT_FALSE(refused(k_secret, {k_send, 1, 0}).has_value()) << "over at once";
    EXPECT_FALSE(refused(k_secret, {k_send, 1, -60}).has_value());
    keeper.fail_named("MakeGrant", Fault::answer_lost);
    EXPECT_FALSE(refused(k_secret, {k_send, 1, 60}).has_value());
    EXPECT_TRUE(stored(id)->grants.empty());
    EXPECT_EQ(state_of(id), State::sealed);
    keeper.heal();
    ASSERT_TRUE(cut_off(id).has_value());
    EXPECT_TRUE(fails_with(refused(k_secret, {k_send, 1, 60}), KeyError::integration_cut_off));
}

TEST_F(GrantTest, that_cannot_be_stored_grants_nothing) {
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_TRUE(fails_with(grant(id), StoreError::row_refused));
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(held(id).grants.empty()) << "its key is not kept for nothing";
}

TEST_F(GrantTest, revoking_takes_the_key_first_and_then_the_row) {
    const auto kept = grant(id).value().seal.grant;
    const auto gone = grant(id).value().seal.grant;
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE DELETE ON grants BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE DELETE ON grants FOR EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_FALSE(revoke(gone).has_value());
    EXPECT_FALSE(held(id).grants.contains(gone));
    change_store(store::EngineText{"DROP TRIGGER refuse", "DROP TRIGGER refuse ON grants"});
    EXPECT_TRUE(revoke(gone).has_value()) << "good to repeat";
    ASSERT_EQ(stored(id)->grants.size(), 1);
    EXPECT_EQ(stored(id)->grants[0].seal.grant, kept);
    EXPECT_EQ(state_of(id), State::granted);
    EXPECT_TRUE(revoke(kept).has_value());
    EXPECT_EQ(state_of(id), State::sealed);
}

TEST_F(GrantTest, revoking_what_is_not_there_is_refused_without_asking_keeper) {
    const auto other = connected();
    const auto of_other = grant(other).value().seal.grant;
    const auto gone = grant(id).value().seal.grant;
    ASSERT_TRUE(revoke(gone).has_value());
    const auto before = keeper.count("RevokeGrant");
    EXPECT_TRUE(fails_with(revoke(gone), IntegrationError::grant_not_found));
    EXPECT_TRUE(fails_with(revoke(of_other), IntegrationError::grant_not_found));
    EXPECT_TRUE(fails_with(revoke({}), IntegrationError::grant_not_found));
    EXPECT_EQ(keeper.count("RevokeGrant"), before);
    EXPECT_EQ(state_of(other), State::granted);
}

TEST_F(GrantTest, that_keeper_does_not_revoke_stays) {
    const auto made = grant(id).value().seal.grant;
    keeper.fail_named("RevokeGrant");
    EXPECT_TRUE(fails_with(revoke(made), KeyError::storage_failed));
    EXPECT_EQ(stored(id)->grants.size(), 1);
}

TEST_F(GrantTest, without_a_key_is_none_wherever_one_looks) {
    const auto kept = connected();
    const auto alive = grant(kept).value().seal.grant;
    const auto dead = grant(id).value().seal.grant;
    held(id).grants.erase(dead);
    ASSERT_EQ(stored(id)->grants.size(), 1) << "the row is what a crash left";
    EXPECT_EQ(state_of(id), State::sealed);
    EXPECT_TRUE(get(id)->integration.grants.empty());
    const auto listed = run(integrations->list(workspace, {}, 10)).value();
    for (const auto& view : listed)
        EXPECT_EQ(view.integration.grants.size(), view.integration.id == kept ? 1U : 0U);
    EXPECT_TRUE(fails_with(run(integrations->check_open(workspace, id, keys::Verb::send)),
                           KeyError::integration_sealed));
    EXPECT_EQ(get(kept)->integration.grants.at(0).seal.grant, alive);
    EXPECT_EQ(state_of(kept), State::granted);
}

TEST_F(GrantTest, seal_all_that_front_did_not_live_to_write_down_is_whole) {
    const auto elsewhere = connected();
    ASSERT_TRUE(grant(id).has_value());
    ASSERT_TRUE(grant(elsewhere).has_value());
    keeper.die_at("SealAll", Fault::answer_lost);
    EXPECT_FALSE(run(integrations->seal_all(k_by, workspace, true)).has_value());
    restart();
    EXPECT_EQ(stored(id)->grants.size(), 1);
    EXPECT_EQ(state_of(id), State::sealed) << "before anything is mended";
    const auto before = told("integration.state").size();
    listener.changed.clear();
    recover();
    recover();
    EXPECT_EQ(told("integration.state").size(), before + 2) << "each is told once";
    EXPECT_EQ(listener.changed.size(), 2U);
    for (const auto each : {id, elsewhere}) {
        EXPECT_TRUE(stored(each)->grants.empty());
        EXPECT_EQ(state_of(each), State::sealed);
        expect_whole(each);
    }
}

TEST_F(GrantTest, seal_all_again_takes_the_rows_away_that_the_first_one_left) {
    for (const auto whose : {std::optional(workspace), std::optional<WorkspaceId>()}) {
        ASSERT_TRUE(grant(id).has_value());
        keeper.fail_named("SealAll", Fault::answer_lost);
        EXPECT_FALSE(run(integrations->seal_all(k_by, whose, true)).has_value());
        keeper.heal();
        ASSERT_EQ(stored(id)->grants.size(), 1);
        const auto again = run(integrations->seal_all(k_by, whose, true));
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(again->grants, 0U);
        EXPECT_TRUE(stored(id)->grants.empty());
    }
}

TEST_F(GrantTest, seal_all_that_cannot_be_written_down_is_done_all_the_same) {
    ASSERT_TRUE(grant(id).has_value());
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE DELETE ON grants BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE DELETE ON grants FOR EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_EQ(run(integrations->seal_all(k_by, workspace, true))->grants, 1U);
    EXPECT_EQ(state_of(id), State::sealed);
    recover();
    change_store(store::EngineText{"DROP TRIGGER refuse", "DROP TRIGGER refuse ON grants"});
    ASSERT_EQ(stored(id)->grants.size(), 1);
    recover();
    EXPECT_TRUE(stored(id)->grants.empty());
}

TEST_F(GrantTest, revocation_that_front_did_not_live_to_write_down_is_whole) {
    const auto kept = grant(id).value().seal.grant;
    const auto gone = grant(id).value().seal.grant;
    keeper.die_at("RevokeGrant", Fault::answer_lost);
    EXPECT_FALSE(revoke(gone).has_value());
    restart();
    ASSERT_EQ(stored(id)->grants.size(), 2);
    ASSERT_EQ(get(id)->integration.grants.size(), 1);
    EXPECT_EQ(get(id)->integration.grants[0].seal.grant, kept);
    recover();
    ASSERT_EQ(stored(id)->grants.size(), 1);
    EXPECT_EQ(stored(id)->grants[0].seal.grant, kept);
    EXPECT_EQ(state_of(id), State::granted);
}

TEST_F(GrantTest, revoking_while_its_row_is_dropped_is_good) {
    const auto gone = grant(id).value().seal.grant;
    keeper.hold_answer("RevokeGrant");
    std::optional<Result<>> outcome;
    loop.start(integrations->revoke_grant(k_by, workspace, id, gone), outcome);
    run_until_held(keeper);
    recover();
    EXPECT_TRUE(stored(id)->grants.empty());
    keeper.release("RevokeGrant");
    EXPECT_TRUE(outcome_of(outcome).has_value());
}

TEST_F(GrantTest, asked_for_again_after_its_key_went_is_made_anew) {
    GrantAsk ask{k_send, 1, 60};
    ask.id = GrantId::make(clock.now);
    const auto make = [&] { return run(integrations->grant(workspace, id, typed(k_secret), ask)); };
    ASSERT_TRUE(make().has_value());
    held(id).grants.clear();
    clock.pass_s(1);
    ASSERT_TRUE(make().has_value());
    recover();
    ASSERT_EQ(stored(id)->grants.size(), 1);
    EXPECT_EQ(stored(id)->grants[0].created_at_ms, clock.now);
    EXPECT_EQ(state_of(id), State::granted);
}

TEST_F(GrantTest, nothing_is_dropped_where_keeper_does_not_answer) {
    ASSERT_TRUE(grant(id).has_value());
    for (const auto fault : {Fault::refused, Fault::answer_lost}) {
        keeper.fail_named("GetStatus", fault);
        recover();
        EXPECT_EQ(stored(id)->grants.size(), 1);
    }
    keeper.heal();
    EXPECT_EQ(state_of(id), State::granted);
}

TEST_F(GrantTest, ending_is_told_once_at_seven_days_and_once_at_one) {
    ASSERT_TRUE(grant(id, 30 * k_day_s).has_value());
    look_after();
    clock.pass_days(22);
    look_after();
    EXPECT_TRUE(warned().empty()) << "8 days left";
    clock.pass_days(1);
    look_after();
    look_after();
    EXPECT_EQ(warned(), Days{"7"});
    clock.pass_days(5);
    look_after();
    EXPECT_EQ(warned(), Days{"7"}) << "2 days left";
    clock.pass_days(1);
    look_after();
    look_after();
    EXPECT_EQ(warned(), (Days{"7", "1"}));
    clock.pass_s(k_day_s - 1);
    look_after();
    EXPECT_EQ(warned(), (Days{"7", "1"}));
    EXPECT_EQ(stored(id)->grants.size(), 1);
}

TEST_F(GrantTest, warnings_are_not_repeated_after_a_restart) {
    ASSERT_TRUE(grant(id, 7 * k_day_s).has_value());
    look_after();
    restart();
    look_after();
    EXPECT_EQ(warned(), Days{"7"});
}

TEST_F(GrantTest, short_one_is_told_of_once) {
    ASSERT_TRUE(grant(id, 3600).has_value());
    look_after();
    clock.pass_s(1800);
    look_after();
    EXPECT_EQ(warned(), Days{"1"});
}

TEST_F(GrantTest, ended_one_is_removed_and_its_key_destroyed) {
    const auto ends = grant(id, 3600).value().seal.grant;
    const auto stays = grant(id, 30 * k_day_s).value().seal.grant;
    clock.pass_s(3600);
    look_after();
    EXPECT_FALSE(held(id).grants.contains(ends));
    ASSERT_EQ(stored(id)->grants.size(), 1);
    EXPECT_EQ(stored(id)->grants[0].seal.grant, stays);
    EXPECT_TRUE(warned().empty()) << "nothing to warn of any more";
}

TEST_F(GrantTest, ended_one_that_keeper_does_not_take_back_holds_up_no_other) {
    ASSERT_TRUE(grant(id, 3600).has_value());
    const auto other = connected();
    ASSERT_TRUE(grant(other, k_day_s).has_value());
    clock.pass_s(3600);
    keeper.fail_named("RevokeGrant");
    look_after();
    EXPECT_EQ(warned(), Days{"1"});
    EXPECT_EQ(stored(id)->grants.size(), 1);
    keeper.heal();
    look_after();
    EXPECT_TRUE(stored(id)->grants.empty());
}

TEST_F(GrantTest, warning_that_cannot_be_stored_is_told_later) {
    ASSERT_TRUE(grant(id, k_day_s).has_value());
    change_store(store::EngineText{
        "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'x'); END",
        "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_TRUE(fails_with(run(integrations->warn_of_ending_grants()), StoreError::row_refused));
    EXPECT_EQ(stored(id)->grants[0].warned_days, 0);
    change_store(store::EngineText{"DROP TRIGGER refuse", "DROP TRIGGER refuse ON events"});
    look_after();
    EXPECT_EQ(warned(), Days{"1"});
}

TEST_F(GrantTest, of_what_was_cut_off_or_resealed_is_told_of_no_more) {
    ASSERT_TRUE(grant(id, k_day_s).has_value());
    ASSERT_TRUE(cut_off(id).has_value());
    const auto other = connected();
    ASSERT_TRUE(grant(other, k_day_s).has_value());
    ASSERT_TRUE(reseal(other).has_value());
    look_after();
    EXPECT_TRUE(warned().empty());
}

}  // namespace
}  // namespace postern::integrations::test
