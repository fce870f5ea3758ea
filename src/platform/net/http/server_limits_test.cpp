#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/http/test_client.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::net::http {
namespace {

using std::chrono::milliseconds;
using test::Client;
using test::count;
using test::status_of;
using test::TestServer;

ServerOptions with(Limits limits) {
    limits.tick = milliseconds(5);
    ServerOptions options;
    options.limits = limits;
    return options;
}

constexpr std::string_view k_get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(ServerLimits, oversized_heads_are_refused) {
    TestServer server;
    const std::string line = "GET / HTTP/1.1\r\nHost: a\r\n";
    std::string many = line;
    for (int i = 0; i < 100; ++i)
        many += "X: y\r\n";
    EXPECT_EQ(status_of(server.exchange(many + "\r\n")), "HTTP/1.1 431");
    EXPECT_EQ(status_of(server.exchange(line + "X: " + std::string(16'384, 'y'))), "HTTP/1.1 431");
    EXPECT_EQ(status_of(server.exchange("GET /" + std::string(8'192, 'y'))), "HTTP/1.1 414");
    EXPECT_EQ(server.served, 0);
    const std::string large =
        line + "Connection: close\r\nX: " + std::string(16'000, 'y') + "\r\n\r\n";
    EXPECT_EQ(status_of(server.exchange(large)), "HTTP/1.1 200");
}

TEST(ServerLimits, body_limit_is_asked_for_each_request) {
    Handlers handlers;
    handlers.body_limit = [](std::string_view method, std::string_view path) -> std::uint64_t {
        return method == "POST" && path == "/large" ? 100 : 10;
    };
    TestServer server({}, std::move(handlers));
    const auto post = [&](const std::string& path, std::size_t bytes, bool chunked) {
        const auto fields = chunked ? std::string("Transfer-Encoding: chunked\r\n")
                                    : "Content-Length: " + std::to_string(bytes) + "\r\n";
        auto body = std::string(bytes, 'b');
        if (chunked) {
            std::string chunks;
            for (const char c : body)
                chunks += std::string("1\r\n") + c + "\r\n";
            body = chunks + "0\r\n\r\n";
        }
        return status_of(server.exchange("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + fields +
                                         "Connection: close\r\n\r\n" + body));
    };
    for (const bool chunked : {false, true}) {
        EXPECT_EQ(post("/large?x", 100, chunked), "HTTP/1.1 200");
        EXPECT_EQ(post("/large", 101, chunked), "HTTP/1.1 413");
        EXPECT_EQ(post("/small", 10, chunked), "HTTP/1.1 200");
        EXPECT_EQ(post("/small", 11, chunked), "HTTP/1.1 413");
    }
}

TEST(ServerLimits, bodies_of_all_requests_together_are_bounded) {
    Limits limits;
    limits.bodies_bytes_max = 1000;
    limits.small_body_bytes_max = 300;
    TestServer server(with(limits));
    auto first = server.client();
    first.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n" + std::string(800, 'a'));
    server.loop.run_until([&] { return server.server->stats().requests_total == 1; });
    server.loop.settle();
    const std::string second =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n" + std::string(400, 'b');
    EXPECT_EQ(status_of(server.exchange(second)), "HTTP/1.1 503");
    const std::string small =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\nConnection: close\r\n\r\n" +
        std::string(300, 'c');
    EXPECT_EQ(status_of(server.exchange(small)), "HTTP/1.1 200");
    first.close();
    server.loop.run_until([&] { return server.server->stats().connections_open == 0; });
    auto third = server.client();
    third.send(second);
    EXPECT_EQ(status_of(third.read_until("bbb")), "HTTP/1.1 200");
}

TEST(ServerLimits, slow_heads_and_bodies_time_out_with_an_answer) {
    Limits limits;
    limits.head_time = milliseconds(20);
    limits.body_time = milliseconds(20);
    TestServer server(with(limits));
    EXPECT_EQ(status_of(server.exchange("GET /x HTTP/1.1\r\nHos")), "HTTP/1.1 408");
    EXPECT_EQ(
        status_of(server.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123")),
        "HTTP/1.1 408");
    EXPECT_EQ(server.exchange(""), "");
    EXPECT_EQ(server.served, 0);
}

TEST(ServerLimits, dripping_bytes_do_not_buy_time) {
    Limits limits;
    limits.head_time = milliseconds(40);
    // Looked at until the server's jobs have ended.
    std::optional<Result<std::string>> answer;
    TestServer server(with(limits));
    auto client = server.client();
    server.loop.start(Client::read_while(client.transport(), {}, 1), answer);
    const auto drip = [](std::shared_ptr<Transport> to,
                         const std::optional<Result<std::string>>* until) -> async::Job {
        while (!*until) {
            const auto sent = co_await to->write_all(as_bytes("a"));
            if (!sent) co_return;
            const auto waited = co_await async::wait_until(Deadline::in(milliseconds(2)));
            if (!waited) co_return;
        }
    };
    server.loop.tasks.spawn("drip", drip(client.transport(), &answer));
    server.loop.run_until([&] { return answer.has_value(); });
    EXPECT_EQ(status_of(answer->value()), "HTTP/1.1 408");
}

TEST(ServerLimits, idle_connections_end_silently) {
    Limits limits;
    limits.idle_time = milliseconds(20);
    TestServer server(with(limits));
    const auto answer = server.exchange(k_get);
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 1U);
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200");
}

TEST(ServerLimits, client_that_does_not_read_is_dropped) {
    Limits limits;
    limits.write_time = milliseconds(20);
    limits.bytes_per_s_min = 1ULL << 40;
    Handlers handlers;
    handlers.handle = [](Request) -> boost::asio::awaitable<Response> {
        co_return text_response(200, std::string(64UL * 1024 * 1024, 'x'));
    };
    TestServer server(with(limits), std::move(handlers));
    auto client = server.client();
    client.send(k_get);
    server.loop.run_until([&] {
        const auto stats = server.server->stats();
        return stats.requests_total == 1 && stats.connections_open == 0;
    });
}

TEST(ServerLimits, full_server_ends_an_idle_connection_for_a_new_one) {
    Limits limits;
    limits.connections_max = 2;
    TestServer server(with(limits));
    auto idle = server.client();
    idle.send(k_get);
    idle.read_until("GET /x");
    auto busy = server.client();
    busy.send("GET /x HTTP/1.1\r\n");
    server.loop.run_until([&] { return server.server->stats().connections_open == 2; });
    auto fresh = server.client();
    fresh.send(k_get);
    EXPECT_EQ(status_of(fresh.read_until("GET /x")), "HTTP/1.1 200");
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(server.server->stats().connections_refused, 0U);
}

TEST(ServerLimits, full_server_without_idle_connections_answers_503) {
    Limits limits;
    limits.connections_max = 2;
    TestServer server(with(limits));
    auto one = server.client(), two = server.client();
    server.loop.run_until([&] { return server.server->stats().connections_open == 2; });
    EXPECT_EQ(status_of(server.exchange("")), "HTTP/1.1 503");
    EXPECT_EQ(server.server->stats().connections_refused, 1U);
    one.close();
    server.loop.run_until([&] { return server.server->stats().connections_open == 1; });
    auto three = server.client();
    three.send(k_get);
    EXPECT_EQ(status_of(three.read_until("GET /x")), "HTTP/1.1 200");
}

TEST(ServerLimits, hundreds_of_slow_clients_leave_the_others_alone) {
    TestServer server;
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 400; ++i) {
        slow.push_back(std::make_unique<Client>(server.loop, server.port()));
        slow.back()->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx");
        server.loop.settle();
    }
    auto client = server.client();
    for (int i = 0; i < 50; ++i) {
        client.send(k_get);
        EXPECT_EQ(status_of(client.read_until("GET /x")), "HTTP/1.1 200");
    }
    EXPECT_EQ(server.server->stats().connections_open, 401U);
}

}  // namespace
}  // namespace postern::net::http
