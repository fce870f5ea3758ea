#include "platform/net/http_client/http_client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/http/https_url.h"
#include "foundation/codec/http/response_reader.h"
#include "platform/net/connector.h"
#include "platform/net/net_error.h"
#include "platform/net/test_certificates.h"
#include "platform/net/test_loop.h"

#include <gtest/gtest.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern::net {
namespace {

using codec::http::HttpsUrl;
using codec::http::ResponseError;
using test::Authority;
using test::Loop;
using test::Peer;
using test::soon;
using test::TableResolver;

/// What a server sends, and what it got.
struct Played {
    TlsContext context;
    std::string answer;
    bool closes = true;    ///< says good-bye after the answer
    bool goes_on = false;  ///< sends the last 1,000 bytes again and again
    std::string request = {};
};

async::Job play(Played* played, std::shared_ptr<Transport> transport) {
    auto shaking = transport->handshake_as_server(played->context);
    if (!co_await std::move(shaking)) co_return;
    std::array<std::uint8_t, 4096> bytes{};
    while (!played->request.ends_with("\r\n\r\n") && !played->request.ends_with("&end=1")) {
        auto reading = transport->read_some(bytes);
        const auto count = co_await std::move(reading);
        if (!count || *count == 0) co_return;
        played->request.append(as_text(ByteView(bytes.data(), *count)));
    }
    auto writing = transport->write_all(as_bytes(played->answer));
    bool is_open = (co_await std::move(writing)).has_value();
    const std::string more(1000, 'x');
    while (is_open && played->goes_on) {
        auto again = transport->write_all(as_bytes(more));
        is_open = (co_await std::move(again)).has_value();
    }
    if (played->closes) co_return;
    auto waiting = transport->read_some(bytes);
    const auto ignored = co_await std::move(waiting);
    static_cast<void>(ignored);
}

class HttpClientTest : public ::testing::Test {
protected:
    HttpClientTest() { resolver.table["login.example"] = {"127.0.0.1"}; }

    Played played(std::string answer, std::string name = "login.example") {
        return {test::server_context(authority.issue({.name = std::move(name)})),
                std::move(answer)};
    }
    Result<HttpAnswer> get(Played& server,
                           Deadline deadline = soon(),
                           EgressPolicy policy = {.allow_private = {*Cidr::parse("127.0.0.0/8")}}) {
        const Peer peer(loop, [&server](std::shared_ptr<Transport> transport) {
            return play(&server, std::move(transport));
        });
        HttpAsk ask;
        ask.url = url(peer);
        ask.ca_pem = authority.pem();
        return exchange(std::move(ask), deadline, std::move(policy));
    }
    static HttpsUrl url(const Peer& peer) {
        const auto text = "https://login.example:" + std::to_string(peer.port()) + "/a?b=c";
        return HttpsUrl::parse(text).value();
    }
    Result<HttpAnswer> exchange(HttpAsk ask, Deadline deadline, EgressPolicy policy) {
        Connector connector(resolver, std::move(policy), TlsContext::client().value());
        HttpClient client(connector);
        return loop.run(client.exchange(std::move(ask), deadline));
    }
    void expect(std::string answer, ResponseError error) {
        auto server = played(std::move(answer));
        const auto got = get(server);
        ASSERT_FALSE(got);
        EXPECT_TRUE(got.error().is(error)) << got.error().code() << got.error().detail();
    }

    Loop loop;
    TableResolver resolver;
    Authority authority;
};

TEST_F(HttpClientTest, asks_once_and_says_no_more_than_it_must) {
    auto server = played(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}");
    const auto got = get(server);
    ASSERT_TRUE(got) << got.error().code();
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->content_type, "application/json");
    EXPECT_EQ(as_text(ByteView(got->body.data(), got->body.size())), "{}");
    const auto host = server.request.find("Host: login.example:");
    EXPECT_NE(host, std::string::npos);
    const auto line = server.request.find("\r\n", host);
    EXPECT_EQ(server.request.substr(0, host), "GET /a?b=c HTTP/1.1\r\n");
    EXPECT_EQ(server.request.substr(line),
              "\r\nConnection: close\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
              "User-Agent: Postern\r\n\r\n");
}

TEST_F(HttpClientTest, a_post_carries_its_body_and_its_secret) {
    auto server = played("HTTP/1.1 204 No\r\n\r\n");
    const Peer peer(loop, [&server](std::shared_ptr<Transport> transport) {
        return play(&server, std::move(transport));
    });
    HttpAsk ask;
    ask.method = HttpAsk::Method::post;
    ask.url = url(peer);
    ask.ca_pem = authority.pem();
    ask.authorization = Secret::copy_of(as_bytes("Basic eHg="));
    ask.content_type = "application/x-www-form-urlencoded";
    ask.body.append("code=1&end=1");
    const auto got =
        exchange(std::move(ask), soon(), {.allow_private = {*Cidr::parse("127.0.0.0/8")}});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 204);
    EXPECT_TRUE(server.request.starts_with("POST /a?b=c HTTP/1.1\r\n"));
    EXPECT_NE(server.request.find("\r\nAuthorization: Basic eHg=\r\n"), std::string::npos);
    EXPECT_NE(server.request.find("\r\nContent-Length: 12\r\n\r\ncode=1&end=1"), std::string::npos);
}

TEST_F(HttpClientTest, nothing_ends_a_line_but_what_it_puts_there) {
    for (const std::string_view bad : {"Basic x\r\nHost: evil", "Basic \n", "Basic \x7f"}) {
        HttpAsk ask;
        ask.url = HttpsUrl::parse("https://login.example/").value();
        ask.authorization = Secret::copy_of(as_bytes(bad));
        EXPECT_FALSE(exchange(std::move(ask), soon(), {}));
    }
    EXPECT_EQ(resolver.asked, 0);
}

TEST_F(HttpClientTest, a_redirect_is_not_followed) {
    int visits = 0;
    const Peer elsewhere(loop, [&visits](std::shared_ptr<Transport>) -> async::Job {
        ++visits;
        co_return;
    });
    auto server = played("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:" +
                         std::to_string(elsewhere.port()) + "/\r\nContent-Length: 0\r\n\r\n");
    const auto got = get(server);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 302);
    loop.settle();
    EXPECT_EQ(visits, 0);
}

TEST_F(HttpClientTest, an_answer_without_end_is_cut_off) {
    auto server = played("HTTP/1.1 200 OK\r\n\r\n");
    server.goes_on = true;
    const auto got = get(server);
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().is(ResponseError::body_too_large));
    expect("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", ResponseError::body_too_large);
    expect("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
           ResponseError::head_too_large);
}

TEST_F(HttpClientTest, an_answer_that_is_not_whole_is_none) {
    expect("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", ResponseError::truncated);
    expect("HTTP/1.1 200 OK\nContent-Length: 0\n\n", ResponseError::malformed);
    expect("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", ResponseError::unknown_coding);
}

TEST_F(HttpClientTest, a_slow_server_is_given_up) {
    auto server = played("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    server.closes = false;
    const auto got = get(server, Deadline::in(std::chrono::milliseconds(300)));
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().is(NetError::timed_out)) << got.error().code();
}

TEST_F(HttpClientTest, only_the_right_certificate_is_spoken_to) {
    auto server = played("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "other.example");
    const auto wrong_name = get(server);
    ASSERT_FALSE(wrong_name);
    EXPECT_TRUE(wrong_name.error().is(NetError::certificate_wrong_name));
    const Authority other;
    Played foreign{test::server_context(other.issue({.name = "login.example"})), "x"};
    const auto untrusted = get(foreign);
    ASSERT_FALSE(untrusted);
    EXPECT_TRUE(untrusted.error().is(NetError::certificate_untrusted));
    EXPECT_EQ(server.request + foreign.request, "");
}

TEST_F(HttpClientTest, a_private_address_is_not_connected_to) {
    auto server = played("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const auto got = get(server, soon(), {});
    ASSERT_FALSE(got);
    EXPECT_TRUE(got.error().is(NetError::refused_private_address));
    EXPECT_EQ(server.request, "");
}

}  // namespace
}  // namespace postern::net
