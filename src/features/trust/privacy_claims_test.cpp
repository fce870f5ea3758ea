#include "features/trust/claim.h"
#include "features/trust/claims.h"  // IWYU pragma: keep
#include "features/trust/claims_case_test.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace postern::trust {
namespace {

constexpr const char* k_claim = "P7.private-threads";

class PrivacyClaimsTest : public test::ClaimsCase {};

TEST_F(PrivacyClaimsTest, says_where_it_looked) {
    const auto proof = prove(k_claim);
    EXPECT_EQ(proof.verdict, Verdict::proven) << proof.reason;
    EXPECT_EQ(proof.finding.evidence, (std::vector<std::string>{
                                          "a mail of it: not there for a colleague",
                                          "a mail of it: not there for the host's token",
                                          "the list of threads: not there for a colleague",
                                          "the list of threads: not there for the host's token",
                                      }));
}

TEST_F(PrivacyClaimsTest, fails_for_any_look_that_finds_it) {
    for (const char* where : {"a mail of it", "the list of threads"}) {
        privacy.faults = {};
        privacy.faults.seen_by_colleague = where;
        auto proof = prove(k_claim);
        EXPECT_EQ(proof.verdict, Verdict::failing);
        EXPECT_EQ(proof.finding.faults,
                  std::vector<std::string>{std::string(where) + ": seen by a colleague"});
        privacy.faults = {};
        privacy.faults.seen_by_token = where;
        proof = prove(k_claim);
        EXPECT_EQ(proof.verdict, Verdict::failing);
        EXPECT_EQ(proof.finding.faults,
                  std::vector<std::string>{std::string(where) + ": seen by a token of nobody's"});
    }
    expect_failing(k_claim);
}

TEST_F(PrivacyClaimsTest, is_unknown_where_a_look_finds_nothing_whatever_is_there) {
    for (const char* where : {"a mail of it", "the list of threads"}) {
        privacy.faults = {};
        privacy.faults.missed = where;
        EXPECT_EQ(prove(k_claim).verdict, Verdict::unknown);
        privacy.faults = {};
        privacy.faults.always_hidden = where;
        EXPECT_EQ(prove(k_claim).verdict, Verdict::unknown);
    }
}

}  // namespace
}  // namespace postern::trust
