#pragma once

#include "foundation/base/check.h"
#include "platform/async/task_group.h"
#include "platform/net/resolver.h"
#include "platform/net/transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::net::test {

/// Long enough for any machine; a test that runs into it hangs on a bug.
inline Deadline soon() {
    return Deadline::in(std::chrono::seconds(20));
}

/// One event loop for a test's client and server sides.
class Loop {
public:
    boost::asio::io_context io{1};
    async::TaskGroup tasks{io.get_executor()};

    /// Runs everything until `task` has an outcome.
    template <typename T>
    Result<T> run(async::Task<T> task) {
        std::optional<Result<T>> outcome;
        tasks.spawn("test", keep(std::move(task), &outcome));
        run_until([&] { return outcome.has_value(); });
        POSTERN_CHECK(outcome.has_value());
        return std::move(*outcome);
    }
    /// Begins `task`; its outcome comes while something else runs.
    template <typename T>
    void start(async::Task<T> task, std::optional<Result<T>>& outcome) {
        tasks.spawn("test", keep(std::move(task), &outcome));
    }
    /// Runs until `condition` holds.
    template <typename F>
    void run_until(F condition) {
        while (!condition()) {
            io.restart();
            POSTERN_CHECK(io.run_one() > 0);
        }
    }
    /// Runs until nothing is ready any more.
    void settle() {
        io.restart();
        io.poll();
    }

private:
    template <typename T>
    static async::Job keep(async::Task<T> task, std::optional<Result<T>>* outcome) {
        outcome->emplace(co_await std::move(task));
    }
};

/// Answers from a table, and counts.
class TableResolver final : public Resolver {
public:
    std::map<std::string, std::vector<std::string>> table;
    int asked = 0;

    async::Task<std::vector<IpAddress>> resolve(std::string host, Deadline) override {
        ++asked;
        std::vector<IpAddress> addresses;
        for (const auto& text : table[host])
            addresses.push_back(*IpAddress::parse(text));
        if (addresses.empty()) co_return fail(NetError::name_not_found);
        co_return addresses;
    }
};

/// A server on loopback that plays one script per connection.
class Peer {
public:
    using Script = std::function<async::Job(std::shared_ptr<Transport>)>;
    using Tcp = boost::asio::ip::tcp;

    Peer(Loop& loop, Script script, const std::string& address = "127.0.0.1")
        : state_(std::make_shared<State>(loop, std::move(script), address)) {
        loop.tasks.spawn("peer", accept(state_, &loop.tasks));
    }
    ~Peer() { state_->acceptor.close(); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return state_->acceptor.local_endpoint().port(); }
    [[nodiscard]] int connections() const noexcept { return state_->connections; }

private:
    struct State {
        State(Loop& loop, Script play, const std::string& address)
            : acceptor(loop.io, Tcp::endpoint(to_asio(*IpAddress::parse(address)), 0)),
              script(std::move(play)) {}
        Tcp::acceptor acceptor;
        Script script;
        int connections = 0;
    };

    // By value: a coroutine may begin after the peer is gone.
    static async::Job accept(std::shared_ptr<State> state, async::TaskGroup* tasks) {
        while (state->acceptor.is_open()) {
            auto [error, socket] = co_await state->acceptor.async_accept(
                boost::asio::as_tuple(boost::asio::use_awaitable));
            if (error) co_return;
            ++state->connections;
            auto playing = state->script(std::make_shared<Transport>(std::move(socket)));
            tasks->spawn("script", std::move(playing));
        }
    }

    std::shared_ptr<State> state_;
};

}  // namespace postern::net::test
