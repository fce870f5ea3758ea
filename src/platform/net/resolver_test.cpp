#include "platform/net/resolver.h"

#include "foundation/base/clock.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <chrono>
#include <latch>
#include <utility>

namespace postern::net {
namespace {

using test::Loop;
using test::soon;

TEST(SystemResolver, local_name_is_found_without_repeats) {
    Loop loop;
    async::BlockingPool pool({.threads = 1, .queue_max = 4});
    SystemResolver resolver(pool);
    const auto found = loop.run(resolver.resolve("localhost", soon()));
    ASSERT_TRUE(found);
    for (const auto& address : *found)
        EXPECT_TRUE(address.is_loopback());
    EXPECT_LE(found->size(), 2U);
}

TEST(SystemResolver, unknown_name_is_an_error) {
    Loop loop;
    async::BlockingPool pool({.threads = 1, .queue_max = 4});
    SystemResolver resolver(pool);
    const auto found = loop.run(resolver.resolve("nobody.invalid", soon()));
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error().is(NetError::name_not_found) ||
                found.error().is(NetError::resolver_failed));
}

TEST(SystemResolver, deadline_holds_while_the_pool_is_busy) {
    Loop loop;
    std::latch release(1);
    async::BlockingPool pool({.threads = 1, .queue_max = 4});
    const auto block = [&pool, &release]() -> async::Job {
        auto running = pool.run([&release] {
            release.wait();
            return Result<>{};
        });
        const auto done = co_await std::move(running);
        EXPECT_TRUE(done);
    };
    loop.tasks.spawn("block", block());
    SystemResolver resolver(pool);
    const auto late =
        loop.run(resolver.resolve("localhost", Deadline::in(std::chrono::milliseconds(20))));
    release.count_down();
    ASSERT_FALSE(late);
    EXPECT_TRUE(late.error().is(NetError::timed_out));
    loop.run_until([&] { return loop.tasks.size() == 0; });
}

}  // namespace
}  // namespace postern::net
