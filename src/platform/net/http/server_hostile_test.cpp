#include "platform/net/http/test_client.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace postern::net::http {
namespace {

using test::count;
using test::status_of;
using test::TestServer;

constexpr std::string_view k_smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view fields, std::string_view body) {
    return "POST /p HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST(HostileRequest, what_is_ambiguous_is_refused_and_nothing_behind_it_is_served) {
    using namespace std::literals;
    const std::string smuggled(k_smuggled);
    const std::string k_cases[] = {
        // CL.TE, TE.CL, two lengths, hidden encodings
        post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
             "5c\r\n" + smuggled + "\r\n0\r\n\r\n"),
        post("Content-Length: 0\r\nContent-Length: 37\r\n", smuggled),
        post("Content-Length: 0\r\nContent-Length: 0\r\n", smuggled),
        post("Content-Length: 0, 0\r\n", smuggled),
        post("Transfer-Encoding: chunked\x0b\r\n", "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding: \x0b"
             "chunked\r\n",
             "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding: x, chunked\r\n", "0\r\n\r\n" + smuggled),
        post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + smuggled),
        post("X: a\r\n Transfer-Encoding: chunked\r\n", smuggled),
        post("Content-Length: 0\nX: y\r\n", smuggled),
        post("Content-Length: -0\r\n", smuggled),
        // chunks
        post("Transfer-Encoding: chunked\r\n", "0;\n\r\n\r\n" + smuggled),
        post("Transfer-Encoding: chunked\r\n", "1\nA\n0\n\n" + smuggled),
        post("Transfer-Encoding: chunked\r\n", "0\r\nX: y\r\n\r\n" + smuggled),
        post("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n" + smuggled),
        post("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n" + smuggled),
        // lines
        "GET / HTTP/1.1\nHost: a\n\n" + smuggled,
        "\r\n" + smuggled,
        "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"s + smuggled,
        "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
        "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
        "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled,
        "GET / HTTP/1.1\r\n\r\n" + smuggled,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + smuggled,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + smuggled,
    };
    for (const auto& bytes : k_cases) {
        TestServer server;
        const auto answer = server.exchange(bytes);
        EXPECT_EQ(status_of(answer), "HTTP/1.1 400") << bytes;
        EXPECT_EQ(count(answer, "HTTP/1.1 "), 1U) << bytes;
        EXPECT_EQ(count(answer, "Connection: close\r\n"), 1U) << bytes;
        EXPECT_EQ(server.served, 0) << bytes;
        EXPECT_EQ(server.server->stats().requests_malformed, 1U);
    }
}

TEST(HostileRequest, request_before_a_bad_one_is_still_answered) {
    TestServer server;
    const auto answer = server.exchange("GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad\r\n\r\n" +
                                        std::string(k_smuggled));
    EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 1U);
    EXPECT_EQ(count(answer, "HTTP/1.1 400 "), 1U);
    EXPECT_EQ(server.served, 1);
}

TEST(HostileRequest, body_that_looks_like_a_request_stays_a_body) {
    TestServer server;
    const auto answer = server.exchange(
        "POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        "Content-Length: " +
        std::to_string(k_smuggled.size()) + "\r\n\r\n" + std::string(k_smuggled));
    EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 1U);
    EXPECT_EQ(server.served, 1);
}

TEST(HostileRequest, client_that_goes_away_in_the_middle_costs_nothing) {
    TestServer server;
    for (const auto& bytes : {std::string("GET / HT"), post("Content-Length: 10\r\n", "12345"),
                              post("Transfer-Encoding: chunked\r\n", "5\r\nab")}) {
        auto client = server.client();
        client.send(bytes);
        client.close();
    }
    server.loop.run_until([&] {
        const auto stats = server.server->stats();
        return stats.connections_total == 3 && stats.connections_open == 0;
    });
    EXPECT_EQ(server.served, 0);
}

TEST(HostileRequest, refusal_reaches_a_client_that_is_still_sending) {
    TestServer server;
    auto client = server.client();
    const auto answer =
        client.exchange(post("Content-Length: 2000000\r\n", std::string(200'000, 'x')));
    EXPECT_EQ(status_of(answer), "HTTP/1.1 413");
    EXPECT_EQ(server.served, 0);
}

}  // namespace
}  // namespace postern::net::http
