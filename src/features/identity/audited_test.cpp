#include "features/identity/audited.h"

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/policy.h"
#include "features/identity/second_factors.h"
#include "platform/audit/audit_log.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {
namespace {

/// What people do about their access stands in the record of the workspace that they work in.
class AuditedTest : public IdentityLab {
protected:
    AuditedTest() { workspace = owner().workspace; }

    std::vector<audit::Record> records(WorkspaceId of) {
        return run(audit_log->search(of, {}, 100)).value().records;
    }
    /// Newest first.
    std::vector<std::string> actions() {
        std::vector<std::string> out;
        for (const auto& record : records(workspace))
            out.push_back(record.action);
        return out;
    }
    audit::Record newest() { return records(workspace).front(); }
    Actor session() {
        const auto text = text_of(sign_in().value().text);
        return run(identity->authenticate_session(text, std::nullopt)).value();
    }
    template <Permission permission>
    Authorized<permission> may(const Actor& actor) {
        return Authorized<permission>::check(actor).value();
    }
    void expect_whole(std::int64_t count) {
        const auto found = run(audit_log->verify(workspace)).value();
        EXPECT_EQ(found.records, count);
        EXPECT_FALSE(found.broken_at);
    }

    WorkspaceId workspace;
};

TEST_F(AuditedTest, set_up_and_sign_in) {
    const auto actor = session();
    EXPECT_EQ(actions(), (std::vector<std::string>{"session.started", "workspace.set_up"}));
    EXPECT_EQ(newest().from, "192.0.2.7");
    EXPECT_NE(newest().facts.find(R"("by":"person","by_id":")" + actor.person->text()),
              std::string::npos);
    ASSERT_TRUE(run(identity->sign_out(actor)));
    EXPECT_EQ(newest().action, "session.ended");
    expect_whole(3);
}

TEST_F(AuditedTest, refused_sign_in_stands_where_the_person_works_or_with_the_installation) {
    EXPECT_FALSE(sign_in(k_email, "wrong horse battery staple"));
    EXPECT_EQ(newest().action, "session.refused");
    EXPECT_NE(newest().facts.find(R"("by":"nobody","person_id":")"), std::string::npos);
    EXPECT_EQ(newest().from, "192.0.2.7");
    EXPECT_FALSE(sign_in("nobody@brand.example", "wrong horse battery staple"));
    const auto installation = records(k_installation);
    ASSERT_EQ(installation.size(), 2U);
    EXPECT_EQ(installation[0].action, "session.refused");
    EXPECT_EQ(installation[0].facts, R"({"by":"nobody"})");
    EXPECT_EQ(installation[1].action, "setup_link.made");
    EXPECT_EQ(installation[1].facts, R"({"by":"host"})");
    expect_whole(2);
}

TEST_F(AuditedTest, refused_sign_in_that_begins_a_pause_says_so) {
    for (int i = 0; i < 4; ++i)
        EXPECT_FALSE(sign_in(k_email, "wrong horse battery staple"));
    EXPECT_EQ(newest().facts.find("pause_s"), std::string::npos);
    EXPECT_FALSE(sign_in(k_email, "wrong horse battery staple"));
    EXPECT_NE(newest().facts.find(R"("pause_s":"30")"), std::string::npos);
    const auto before = records(workspace).size();
    EXPECT_FALSE(sign_in(k_email, "wrong horse battery staple"));
    EXPECT_EQ(records(workspace).size(), before) << "not looked at";
}

TEST_F(AuditedTest, tokens) {
    const auto actor = session();
    Identity::TokenWish wish;
    wish.role = Role::reader;
    auto made = run(identity->create_token(may<Permission::manage_tokens>(actor), wish)).value();
    EXPECT_EQ(newest().action, "token.created");
    EXPECT_NE(newest().facts.find(R"("token_id":")" + made.row.id.text() + R"(","role":"reader")"),
              std::string::npos);
    ASSERT_TRUE(run(identity->delete_token(workspace, made.row.id)));
    EXPECT_EQ(newest().action, "token.deleted");
    EXPECT_NE(newest().facts.find(R"("by":"host")"), std::string::npos);
    EXPECT_FALSE(run(identity->delete_token(workspace, made.row.id)));
    expect_whole(4);
}

TEST_F(AuditedTest, trial_of_a_token_leaves_nothing) {
    auto made = run(identity->create_token(workspace, Role::reader)).value();
    ASSERT_TRUE(run(identity->delete_token(workspace, made.id, std::nullopt)));
    expect_whole(1);
}

TEST_F(AuditedTest, factors_codes_and_proofs) {
    const auto actor = session();
    const auto mine = may<Permission::manage_own_factors>(actor);
    auto made = run(factors->begin(mine, "Phone")).value();
    auto confirmed = run(factors->confirm(mine, made.id, code_of(made.key))).value();
    EXPECT_EQ(newest().action, "factor.added");
    clock.now += 60'000;
    const auto self = may<Permission::see_self>(actor);
    EXPECT_FALSE(run(factors->show_code(self, "000000")));
    EXPECT_EQ(newest().action, "session.proof_refused");
    ASSERT_TRUE(run(factors->show_code(self, code_of(made.key))));
    EXPECT_EQ(newest().action, "session.proven");
    ASSERT_TRUE(run(factors->show_code(self, text_of(confirmed.recovery_codes.front()))));
    EXPECT_EQ(newest().action, "recovery_code.used");
    ASSERT_TRUE(run(factors->new_recovery_codes(mine)));
    EXPECT_EQ(newest().action, "recovery_codes.made");
    ASSERT_TRUE(run(factors->remove(mine, made.id)));
    EXPECT_EQ(newest().action, "factor.deleted");
    expect_whole(8);
}

TEST_F(AuditedTest, password_sessions_and_the_rules_of_the_workspace) {
    const auto actor = session();
    (void)session();
    const auto mine = may<Permission::see_own_sign_in>(actor);
    ASSERT_TRUE(run(identity->end_other_sessions(mine)));
    EXPECT_EQ(newest().action, "session.others_ended");
    ASSERT_TRUE(run(identity->demand_factors(workspace, 1'900'000'000'000, {})));
    EXPECT_EQ(newest().action, "workspace.second_factor_from");
    Identity::PasswordChange change{secret_of(k_password), secret_of("pelican on a bicycle")};
    ASSERT_TRUE(run(
        identity->change_password(may<Permission::change_own_password>(actor), std::move(change))));
    EXPECT_EQ(newest().action, "password.changed");
    expect_whole(6);
}

TEST_F(AuditedTest, nothing_changes_where_no_record_can_be_written) {
    const auto actor = session();
    ASSERT_TRUE(database->write_now([](store::Transaction& tx) {
        return store::done(tx.execute(store::SqlText("DROP TABLE audit_records")));
    }));
    EXPECT_FALSE(sign_in());
    Identity::TokenWish wish;
    EXPECT_FALSE(run(identity->create_token(may<Permission::manage_tokens>(actor), wish)));
    EXPECT_EQ(run(identity->tokens(workspace))->size(), 1U);
    EXPECT_TRUE(run(identity->me(actor))) << "what is only looked at goes on";
}

}  // namespace
}  // namespace postern::identity::test
