#include "features/integrations/integrations_lab_fake.h"
#include "foundation/base/id.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/record.h"
#include "platform/keys/key_error.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::integrations::test {
namespace {

using store::StoreError;

class IntegrationsAuditTest : public IntegrationsLab {
protected:
    std::vector<audit::Record> records(WorkspaceId of) {
        return run(audit.search(of, {}, 100)).value().records;
    }
    /// Oldest first.
    std::vector<std::string> actions() {
        std::vector<std::string> out;
        for (const auto& record : records(workspace))
            out.insert(out.begin(), record.action);
        return out;
    }
    audit::Record newest() { return records(workspace).front(); }
    void refuse_records() {
        change_store(store::EngineText{
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_records BEGIN SELECT RAISE(ABORT, 'x'); "
            "END",
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_records FOR EACH ROW EXECUTE FUNCTION "
            "refuse()"});
    }
    void take_records() {
        change_store(
            store::EngineText{"DROP TRIGGER refuse", "DROP TRIGGER refuse ON audit_records"});
    }
    bool is_open(IntegrationId id) { return held(id).lease.open; }
};

TEST_F(IntegrationsAuditTest, every_act_stands_there_with_who_did_it) {
    auto ask = ask_for();
    ask.by = k_by;
    const auto id = connect(std::move(ask)).value().view->integration.id;
    ASSERT_TRUE(unlock(id));
    EXPECT_FALSE(unlock(id, "a wrong one"));
    GrantAsk wanted{k_send, 100, 3600};
    wanted.by = k_by;
    const auto made = run(integrations->grant(workspace, id, typed(k_secret), wanted)).value();
    ASSERT_TRUE(run(integrations->revoke_grant(k_by, workspace, id, made.seal.grant)));
    ASSERT_TRUE(run(integrations->verify(k_by, workspace, id)));
    const auto always = [](const View&) { return true; };
    ASSERT_TRUE(run(integrations->rename(k_by, workspace, id, "Other", always)));
    ASSERT_TRUE(reseal(id));
    ASSERT_TRUE(run(integrations->lock(k_by, workspace, id)));
    ASSERT_TRUE(run(integrations->seal_all(k_by, workspace, true)));
    ASSERT_TRUE(cut_off(id));
    auto again = ask_for();
    again.by = k_by;
    ASSERT_TRUE(reconnect(id, std::move(again)));
    ASSERT_TRUE(cut_off(id, true));
    const std::vector<std::string> expected{"integration.connected", "integration.unlocked",
                                            "secret.refused",        "grant.made",
                                            "grant.revoked",         "integration.verified",
                                            "integration.renamed",   "integration.resealed",
                                            "integration.locked",    "integrations.sealed",
                                            "integration.cut_off",   "integration.reconnected",
                                            "integration.deleted"};
    EXPECT_EQ(actions(), expected);
    for (const auto& record : records(workspace)) {
        EXPECT_NE(record.facts.find(R"("by":"person","by_id":"per_olga")"), std::string::npos)
            << record.action << record.facts;
        if (record.action == "integrations.sealed") continue;
        EXPECT_NE(record.facts.find(id.text()), std::string::npos) << record.action;
    }
    EXPECT_TRUE(records(other_workspace).empty());
    EXPECT_TRUE(records(k_installation).empty());
}

TEST_F(IntegrationsAuditTest, host_seals_everything_in_the_record_of_all_it_concerns) {
    connected(true);
    ASSERT_TRUE(run(integrations->seal_all(audit::by_host(), std::nullopt, false)));
    EXPECT_EQ(newest().action, "integrations.sealed");
    EXPECT_EQ(newest().facts, R"({"by":"host","integrations":"1","grants":"kept"})");
    ASSERT_EQ(records(k_installation).size(), 1U);
    EXPECT_EQ(records(k_installation)[0].action, "installation.sealed");
}

TEST_F(IntegrationsAuditTest, without_a_record_nothing_changes) {
    const auto id = connected();
    const auto before = actions();
    refuse_records();
    EXPECT_TRUE(fails_with(unlock(id), StoreError::row_refused));
    EXPECT_FALSE(is_open(id));
    EXPECT_TRUE(fails_with(grant(id), StoreError::row_refused));
    EXPECT_TRUE(held(id).grants.empty());
    EXPECT_TRUE(fails_with(reseal(id), StoreError::row_refused));
    const auto always = [](const View&) { return true; };
    EXPECT_TRUE(fails_with(run(integrations->rename(k_by, workspace, id, "x", always)),
                           StoreError::row_refused));
    EXPECT_TRUE(fails_with(reconnect(id, ask_for()), StoreError::row_refused));
    EXPECT_TRUE(fails_with(connect(ask_for("other@brand.example")), StoreError::row_refused));
    EXPECT_EQ(audit.owed(), 0U);
    take_records();
    EXPECT_EQ(actions(), before);
    expect_whole(id);
}

TEST_F(IntegrationsAuditTest, what_ends_access_goes_on_without_a_record_which_is_owed) {
    const auto id = connected(true);
    const auto granted = grant(id).value().seal.grant;
    const auto before = actions().size();
    refuse_records();
    ASSERT_TRUE(run(integrations->lock(k_by, workspace, id)));
    EXPECT_FALSE(is_open(id));
    ASSERT_TRUE(run(integrations->revoke_grant(k_by, workspace, id, granted)));
    EXPECT_TRUE(held(id).grants.empty());
    ASSERT_TRUE(run(integrations->seal_all(k_by, workspace, true)));
    ASSERT_TRUE(cut_off(id));
    EXPECT_TRUE(held(id).cut_off);
    expect_whole(id);
    EXPECT_EQ(audit.owed(), 4U);
    EXPECT_EQ(actions().size(), before);
    const auto done_at = clock.now;
    clock.now += 60'000;
    take_records();
    ASSERT_TRUE(cut_off(connected()));
    EXPECT_EQ(audit.owed(), 0U);
    const auto all = actions();
    const std::vector<std::string> late(all.begin() + static_cast<std::ptrdiff_t>(before) + 1,
                                        all.begin() + static_cast<std::ptrdiff_t>(before) + 5);
    EXPECT_EQ(late, (std::vector<std::string>{"integration.locked", "grant.revoked",
                                              "integrations.sealed", "integration.cut_off"}));
    for (const auto& record : records(workspace)) {
        if (record.facts.find(R"("recorded":"late")") == std::string::npos) continue;
        EXPECT_EQ(record.at_ms, done_at) << "when it was done";
    }
    EXPECT_FALSE(run(audit.verify(workspace)).value().broken_at);
}

TEST_F(IntegrationsAuditTest, cut_off_that_a_crash_interrupted_names_who_asked_for_it) {
    const auto id = connected();
    keeper.die_at("CutOff", Fault::refused);
    EXPECT_FALSE(cut_off(id));
    EXPECT_NE(actions().back(), "integration.cut_off");
    restart();
    recover();
    EXPECT_EQ(newest().action, "integration.cut_off");
    EXPECT_NE(newest().facts.find(R"("by_id":"per_olga")"), std::string::npos);
    EXPECT_NE(newest().facts.find(R"("receipt_id":"rcp_)"), std::string::npos);
}

TEST_F(IntegrationsAuditTest, grant_that_ends_by_itself_is_the_servers_act) {
    const auto id = connected();
    ASSERT_TRUE(grant(id, 60));
    clock.now += 61'000;
    ASSERT_TRUE(run(integrations->warn_of_ending_grants()));
    EXPECT_EQ(newest().action, "grant.ended");
    EXPECT_NE(newest().facts.find(R"("by":"server")"), std::string::npos);
}

}  // namespace
}  // namespace postern::integrations::test
