#include "features/trust/claim.h"
#include "features/trust/claims.h"  // IWYU pragma: keep
#include "features/trust/claims_case_test.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <string>
#include <string_view>

namespace postern::trust {
namespace {

class SignInClaimsTest : public test::ClaimsCase {
protected:
    /// That the claim fails, and says what is wrong in these words.
    void expect_fault(std::string_view claim, std::string_view words) {
        const auto proof = prove(claim);
        EXPECT_EQ(proof.verdict, Verdict::failing) << claim << ": " << proof.reason;
        EXPECT_TRUE(std::ranges::any_of(proof.finding.faults, [words](const std::string& fault) {
            return fault.find(words) != std::string::npos;
        })) << words;
    }
};

TEST_F(SignInClaimsTest, second_factor_fails_for_any_route_that_asks_for_none) {
    for (const char* route : {"GET /v1/threads", "POST /v1/me/factors", "GET /v1/sessions",
                              "GET /v1/workspace", "PATCH /v1/workspace"}) {
        gate.faults = {};
        gate.faults.opens_to_half = route;
        expect_fault("P7.second-factor", std::string(route) + " opens to a session whose second");
    }
    for (const char* route : {"GET /v1/threads", "GET /v1/workspace", "POST /v1/tokens"}) {
        gate.faults = {};
        gate.faults.opens_to_enrolling = route;
        expect_fault("P7.second-factor", std::string(route) + " opens to a session without");
    }
    expect_failing("P7.second-factor");
}

TEST_F(SignInClaimsTest, second_factor_says_what_stays_open) {
    const auto proof = prove("P7.second-factor");
    EXPECT_EQ(proof.verdict, Verdict::proven);
    EXPECT_EQ(proof.finding.evidence.at(0),
              "an owner's session whose second factor was not shown: 12 routes are shut; open: "
              "GET /v1/me, POST /v1/sessions/current/proof");
}

TEST_F(SignInClaimsTest, are_unknown_where_nobody_is_let_in_at_all) {
    gate.faults.is_shut = true;
    EXPECT_EQ(prove("P7.second-factor").verdict, Verdict::unknown);
    EXPECT_EQ(prove("P7.least-access").verdict, Verdict::unknown);
}

TEST_F(SignInClaimsTest, sessions_end_fails_for_any_that_goes_on) {
    for (const char* way : {"signed out", "password changed", "expired", "idle"}) {
        gate.faults = {};
        gate.faults.goes_on = way;
        expect_fault("P7.sessions-end", std::string(way) + ": still let in");
        gate.faults = {};
        gate.faults.stream_goes_on = way;
        expect_fault("P7.sessions-end", std::string(way) + ": what it had open goes on");
    }
    expect_failing("P7.sessions-end");
}

TEST_F(SignInClaimsTest, sessions_end_is_unknown_for_one_that_was_never_good) {
    for (const char* way : {"signed out", "idle"}) {
        gate.faults = {};
        gate.faults.never_good = way;
        EXPECT_EQ(prove("P7.sessions-end").verdict, Verdict::unknown) << way;
        gate.faults = {};
        gate.faults.always_over = way;
        EXPECT_EQ(prove("P7.sessions-end").verdict, Verdict::unknown) << way;
    }
}

TEST_F(SignInClaimsTest, least_access_fails_for_a_role_that_opens_more_than_it_is_for) {
    struct Fault {
        const char* role;
        const char* route;
        const char* words;
    };
    const Fault all[] = {
        {"auditor", "GET /v1/threads", "mail is shown: GET /v1/threads to a session"},
        {"operator", "GET /v1/threads", "mail is shown: GET /v1/threads to a token"},
        {"reader", "GET /v1/threads/{id}",
         "what mails say is shown: GET /v1/threads/{id} to a session"},
        {"manager", "GET /v1/unattended-threads",
         "people, tokens or the workspace's rules are reached"},
        {"reader", "POST /v1/threads", "anything is changed: POST /v1/threads"},
        {"auditor", "POST /v1/integrations/{id}/cut-off", "anything is changed"},
        {"privacy", "POST /v1/integrations/{id}/unlock", "an integration is opened"},
        {"manager", "POST /v1/tokens", "people, tokens or the workspace's rules are reached"},
        {"manager", "PATCH /v1/workspace", "people, tokens or the workspace's rules are reached"},
    };
    for (const auto& fault : all) {
        for (const bool is_in_the_table : {false, true}) {
            gate.faults = {};
            gate.faults.opens_to_role = fault.role;
            gate.faults.route = fault.route;
            gate.faults.is_in_the_table = is_in_the_table;
            expect_fault("P7.least-access", fault.words);
        }
    }
}

TEST_F(SignInClaimsTest, least_access_fails_for_a_gate_that_does_not_keep_to_the_table) {
    gate.faults = {};
    gate.faults.opens_to_role = "reader";
    gate.faults.route = "GET /v1/audit";
    expect_fault("P7.least-access",
                 "opens beyond the table of roles: GET /v1/audit to a session of role reader");
    expect_failing("P7.least-access");
}

}  // namespace
}  // namespace postern::trust
