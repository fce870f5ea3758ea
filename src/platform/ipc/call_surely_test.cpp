#include "platform/ipc/call_surely.h"

#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/net/test_loop.h"
#include "platform/os/process.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace postern::ipc {
namespace {

using namespace std::chrono_literals;

enum class TestError { refused };
constexpr ErrorInfo describe(TestError) {
    return {"refused", "Refused."};
}

struct Ask {
    static constexpr std::uint16_t k_method = 1;
    using Answer = Nothing;
    using Failure = TestError;
    auto wire() { return std::tie(); }
};

class CallSurely : public ::testing::Test {
protected:
    CallSurely() {
        router_.on<Ask>([this](Ask) -> async::Task<Nothing> { return answer(); });
    }
    ~CallSurely() override {
        link.close();
        if (peer_) peer_->close();
    }

    void process_begins() {
        auto ends = os::socket_pair();
        POSTERN_CHECK(ends.has_value());
        peer_ = std::make_unique<Peer>(loop.io.get_executor(), std::move(ends->first),
                                       router_.handler());
        loop.tasks.spawn("played", peer_->run());
        link.attach(std::move(ends->second));
    }
    Result<Nothing> ask(Deadline deadline) { return loop.run(call_surely(&link, Ask{}, deadline)); }

    net::test::Loop loop;
    Router nothing_;
    Link link{loop.tasks, nothing_};
    int asked = 0;
    int dies_over = 0;  ///< so many of the next calls
    bool refuses = false;

private:
    async::Task<Nothing> answer() {
        ++asked;
        if (asked <= dies_over) {
            peer_->close();
            process_begins();
        }
        if (refuses) co_return fail(TestError::refused);
        co_return Nothing{};
    }

    Router router_;
    std::unique_ptr<Peer> peer_;
};

TEST_F(CallSurely, asks_again_each_time_that_the_process_dies_over_it) {
    dies_over = 2;
    process_begins();
    EXPECT_TRUE(ask(net::test::soon()).has_value());
    EXPECT_EQ(asked, 3);
}

TEST_F(CallSurely, waits_for_a_process_that_is_not_there_yet) {
    std::optional<Result<Nothing>> outcome;
    loop.start(call_surely(&link, Ask{}, net::test::soon()), outcome);
    loop.settle();
    EXPECT_FALSE(outcome.has_value());
    process_begins();
    loop.run_until([&] { return outcome.has_value(); });
    EXPECT_TRUE(outcome->has_value());
}

TEST_F(CallSurely, process_that_never_comes_is_told_at_the_deadline) {
    const auto done = ask(Deadline::in(1ms));
    ASSERT_FALSE(done.has_value());
    EXPECT_TRUE(done.error().is(IpcError::closed)) << done.error().code();
}

TEST_F(CallSurely, refusal_is_an_answer) {
    refuses = true;
    process_begins();
    const auto done = ask(net::test::soon());
    ASSERT_FALSE(done.has_value());
    EXPECT_TRUE(done.error().is(TestError::refused));
    EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace postern::ipc
