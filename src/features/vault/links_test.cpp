#include "features/vault/links.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/seals.h"
#include "platform/os/process.h"

#include <gtest/gtest.h>
#include <chrono>
#include <memory>
#include <utility>

namespace postern::vault {
namespace {

using namespace std::chrono_literals;

/// Keeper's end of the connection to a courier that does what the test wants.
class PeerLinksTest : public ::testing::Test {
protected:
    PeerLinksTest() {
        auto pair = os::socket_pair();
        ours = std::make_shared<ipc::Peer>(io.get_executor(), std::move(pair->first), nothing());
        theirs = std::make_shared<ipc::Peer>(io.get_executor(), std::move(pair->second),
                                             courier.handler());
        links.set_courier(ours);
        tasks.spawn("ours", run(ours));
        tasks.spawn("theirs", run(theirs));
    }

    static ipc::Peer::Handler nothing() {
        return [](ipc::Request) -> boost::asio::awaitable<ipc::Reply> {
            co_return ipc::Reply{.status = 2, .body = {}, .files = {}};
        };
    }
    static async::Job run(std::shared_ptr<ipc::Peer> peer) { co_await peer->run(); }

    /// How a courier answers that hangs: never.
    void hang() {
        courier.on<keys::EndUses>([](keys::EndUses) -> async::Task<keys::EndUses::Answer> {
            (void)co_await async::wait_until(Deadline::in(1h));
            co_return keys::EndUses::Answer{};
        });
    }
    Result<keys::EndUses::Answer> ask(std::chrono::milliseconds within) {
        auto asking = [this, within]() -> async::Job {
            keys::EndUses all{.integration = {}, .all = true, .grant = {}};
            answer = co_await links.end_uses(all, Deadline::in(within));
            io.stop();
        };
        tasks.spawn("asking", asking());
        io.run_for(120s);
        return std::move(answer);
    }

    boost::asio::io_context io;
    async::TaskGroup tasks{io.get_executor()};
    int ended = 0;
    bool can_be_ended = true;
    ipc::Router courier;
    std::shared_ptr<ipc::Peer> ours;
    std::shared_ptr<ipc::Peer> theirs;
    PeerLinks links{io.get_executor(),
                    {[this]() -> async::Task<> {
                         ++ended;
                         if (!can_be_ended) co_return fail(ipc::IpcError::failed);
                         theirs->close();
                         co_return Result<>{};
                     },
                     {},
                     {}}};
    Result<keys::EndUses::Answer> answer = fail(ipc::IpcError::failed);
};

TEST_F(PeerLinksTest, answer_of_courier_is_passed_on) {
    courier.on<keys::EndUses>([](keys::EndUses asked) -> async::Task<keys::EndUses::Answer> {
        co_return keys::EndUses::Answer{asked.all ? 4U : 0U};
    });
    const auto got = ask(10s);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->connections, 4U);
    EXPECT_EQ(ended, 0);
}

TEST_F(PeerLinksTest, courier_that_is_gone_is_told_as_gone) {
    theirs->close();
    const auto got = ask(10s);
    EXPECT_TRUE(!got && got.error().is(ipc::IpcError::closed));
    EXPECT_EQ(ended, 0);
}

TEST_F(PeerLinksTest, courier_that_hangs_is_ended_and_told_as_gone) {
    hang();
    const auto got = ask(20ms);
    EXPECT_TRUE(!got && got.error().is(ipc::IpcError::closed));
    EXPECT_EQ(ended, 1);
}

TEST_F(PeerLinksTest, courier_that_cannot_be_ended_is_not_told_as_gone) {
    hang();
    can_be_ended = false;
    const auto got = ask(20ms);
    EXPECT_TRUE(!got && !got.error().is(ipc::IpcError::closed));
    EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace postern::vault
