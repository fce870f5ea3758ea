#include "platform/net/http/server.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/net/http/test_client.h"
#include "platform/net/net_error.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace postern::net::http {
namespace {

using test::Client;
using test::count;
using test::soon;
using test::status_of;
using test::TestServer;

TEST(Server, requests_on_one_connection_are_answered_in_order) {
    TestServer server;
    auto client = server.client();
    client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(client.read_until("GET /one ").starts_with("HTTP/1.1 200 OK\r\n"));
    client.send("POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_TRUE(client.read_until("POST /two body").find("Content-Length: 14") !=
                std::string::npos);
    const auto last =
        client.exchange("GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_NE(last.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(last.ends_with("GET /three "));
    EXPECT_EQ(server.server->stats().requests_total, 3U);
    EXPECT_EQ(server.server->stats().connections_total, 1U);
}

TEST(Server, thousand_pipelined_requests_are_answered_in_order) {
    for (const bool fast : {false, true}) {
        Handlers handlers;
        if (fast) {
            handlers.fast = [](const Request& request) -> std::optional<Response> {
                return text_response(200, "GET " + std::string(request.path()) + " ");
            };
        }
        TestServer server({}, std::move(handlers));
        std::string requests;
        for (int i = 0; i < 1000; ++i) {
            requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n" +
                        (i == 999 ? "Connection: close\r\n\r\n" : "\r\n");
        }
        auto client = server.client();
        server.loop.tasks.spawn("write",
                                [](std::shared_ptr<Transport> to, std::string bytes) -> async::Job {
                                    const auto sent = co_await to->write_all(as_bytes(bytes));
                                    EXPECT_TRUE(sent);
                                }(client.transport(), requests));
        const auto answers = client.read_to_end();
        EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), 1000U);
        std::size_t at = 0;
        for (int i = 0; i < 1000 && at != std::string::npos; ++i) {
            at = answers.find("\r\n\r\nGET /" + std::to_string(i) + " ", at);
        }
        EXPECT_NE(at, std::string::npos);
    }
}

TEST(Server, request_arriving_byte_by_byte_is_understood) {
    TestServer server;
    auto client = server.client();
    const std::string request =
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    for (const char c : request) {
        client.send({&c, 1});
        server.loop.settle();
    }
    EXPECT_TRUE(client.read_to_end().ends_with("POST /x abc"));
}

TEST(Server, head_is_answered_without_a_body) {
    TestServer server;
    const auto answer = server.exchange("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(Server, http_1_0_is_answered_and_closed) {
    TestServer server;
    const auto answer = server.exchange("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200");
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST(Server, expectation_is_met_before_the_body_is_read) {
    TestServer server;
    auto client = server.client();
    client.send("PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_EQ(status_of(client.read_until("PUT /x ok")), "HTTP/1.1 200");
}

TEST(Server, refused_expectation_gets_its_answer_without_a_continue) {
    TestServer server;
    const auto answer = server.exchange(
        "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 413");
    EXPECT_EQ(count(answer, "100 Continue"), 0U);
}

TEST(Server, large_answers_arrive_whole) {
    const std::string large(5'000'000, 'z');
    Handlers handlers;
    handlers.handle = [&large](Request) -> boost::asio::awaitable<Response> {
        co_return text_response(200, large);
    };
    TestServer server({}, std::move(handlers));
    const auto answer = server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + large));
}

TEST(Server, bug_in_a_handler_costs_one_request) {
    Handlers handlers;
    handlers.handle = [](Request request) -> boost::asio::awaitable<Response> {
        if (request.path() == "/throw") throw std::runtime_error("private detail");
        POSTERN_INVARIANT(request.path() != "/bug");
        Response response = text_response(200, "fine");
        if (request.path() == "/split") response.headers = {{"X", "a\r\nSet-Cookie: b"}};
        co_return response;
    };
    handlers.error_answer = [](int status, std::string_view code, const std::string& incident) {
        Response response = text_response(status, std::string(code) + " " + incident);
        response.content_type = "application/problem+json";
        return response;
    };
    TestServer server({}, std::move(handlers));
    auto client = server.client();
    for (const char* path : {"/throw", "/bug", "/split"}) {
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const auto answer = client.read_until("internal_error req_");
        EXPECT_EQ(status_of(answer), "HTTP/1.1 500") << path;
        EXPECT_EQ(count(answer, "private detail") + count(answer, "Set-Cookie"), 0U);
        EXPECT_EQ(count(answer, "application/problem+json"), 1U);
    }
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(client.read_until("fine")), "HTTP/1.1 200");
}

TEST(Server, fast_handler_comes_first_and_may_pass) {
    Handlers handlers;
    handlers.fast = [](const Request& request) -> std::optional<Response> {
        if (request.path() == "/throw") throw std::runtime_error("x");
        if (request.path() != "/healthz") return std::nullopt;
        return text_response(200, "fast");
    };
    TestServer server({}, std::move(handlers));
    auto client = server.client();
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_until("fast");
    EXPECT_EQ(server.served, 0);
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_until("GET /slow");
    EXPECT_EQ(server.served, 1);
    client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(client.read_until("internal_error")), "HTTP/1.1 500");
}

TEST(Server, peer_scheme_and_host_are_filled_in) {
    Handlers handlers;
    handlers.fast = [](const Request& request) -> std::optional<Response> {
        return text_response(200, request.peer.address.text() +
                                      (request.peer.is_loopback ? " l " : " - ") +
                                      (request.secure ? "s " : "- ") + request.host);
    };
    ServerOptions options;
    options.proxies.blocks = {*Cidr::parse("127.0.0.1/32")};
    TestServer server(std::move(options), std::move(handlers));
    const std::string tail = "Connection: close\r\n\r\n";
    EXPECT_TRUE(
        server.exchange("GET / HTTP/1.1\r\nHost: a:1\r\n" + tail).ends_with("127.0.0.1 l - a:1"));
    EXPECT_TRUE(server
                    .exchange("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\n"
                              "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n" +
                              tail)
                    .ends_with("203.0.113.5 - s b"));
}

TEST(Server, both_loopback_addresses_get_one_picked_port) {
    ServerOptions options;
    options.listen = {
        TestServer::loopback(),
        {.address = *IpAddress::parse("::1"), .port = 0, .tls = false, .optional = true},
        {.address = *IpAddress::parse("203.0.113.77"), .port = 0, .tls = false, .optional = true}};
    TestServer server(std::move(options));
    ASSERT_EQ(server.server->listening().size(), 2U);
    EXPECT_NE(server.port(), 0);
    EXPECT_EQ(server.server->listening()[1].port, server.port());
    Client client(server.loop, server.port(), "::1");
    EXPECT_EQ(status_of(client.exchange("GET / HTTP/1.0\r\n\r\n")), "HTTP/1.1 200");
}

TEST(Server, start_fails_clearly) {
    TestServer first;
    const auto start = [&](Listen at) {
        ServerOptions options;
        options.listen = {at};
        Server second(first.loop.io.get_executor(), std::move(options), {});
        return second.start();
    };
    auto taken = TestServer::loopback();
    taken.port = first.port();
    EXPECT_TRUE(start(taken).error().is(NetError::address_in_use));
    auto foreign = TestServer::loopback();
    foreign.address = *IpAddress::parse("203.0.113.77");
    EXPECT_TRUE(start(foreign).error().is(NetError::address_unavailable));
    EXPECT_TRUE(start(TestServer::loopback(true)).error().is(NetError::invalid_certificate_file));
}

/// A server whose handler waits until it is released.
class SlowServer {
public:
    SlowServer() : server({}, waiting()) {}

    Client enter() {
        auto client = server.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        server.loop.run_until([this] { return release != nullptr; });
        return client;
    }

    TestServer server;
    std::unique_ptr<async::Signal> release;

private:
    Handlers waiting() {
        Handlers handlers;
        handlers.handle = [this](Request) -> boost::asio::awaitable<Response> {
            release = std::make_unique<async::Signal>(server.loop.io.get_executor());
            const auto waited = co_await release->wait(soon());
            co_return text_response(200, waited ? "released" : "cancelled");
        };
        return handlers;
    }
};

TEST(Server, stop_lets_a_request_finish) {
    SlowServer slow;
    auto client = slow.enter();
    std::optional<Result<>> stopped;
    slow.server.loop.start(slow.server.server->stop(soon()), stopped);
    slow.server.loop.settle();
    EXPECT_FALSE(stopped);
    slow.release->set();
    const auto answer = client.read_to_end();
    EXPECT_TRUE(answer.ends_with("released"));
    slow.server.loop.run_until([&] { return stopped.has_value(); });
    EXPECT_EQ(slow.server.server->stats().connections_open, 0U);
}

TEST(Server, stop_ends_what_is_not_done_at_the_deadline) {
    SlowServer slow;
    auto client = slow.enter();
    slow.server.loop.run(slow.server.server->stop(Deadline::in(std::chrono::milliseconds(10))))
        .value();
    EXPECT_EQ(slow.server.server->stats().connections_open, 0U);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, stop_ends_idle_connections_at_once) {
    TestServer server;
    auto used = server.client();
    used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    used.read_until("GET / ");
    auto fresh = server.client();
    server.loop.run_until([&] { return server.server->stats().connections_open == 2; });
    server.loop.run(server.server->stop(soon())).value();
    EXPECT_EQ(used.read_to_end(), "");
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_EQ(server.server->stats().connections_open, 0U);
    EXPECT_THROW(server.client(), boost::system::system_error);
}

}  // namespace
}  // namespace postern::net::http
