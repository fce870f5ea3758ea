#include "features/vault/turns.h"

#include "features/vault/places.h"
#include "features/vault/revocations.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/deadline.h"  // IWYU pragma: keep (it brings the io_context)
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using namespace std::chrono_literals;

const IntegrationKey k_one{test_id<WorkspaceId>(1), test_id<IntegrationId>(1)};
const IntegrationKey k_two{test_id<WorkspaceId>(1), test_id<IntegrationId>(2)};

struct Bench {
    boost::asio::io_context io;
    async::TaskGroup group{io.get_executor()};
    Turns turns;
    std::vector<std::string> names;
    std::vector<std::string> events;
    std::vector<std::shared_ptr<async::Signal>> gates;

    /// Takes a turn, then waits to be let go.
    void spawn(const IntegrationKey& key, std::string name, Deadline deadline) {
        names.push_back(std::move(name));
        gates.push_back(std::make_shared<async::Signal>(io.get_executor()));
        group.spawn("turn", hold(this, key, names.size() - 1, deadline));
    }
    static async::Job hold(Bench* bench, IntegrationKey key, std::size_t at, Deadline deadline) {
        const auto turn = co_await bench->turns.take(key, deadline);
        const auto outcome = turn ? std::string("in") : std::string(turn.error().code());
        bench->events.push_back(bench->names[at] + " " + outcome);
        if (!turn) co_return;
        const auto gate = bench->gates[at];
        (void)co_await gate->wait(Deadline::in(10s));
        bench->events.push_back(bench->names[at] + " out");
    }
    void poll() {
        io.restart();
        while (io.poll_one() != 0) {
        }
    }
};

TEST(Turns, one_at_a_time_in_order_and_others_beside) {
    Bench bench;
    bench.spawn(k_one, "a", Deadline::in(10s));
    bench.spawn(k_one, "b", Deadline::in(10s));
    bench.spawn(k_one, "c", Deadline::in(10s));
    bench.spawn(k_two, "other", Deadline::in(10s));
    bench.poll();
    EXPECT_EQ(bench.events, (std::vector<std::string>{"a in", "other in"}));
    for (auto& gate : bench.gates)
        gate->set();
    bench.io.restart();
    bench.io.run();
    EXPECT_EQ(bench.events, (std::vector<std::string>{"a in", "other in", "a out", "other out",
                                                      "b in", "b out", "c in", "c out"}));
}

TEST(Turns, one_that_gives_up_is_passed_over) {
    Bench bench;
    bench.spawn(k_one, "a", Deadline::in(10s));
    bench.spawn(k_one, "late", Deadline::in(0ms));
    bench.spawn(k_one, "c", Deadline::in(10s));
    bench.poll();
    for (auto& gate : bench.gates)
        gate->set();
    bench.io.restart();
    bench.io.run();
    EXPECT_EQ(bench.events.back(), "c out");
    EXPECT_NE(std::ranges::find(bench.events, "late deadline_passed"), bench.events.end());
}

TEST(Turns, number_that_waits_is_bounded) {
    Bench bench;
    for (std::size_t i = 0; i < Turns::k_waiting_max + 2; ++i)
        bench.spawn(k_one, std::to_string(i), Deadline::in(10s));
    bench.poll();
    EXPECT_EQ(bench.events, (std::vector<std::string>{"0 in", "9 busy"}));
    for (auto& gate : bench.gates)
        gate->set();
    bench.io.restart();
    bench.io.run();
    EXPECT_EQ(bench.events.size(), 2U + 1U + 2U * Turns::k_waiting_max);
}

TEST(Revocations, are_seen_by_those_who_watched_before) {
    Revocations revocations;
    revocations.lock(k_one);  // nobody watches
    const Revocations::Watch early(revocations, k_one);
    const Revocations::Watch other(revocations, k_two);
    EXPECT_FALSE(early.locked());
    revocations.lock(k_one);
    EXPECT_TRUE(early.locked());
    EXPECT_FALSE(early.cut_off());
    EXPECT_FALSE(other.locked());
    const Revocations::Watch later(revocations, k_one);
    EXPECT_FALSE(later.locked());
    revocations.cut_off(k_one);
    EXPECT_TRUE(early.cut_off());
    EXPECT_TRUE(later.locked());
    EXPECT_TRUE(later.cut_off());
    EXPECT_FALSE(other.cut_off());
    EXPECT_FALSE(later.all_sealed());
}

TEST(Revocations, sealing_all_and_revoking_a_grant_are_told_from_a_lock) {
    Revocations revocations;
    const auto grant = test_id<GrantId>(1);
    const Revocations::Watch early(revocations, k_one);
    const Revocations::Watch other(revocations, k_two);
    revocations.revoke(k_one, grant);
    EXPECT_TRUE(early.revoked(grant));
    EXPECT_FALSE(early.revoked(test_id<GrantId>(2)));
    EXPECT_FALSE(early.locked());
    EXPECT_FALSE(other.revoked(grant));
    const Revocations::Watch later(revocations, k_one);
    EXPECT_FALSE(later.revoked(grant));
    revocations.seal_all(test_id<WorkspaceId>(9));
    EXPECT_FALSE(later.all_sealed());
    revocations.seal_all(k_one.workspace);
    EXPECT_TRUE(later.all_sealed());
    EXPECT_TRUE(later.locked());
    EXPECT_FALSE(later.cut_off());
    EXPECT_TRUE(other.all_sealed());
    const Revocations::Watch last(revocations, k_two);
    revocations.seal_all(std::nullopt);
    EXPECT_TRUE(last.all_sealed());
}

}  // namespace
}  // namespace postern::vault
