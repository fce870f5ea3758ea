#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/net/http/test_client.h"
#include "platform/net/net_error.h"

#include <gtest/gtest.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net::http {
namespace {

using test::Client;
using test::count;
using test::soon;
using test::TestServer;

constexpr std::string_view k_get = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

/// Serves one event stream that the test pushes into.
class StreamServer {
public:
    explicit StreamServer(ServerOptions options = {})
        : server(std::move(options), handlers()), wake(server.loop.io.get_executor()) {}

    void push(std::string event) {
        events.push_back(std::move(event));
        wake.set();
    }

    std::vector<std::string> events;
    bool finish = false;
    bool broken = false;
    bool running = false;
    int ended = 0;
    std::optional<Error> error;
    TestServer server;
    async::Signal wake;

private:
    struct Running {
        explicit Running(StreamServer& of) : owner(of) { owner.running = true; }
        ~Running() {
            owner.running = false;
            ++owner.ended;
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        StreamServer& owner;
    };

    Handlers handlers() {
        Handlers made;
        made.handle = [this](Request) -> boost::asio::awaitable<Response> {
            Response response;
            response.content_type = "text/event-stream";
            response.stream = [this](BodyWriter& writer) { return stream(writer); };
            co_return response;
        };
        return made;
    }

    async::Task<> stream(BodyWriter& writer) {
        const Running now(*this);
        while (!finish) {
            for (const auto& event : std::exchange(events, {})) {
                const auto written = co_await writer.write(event);
                if (!written) {
                    error = written.error();
                    co_return fail(written.error());
                }
            }
            if (broken) throw std::runtime_error("broken");
            if (finish) break;
            const auto waited = co_await wake.wait(soon());
            if (!waited) co_return fail(waited.error());
        }
        co_return Result<>{};
    }
};

TEST(ServerStream, each_write_arrives_at_once) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send(k_get);
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_EQ(count(head, "Transfer-Encoding: chunked\r\n"), 1U);
    EXPECT_EQ(count(head, "Content-Length"), 0U);
    stream.push("data: one\n\n");
    EXPECT_EQ(client.read_until("one\n\n\r\n"), "b\r\ndata: one\n\n\r\n");
    stream.push("");
    stream.push("data: two\n\n");
    EXPECT_EQ(client.read_until("two\n\n\r\n"), "b\r\ndata: two\n\n\r\n");
}

TEST(ServerStream, connection_goes_on_after_a_whole_stream) {
    StreamServer stream;
    auto client = stream.server.client();
    // The second request is pipelined behind the first and waits for its end.
    client.send(std::string(k_get) + std::string(k_get));
    client.read_until("\r\n\r\n");
    stream.server.loop.settle();
    stream.finish = true;
    stream.push("last");
    const auto rest = client.read_until("0\r\n\r\n", 2);
    EXPECT_EQ(count(rest, "HTTP/1.1 200 OK"), 1U);
    EXPECT_EQ(count(rest, "0\r\n\r\n"), 2U);
    EXPECT_EQ(stream.ended, 2);
}

TEST(ServerStream, client_that_goes_away_ends_a_waiting_stream) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send(k_get);
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(stream.running);
    client.close();
    stream.server.loop.run_until([&] { return stream.ended == 1; });
    stream.server.loop.run_until(
        [&] { return stream.server.server->stats().connections_open == 0; });
}

TEST(ServerStream, http_1_0_client_gets_it_without_chunks) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send("GET /events HTTP/1.0\r\n\r\n");
    EXPECT_EQ(count(client.read_until("\r\n\r\n"), "chunked"), 0U);
    stream.push("data: one\n\n");
    EXPECT_EQ(client.read_until("one\n\n"), "data: one\n\n");
    stream.finish = true;
    stream.wake.set();
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(ServerStream, head_request_gets_the_head_only) {
    StreamServer stream;
    const auto answer =
        stream.server.exchange("HEAD /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
    EXPECT_EQ(stream.ended, 0);
}

TEST(ServerStream, failed_stream_is_cut_off_visibly) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send(k_get);
    client.read_until("\r\n\r\n");
    stream.broken = true;
    stream.wake.set();
    EXPECT_EQ(count(client.read_to_end(), "0\r\n\r\n"), 0U);
    EXPECT_EQ(stream.ended, 1);
}

TEST(ServerStream, client_that_does_not_read_is_dropped) {
    ServerOptions options;
    options.limits.write_time = std::chrono::milliseconds(20);
    options.limits.bytes_per_s_min = 1ULL << 40;
    options.limits.tick = std::chrono::milliseconds(5);
    StreamServer stream(std::move(options));
    auto client = stream.server.client();
    client.send(k_get);
    client.read_until("\r\n\r\n");
    stream.push(std::string(64UL * 1024 * 1024, 'x'));
    stream.server.loop.run_until([&] { return stream.ended == 1; });
    EXPECT_TRUE(stream.error);
    stream.server.loop.run_until(
        [&] { return stream.server.server->stats().connections_open == 0; });
}

TEST(ServerStream, flood_behind_a_stream_ends_it) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send(k_get);
    client.read_until("\r\n\r\n");
    client.send(std::string(100'000, 'x'));
    stream.server.loop.run_until([&] { return stream.ended == 1; });
}

TEST(ServerStream, stopping_server_ends_it_properly) {
    StreamServer stream;
    auto client = stream.server.client();
    client.send(k_get);
    client.read_until("\r\n\r\n");
    stream.server.loop.run(stream.server.server->stop(soon())).value();
    EXPECT_EQ(stream.ended, 1);
    EXPECT_EQ(client.read_to_end(), "0\r\n\r\n");
}

}  // namespace
}  // namespace postern::net::http
