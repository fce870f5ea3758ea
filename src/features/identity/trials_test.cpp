#include "features/identity/trials.h"

#include "features/identity/actor.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/result.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <set>
#include <string_view>

namespace postern::identity::test {
namespace {

class TrialsTest : public IdentityLab {
protected:
    TrialsTest() { (void)owner(); }

    std::int64_t rows_there() {
        return database
            ->read_now([](store::Transaction& tx) -> Result<std::int64_t> {
                POSTERN_TRY(
                    const auto row,
                    tx.query_one("SELECT (SELECT COUNT(*) FROM workspaces) + (SELECT COUNT(*) FROM "
                                 "people) + (SELECT COUNT(*) FROM memberships) + (SELECT COUNT(*) "
                                 "FROM sessions) + (SELECT COUNT(*) FROM api_tokens) + (SELECT "
                                 "COUNT(*) FROM factors) + (SELECT COUNT(*) FROM audit_records)"));
                return row->integer(0);
            })
            .value();
    }

    Trials trials{*database, clock};
};

TEST_F(TrialsTest, session_has_the_role_and_the_standing_that_were_asked_for) {
    for (const auto role : k_roles) {
        for (const auto standing :
             {Standing::whole, Standing::needs_factor, Standing::needs_enrolment}) {
            const auto actor = run(trials.session(role, standing));
            ASSERT_TRUE(actor.has_value());
            EXPECT_EQ(actor->role, role);
            EXPECT_EQ(actor->standing, standing);
            EXPECT_EQ(actor->is_fresh, standing != Standing::needs_factor);
            EXPECT_TRUE(actor->person && !actor->token);
        }
    }
}

TEST_F(TrialsTest, token_has_the_role_and_every_scope) {
    for (const auto role : k_roles) {
        const auto actor = run(trials.token(role));
        ASSERT_TRUE(actor.has_value());
        EXPECT_EQ(actor->role, role);
        EXPECT_EQ(actor->scopes, Scopes::all());
        EXPECT_TRUE(actor->token && !actor->person);
    }
}

TEST_F(TrialsTest, every_way_to_end_a_session_ends_it_and_its_stream) {
    const auto ends = run(trials.ends(true));
    ASSERT_TRUE(ends.has_value());
    EXPECT_GE(ends->size(), 16U);
    std::set<std::string_view> ways;
    for (const auto& each : *ends) {
        EXPECT_TRUE(each.was_good) << each.how;
        EXPECT_FALSE(each.is_good) << each.how;
        EXPECT_FALSE(each.stream_goes_on) << each.how;
        ways.insert(each.how);
    }
    EXPECT_EQ(ways.size(), ends->size());
}

TEST_F(TrialsTest, what_is_not_ended_goes_on) {
    const auto ends = run(trials.ends(false));
    ASSERT_TRUE(ends.has_value());
    for (const auto& each : *ends)
        EXPECT_TRUE(each.was_good && each.is_good && each.stream_goes_on) << each.how;
}

TEST_F(TrialsTest, nothing_is_left_of_them) {
    const auto before = rows_there();
    ASSERT_TRUE(run(trials.session(Role::owner, Standing::whole)).has_value());
    ASSERT_TRUE(run(trials.token(Role::reader)).has_value());
    ASSERT_TRUE(run(trials.ends(true)).has_value());
    EXPECT_EQ(rows_there(), before);
}

TEST_F(TrialsTest, keeper_is_not_asked) {
    keeper.link.close();
    EXPECT_TRUE(run(trials.session(Role::owner, Standing::whole)).has_value());
    EXPECT_TRUE(run(trials.ends(true)).has_value());
}

TEST_F(TrialsTest, sessions_that_go_on_are_told) {
    const store::SqlText nothing_is_deleted = store::EngineText{
        "CREATE TRIGGER blind BEFORE DELETE ON sessions BEGIN SELECT RAISE(IGNORE); END",
        "CREATE RULE blind AS ON DELETE TO postern_store.sessions DO INSTEAD NOTHING"};
    ASSERT_TRUE(database->write_now([nothing_is_deleted](store::Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto done, tx.execute(nothing_is_deleted, {}));
        return {};
    }));
    std::set<std::string_view> going_on;
    const auto ends = run(trials.ends(true));
    ASSERT_TRUE(ends.has_value());
    for (const auto& each : *ends) {
        if (each.is_good && each.stream_goes_on) going_on.insert(each.how);
    }
    EXPECT_TRUE(going_on.contains("its person signed out"));
    EXPECT_TRUE(going_on.contains("its person ended all others"));
    EXPECT_TRUE(going_on.contains("the password was changed in another session"));
    EXPECT_TRUE(going_on.contains("its person unlinked the account that it came of"));
}

}  // namespace
}  // namespace postern::identity::test
