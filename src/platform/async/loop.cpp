#include "platform/async/loop.h"

#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace postern::async {

namespace asio = boost::asio;

struct Loop::State {
    asio::io_context io{1};
};

Loop::Loop() : state_(std::make_unique<State>()) {}
Loop::~Loop() = default;

asio::any_io_executor Loop::executor() const {
    return state_->io.get_executor();
}
void Loop::run() {
    state_->io.run();
}
void Loop::stop() {
    state_->io.stop();
}

struct Readable::State {
    State(const asio::any_io_executor& executor, int fd) : descriptor(executor, fd) {}
    // The descriptor is the caller's to close.
    ~State() { descriptor.release(); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    asio::posix::stream_descriptor descriptor;
};

Readable::Readable(const asio::any_io_executor& executor, int descriptor)
    : state_(std::make_unique<State>(executor, descriptor)) {}
Readable::~Readable() = default;

Task<> Readable::wait() {
    const auto [error] = co_await state_->descriptor.async_wait(
        asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error) co_return fail(AsyncError::cancelled);
    co_return Result<>{};
}

}  // namespace postern::async
