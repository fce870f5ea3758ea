#include "features/trust/registry.h"

#include "features/trust/claim.h"
#include "foundation/base/manual_clock_test.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using postern::test::ManualClock;

Claim::Look finds(Finding finding) {
    return [finding = std::move(finding)]() -> async::Task<Finding> { co_return finding; };
}
Claim::Look cannot_look() {
    return []() -> async::Task<Finding> { co_return fail(TrustError::out_of_sight, "too dark"); };
}

constexpr std::chrono::milliseconds k_at_once{1};
const Finding k_good{{"12 things seen"}, {}};
const Finding k_bad{{"11 things seen"}, {"one thing is wrong"}};

class RegistryTest : public testing::Test {
protected:
    static Claim claim(Claim::Look check, Claim::Look control) {
        Claim claim;
        claim.id = "P0.example";
        claim.check = std::move(check);
        claim.control = std::move(control);
        return claim;
    }
    Proof prove(Claim::Look check, Claim::Look control) {
        Registry registry({claim(std::move(check), std::move(control))}, clock, k_at_once);
        auto proof = loop.run(registry.prove("P0.example"));
        EXPECT_TRUE(proof);
        return proof ? std::move(*proof) : Proof{};
    }

    ManualClock clock;
    net::test::Loop loop;
};

TEST_F(RegistryTest, a_claim_is_proven_by_a_check_that_finds_what_is_planted) {
    const auto proof = prove(finds(k_good), finds(k_bad));
    EXPECT_EQ(proof.verdict, Verdict::proven);
    EXPECT_EQ(proof.id, "P0.example");
    EXPECT_EQ(proof.at_ms, clock.now_ms());
    EXPECT_EQ(proof.finding.evidence, k_good.evidence);
    EXPECT_TRUE(proof.reason.empty());
}

TEST_F(RegistryTest, a_fault_makes_it_failing) {
    const auto proof = prove(finds(k_bad), finds(k_bad));
    EXPECT_EQ(proof.verdict, Verdict::failing);
    EXPECT_EQ(proof.finding.faults, k_bad.faults);
}

TEST_F(RegistryTest, a_fault_that_is_gone_at_a_second_look_was_work_under_way) {
    int looks = 0;
    const auto passes = [&looks]() -> async::Task<Finding> {
        co_return ++looks == 1 ? k_bad : k_good;
    };
    const auto proof = prove(passes, finds(k_bad));
    EXPECT_EQ(proof.verdict, Verdict::proven);
    EXPECT_EQ(proof.finding.evidence, k_good.evidence);
    EXPECT_EQ(looks, 2);
}

TEST_F(RegistryTest, without_a_control_that_works_nothing_is_known) {
    for (const auto& check : {finds(k_good), finds(k_bad)}) {
        for (const auto& control : {Claim::Look{}, finds(k_good), finds({}), cannot_look()}) {
            const auto proof = prove(check, control);
            EXPECT_EQ(proof.verdict, Verdict::unknown);
            EXPECT_NE(proof.reason.find("control"), std::string::npos);
            EXPECT_TRUE(proof.finding.evidence.empty());
        }
    }
}

TEST_F(RegistryTest, a_check_that_cannot_look_leaves_it_unknown_and_says_why) {
    const auto proof = prove(cannot_look(), finds(k_bad));
    EXPECT_EQ(proof.verdict, Verdict::unknown);
    EXPECT_NE(proof.reason.find("too dark"), std::string::npos);
}

TEST_F(RegistryTest, an_unknown_id_is_refused) {
    Registry registry({claim(finds(k_good), finds(k_bad))}, clock, k_at_once);
    for (const char* id : {"", "P0", "P0.example ", "p0.example"}) {
        const auto proof = loop.run(registry.prove(id));
        ASSERT_FALSE(proof);
        EXPECT_TRUE(proof.error().is(TrustError::unknown_claim));
    }
}

TEST_F(RegistryTest, one_proof_at_a_time) {
    async::Signal go(loop.io.get_executor());
    const auto slow = [&go]() -> async::Task<Finding> {
        auto waited = co_await go.wait(net::test::soon());
        if (!waited) co_return fail(std::move(waited.error()));
        co_return k_good;
    };
    Registry registry({claim(slow, finds(k_bad))}, clock, k_at_once);
    std::optional<Result<Proof>> first;
    loop.start(registry.prove("P0.example"), first);
    loop.settle();
    const auto second = loop.run(registry.prove("P0.example"));
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().is(TrustError::already_proving));
    go.set();
    loop.run_until([&] { return first.has_value(); });
    EXPECT_EQ(first->value().verdict, Verdict::proven);
    go.set();
    EXPECT_EQ(loop.run(registry.prove("P0.example")).value().verdict, Verdict::proven);
}

TEST_F(RegistryTest, two_claims_of_one_id_are_a_bug) {
    const std::vector<Claim> twice{claim(finds(k_good), finds(k_bad)),
                                   claim(finds(k_good), finds(k_bad))};
    EXPECT_DEATH(Registry(twice, clock), "");
}

}  // namespace
}  // namespace postern::trust
