#include "platform/ipc/rpc.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/os/process.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::ipc {
namespace {

using async::Task;
using namespace std::chrono_literals;

enum class TestError { refused };
constexpr ErrorInfo describe(TestError) {
    return {"refused", "Refused."};
}

struct Echo {
    static constexpr std::uint16_t k_method = 1;
    struct Answer {
        std::string text;
        std::vector<std::uint64_t> numbers;
        Secret secret;
        auto wire() { return std::tie(text, numbers, secret); }
    };
    using Failure = TestError;
    std::string text;
    std::optional<std::int32_t> number;
    Secret secret;
    auto wire() { return std::tie(text, number, secret); }
};

struct Fill {
    static constexpr std::uint16_t k_method = 2;
    struct Answer {
        os::Fd file;
        auto wire() { return std::tie(file); }
    };
    using Failure = TestError;
    os::Fd file;
    auto wire() { return std::tie(file); }
};

struct Never {
    static constexpr std::uint16_t k_method = 3;
    using Answer = Nothing;
    using Failure = TestError;
    auto wire() { return std::tie(); }
};

Task<Echo::Answer> echo(Echo asked) {
    if (asked.text == "refuse") co_return fail(Error(TestError::refused).with_retry_after(7));
    Echo::Answer answer;
    answer.text = asked.text;
    if (asked.number) answer.numbers.assign(3, static_cast<std::uint64_t>(*asked.number));
    answer.secret = std::move(asked.secret);
    co_return answer;
}

Task<Fill::Answer> fill(Fill asked) {
    auto mapped = os::Mapping::of_sealed(asked.file.get(), 1 << 20);
    if (!mapped) co_return fail(TestError::refused);
    auto file = os::make_memory_file(mapped->bytes());
    if (!file) co_return fail(TestError::refused);
    co_return Fill::Answer{std::move(*file)};
}

Task<Nothing> never(Never) {
    auto waited = co_await async::wait_until(Deadline::in(1h));
    if (!waited) co_return fail(waited.error());
    co_return Nothing{};
}

class RpcTest : public ::testing::Test {
protected:
    RpcTest() {
        router.on<Echo>(echo);
        router.on<Fill>(fill);
        router.on<Never>(never);
        auto ends = os::socket_pair();
        server =
            std::make_unique<Peer>(io.get_executor(), std::move(ends->first), router.handler());
        client =
            std::make_unique<Peer>(io.get_executor(), std::move(ends->second), empty.handler());
        group.spawn("server", server->run());
        group.spawn("client", client->run());
    }

    /// Runs one scenario to its end, then stops both peers.
    void play(async::Job scenario) {
        const auto outer = [](async::Job inner, RpcTest* test) -> async::Job {
            co_await std::move(inner);
            test->finished = true;
            test->client->close();
            test->server->close();
        };
        group.spawn("scenario", outer(std::move(scenario), this));
        io.run();
        EXPECT_TRUE(finished);
    }

    boost::asio::io_context io;
    async::TaskGroup group{io.get_executor()};
    Router router;
    Router empty;
    std::unique_ptr<Peer> server;
    std::unique_ptr<Peer> client;
    bool finished = false;
};

async::Job echo_scenario(Peer* peer) {
    Echo asked{"hello", 7, Secret::copy_of(as_bytes("s3cret"))};
    auto answer = co_await call(peer, std::move(asked), Deadline::in(10s));
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(answer->text, "hello");
    EXPECT_EQ(answer->numbers, std::vector<std::uint64_t>(3, 7));
    answer->secret.with_bytes([](ByteView bytes) { EXPECT_EQ(as_text(bytes), "s3cret"); });
}
TEST_F(RpcTest, call_returns_the_answer) {
    play(echo_scenario(client.get()));
}

async::Job refused_scenario(Peer* peer) {
    Echo asked{"refuse", std::nullopt, {}};
    auto answer = co_await call(peer, std::move(asked), Deadline::in(10s));
    EXPECT_FALSE(answer.has_value());
    EXPECT_TRUE(answer.error().is(TestError::refused));
    EXPECT_EQ(answer.error().retry_after_s(), 7);
}
TEST_F(RpcTest, failure_keeps_its_meaning) {
    play(refused_scenario(client.get()));
}

async::Job large_scenario(Peer* peer) {
    Echo asked{std::string(3 << 20, 'x'), std::nullopt, {}};
    auto answer = co_await call(peer, std::move(asked), Deadline::in(10s));
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(answer->text.size(), 3U << 20);
    Echo huge{std::string(5 << 20, 'x'), std::nullopt, {}};
    auto refused = co_await call(peer, std::move(huge), Deadline::in(10s));
    EXPECT_TRUE(refused.error().is(IpcError::too_large));
}
TEST_F(RpcTest, frame_larger_than_the_socket_buffer_arrives_and_over_the_limit_is_refused) {
    play(large_scenario(client.get()));
}

async::Job file_scenario(Peer* peer) {
    auto file = os::make_memory_file(as_bytes("content"));
    Fill asked{std::move(*file)};
    auto answer = co_await call(peer, std::move(asked), Deadline::in(10s));
    EXPECT_TRUE(answer.has_value());
    const auto mapped = os::Mapping::of_sealed(answer->file.get(), 100);
    EXPECT_EQ(as_text(mapped->bytes()), "content");
}
TEST_F(RpcTest, descriptor_travels_both_ways) {
    play(file_scenario(client.get()));
}

async::Job many_scenario(Peer* peer) {
    for (int i = 0; i < 5000; ++i) {
        Echo asked{std::to_string(i), i, {}};
        auto answer = co_await call(peer, std::move(asked), Deadline::in(10s));
        if (!answer || answer->text != std::to_string(i)) {
            ADD_FAILURE() << i;
            co_return;
        }
    }
}
TEST_F(RpcTest, answers_match_their_calls) {
    play(many_scenario(client.get()));
}

async::Job deadline_scenario(Peer* peer) {
    auto answer = co_await call(peer, Never{}, Deadline::in(5ms));
    EXPECT_TRUE(answer.error().is(async::AsyncError::deadline_passed));
}
TEST_F(RpcTest, deadline_ends_a_call) {
    play(deadline_scenario(client.get()));
}

struct Finish {
    static constexpr std::uint16_t k_method = 4;
    using Answer = Nothing;
    using Failure = TestError;
    auto wire() { return std::tie(); }
};
/// Finishes what it began, whatever happens meanwhile.
Task<Nothing> finish(bool* begun, bool* ended) {
    *begun = true;
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    (void)co_await async::wait_until(Deadline::in(20ms));
    *ended = true;
    co_return Nothing{};
}
async::Job call_finish(Peer* peer) {
    (void)co_await call(peer, Finish{}, Deadline::in(10s));
}
async::Job look_at_the_end(async::TaskGroup* group, const bool* ended, bool* was_ended) {
    co_await group->join();
    *was_ended = *ended;
}
TEST_F(RpcTest, peer_ends_after_the_calls_that_it_serves) {
    bool begun = false;
    bool ended = false;
    bool was_ended = false;
    router.on<Finish>([&](Finish) { return finish(&begun, &ended); });
    group.spawn("caller", call_finish(client.get()));
    while (!begun)
        io.run_one();
    group.cancel();
    async::TaskGroup watch(io.get_executor());
    watch.spawn("end", look_at_the_end(&group, &ended, &was_ended));
    io.run();
    EXPECT_TRUE(was_ended);
}

async::Job closed_scenario(Peer* peer, async::TaskGroup* group, Peer* server) {
    const auto close_soon = [](Peer* other) -> async::Job {
        other->close();
        co_return;
    };
    group->spawn("close", close_soon(server));
    auto answer = co_await call(peer, Never{}, Deadline::in(10s));
    EXPECT_TRUE(answer.error().is(IpcError::closed));
}
TEST_F(RpcTest, call_ends_when_the_other_end_goes_away) {
    play(closed_scenario(client.get(), &group, server.get()));
}

async::Job unknown_scenario(Peer* peer) {
    Request request{99, {}, {}};
    auto reply = co_await peer->call(std::move(request), Deadline::in(10s));
    EXPECT_EQ(reply->status, 2);
    Request short_body{Echo::k_method, WipedBytes(3, 0xff), {}};
    auto malformed = co_await peer->call(std::move(short_body), Deadline::in(10s));
    EXPECT_EQ(malformed->status, 2);
}
TEST_F(RpcTest, unknown_method_and_malformed_body_are_refused) {
    play(unknown_scenario(client.get()));
}

async::Job pool_scenario(async::BlockingPool* pool) {
    for (int i = 0; i < 100; ++i) {
        const auto work = [text = std::string(100, 'a'), i]() -> Result<std::string> {
            return text + std::to_string(i);
        };
        auto result = co_await pool->run(work);
        EXPECT_EQ(*result, std::string(100, 'a') + std::to_string(i));
    }
}
TEST_F(RpcTest, blocking_pool_returns_results) {
    async::BlockingPool pool({.threads = 2, .queue_max = 10});
    play(pool_scenario(&pool));
}

Task<> slow() {
    auto waited = co_await async::wait_until(Deadline::in(1h));
    if (!waited) co_return fail(waited.error());
    co_return Result<>{};
}
async::Job with_deadline_scenario() {
    auto gone = co_await async::with_deadline(Deadline::in(5ms), slow());
    EXPECT_TRUE(gone.error().is(async::AsyncError::deadline_passed));
    Echo asked{"x", {}, {}};
    auto kept = co_await async::with_deadline(Deadline::in(10s), echo(std::move(asked)));
    EXPECT_EQ(kept->text, "x");
}
TEST_F(RpcTest, with_deadline_cancels_only_what_is_late) {
    play(with_deadline_scenario());
}

TEST(Decoder, refuses_a_count_larger_than_the_message) {
    const Bytes bytes{0xff, 0xff, 0xff, 0x7f, 1, 2, 3};
    std::vector<std::uint64_t> numbers;
    EXPECT_FALSE(Decoder(bytes, {}).get(numbers));
    std::string text;
    EXPECT_FALSE(Decoder(bytes, {}).get(text));
    Secret secret;
    EXPECT_FALSE(Decoder(bytes, {}).get(secret));
}

TEST(Decoder, knows_two_booleans) {
    for (const std::uint8_t byte : {0, 1, 2, 255}) {
        bool flag = byte > 1;
        EXPECT_EQ(Decoder(Bytes{byte}, {}).get(flag), byte <= 1) << int(byte);
        EXPECT_EQ(flag, byte != 0);
    }
}

TEST(Decoder, finished_only_when_everything_was_read) {
    const Bytes bytes{1, 0, 2};
    Decoder decoder(bytes, {});
    std::uint16_t number = 0;
    EXPECT_TRUE(decoder.get(number));
    EXPECT_EQ(number, 1);
    EXPECT_FALSE(decoder.finished());
}

TEST(RouterDeathTest, two_methods_never_share_a_number) {
    struct AlsoOne : Echo {};
    Router router;
    router.on<Echo>(echo);
    EXPECT_DEATH(router.on<AlsoOne>(echo), "check failed: is_new");
}

}  // namespace
}  // namespace postern::ipc
