#include "platform/net/http/head_rules.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace postern::net::http {
namespace {

std::string head(std::string_view line, std::string_view fields) {
    return std::string(line) + "\r\n" + std::string(fields) + "\r\n";
}
std::expected<HeadFacts, Refusal> check_head(const std::string& text) {
    Request request;
    return read_head(text, request);
}
std::string get(std::string_view fields) {
    return head("GET / HTTP/1.1", std::string("Host: a\r\n") + std::string(fields));
}

TEST(HeadRules, ordinary_heads_are_accepted) {
    for (const auto& text :
         {get(""), get("X:\r\n"), get("X: a b\tc\r\n"), get("X:no-space\r\n"),
          get("X: \xc3\xa9\r\n"), get("Content-Length: 0\r\n"),
          get("TRANSFER-ENCODING: Chunked\r\n"), get("Cookie: a=b\r\nCookie: c=d\r\n"),
          head("OPTIONS /a;b=c?d=%2F[x]|^ HTTP/1.1", "Host: a.b:80\r\n"),
          head("M-SEARCH /~a/%41 HTTP/1.1", "Host: [::1]:8080\r\n"), head("GET / HTTP/1.0", "")}) {
        EXPECT_TRUE(check_head(text)) << text;
    }
}

/// Another implementation as the oracle.
TEST(HeadRules, what_is_accepted_means_the_same_to_beast) {
    namespace http = boost::beast::http;
    for (const auto& text :
         {get("X:\r\nY:a\r\nZ: \t b c \t\r\n"), get("Content-Length: 7\r\nCookie: a=b; c\r\n"),
          get("transfer-encoding: chunked\r\nCookie: c\r\nCookie: d\r\n"),
          head("OPTIONS /a;b=c?d=%2F|^ HTTP/1.1", "Host: a.b:80\r\n"),
          head("GET /%41//../x HTTP/1.0", "X: \xc3\xa9\r\n")}) {
        Request request;
        const auto facts = read_head(text, request);
        ASSERT_TRUE(facts) << text;
        http::request_parser<http::string_body> beast;
        boost::beast::error_code code;
        beast.put(boost::asio::buffer(text), code);
        ASSERT_FALSE(code) << text;
        ASSERT_TRUE(beast.is_header_done());
        EXPECT_EQ(beast.chunked(), facts->is_chunked);
        EXPECT_EQ(beast.content_length().value_or(0), facts->content_length);
        const auto& theirs = beast.get();
        EXPECT_EQ(std::string(theirs.method_string()), request.method);
        EXPECT_EQ(std::string(theirs.target()), request.target);
        std::size_t at = 0;
        for (const auto& field : theirs) {
            EXPECT_EQ(std::string(field.name_string()), request.headers.name(at));
            EXPECT_EQ(std::string(field.value()), request.headers.value(at));
            ++at;
        }
        EXPECT_EQ(at, request.headers.size());
    }
}

TEST(HeadRules, facts_are_found) {
    const auto facts = check_head(
        get("Content-Length: 42\r\nExpect: 100-Continue\r\nConnection: upgrade, Close\r\n"));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->content_length, 42U);
    EXPECT_TRUE(facts->expects_continue);
    EXPECT_FALSE(facts->keep_alive);
    EXPECT_FALSE(facts->is_chunked);
    EXPECT_TRUE(check_head(get("Connection: keep-alive\r\n"))->keep_alive);
    EXPECT_FALSE(check_head(head("GET / HTTP/1.0", "Connection: keep-alive\r\n"))->keep_alive);
}

TEST(HeadRules, hostile_heads_are_refused) {
    using namespace std::literals;
    const std::string k_cases[] = {
        // framing
        get("Content-Length: 1\r\nContent-Length: 1\r\n"),
        get("Content-Length: 1\r\nContent-Length: 2\r\n"), get("Content-Length: 5, 5\r\n"),
        get("Content-Length: +5\r\n"), get("Content-Length: -1\r\n"),
        get("Content-Length: 0x5\r\n"), get("Content-Length: 5 5\r\n"), get("Content-Length:\r\n"),
        get("Content-Length: 99999999999999999999\r\n"),
        get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        get("Transfer-Encoding: chunked, chunked\r\n"), get("Transfer-Encoding: gzip, chunked\r\n"),
        get("Transfer-Encoding: identity\r\n"), get("Transfer-Encoding: xchunked\r\n"),
        get("Transfer-Encoding: chunked\x0b\r\n"),
        get("Transfer-Encoding: \x0b"
            "chunked\r\n"),
        get("Transfer-Encoding: chunked;a=b\r\n"), get("Transfer-Encoding:\r\n"),
        get("Transfer-Encoding: \"chunked\"\r\n"),
        head("POST / HTTP/1.0", "Host: a\r\nTransfer-Encoding: chunked\r\n"),
        // field syntax
        get("X : a\r\n"), get("X\t: a\r\n"), get("X: a\r\n folded\r\n"), get(" X: a\r\n"),
        get("X: a\r\n\tfolded\r\n"), get(": a\r\n"), get("X\r\n"), get("X: a\rb\r\n"),
        get("X: a\nY: b\r\n"), get("X: a\x01\r\n"), get("X: a\x7f\r\n"), get("X: \0\r\n"s),
        get("X\x0b: a\r\n"), get("X(: a\r\n"), get("\xc3\xa9: a\r\n"), get("X\0: a\r\n"s),
        // host
        head("GET / HTTP/1.1", ""), head("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"),
        head("GET / HTTP/1.1", "Host:\r\n"), head("GET / HTTP/1.1", "Host: a/b\r\n"),
        head("GET / HTTP/1.1", "Host: a@b\r\n"), head("GET / HTTP/1.1", "Host: a b\r\n"),
        head("GET / HTTP/1.1", "Host: a,b\r\n"), head("GET / HTTP/1.1", "Host: a\\b\r\n"),
        // what may not be said twice
        get("Authorization: a\r\nauthorization: b\r\n"),
        get("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
        get("Content-Type: a/b\r\nContent-Type: c/d\r\n"),
        // request line
        head("GET http://evil/ HTTP/1.1", "Host: a\r\n"), head("GET * HTTP/1.1", "Host: a\r\n"),
        head("CONNECT a:443 HTTP/1.1", "Host: a\r\n"), head("GET  / HTTP/1.1", "Host: a\r\n"),
        head("GET / HTTP/1.1 ", "Host: a\r\n"), head(" GET / HTTP/1.1", "Host: a\r\n"),
        head("GET /a b HTTP/1.1", "Host: a\r\n"), head("GET\t/ HTTP/1.1", "Host: a\r\n"),
        head("GET / http/1.1", "Host: a\r\n"), head("GET / HTTP/1.1x", "Host: a\r\n"),
        head("GET /", "Host: a\r\n"), head("GET", "Host: a\r\n"), head("", "Host: a\r\n"),
        head("G(T / HTTP/1.1", "Host: a\r\n"), head("GET /\x01 HTTP/1.1", "Host: a\r\n"),
        head("GET /\x7f HTTP/1.1", "Host: a\r\n"), head("GET /\xc3\xa9 HTTP/1.1", "Host: a\r\n"),
        head("GET /#a HTTP/1.1", "Host: a\r\n"), head("GET /a\\b HTTP/1.1", "Host: a\r\n"),
        head("GET /% HTTP/1.1", "Host: a\r\n"), head("GET /%4 HTTP/1.1", "Host: a\r\n"),
        head("GET /%zz HTTP/1.1", "Host: a\r\n"), head("GET /%00 HTTP/1.1", "Host: a\r\n"),
        head("GET /?a=%00 HTTP/1.1", "Host: a\r\n"), head("GET ?a HTTP/1.1", "Host: a\r\n"),
        head("PRI * HTTP/2.0", ""), head("PRI / HTTP/2.0", ""),
        head(std::string(k_method_characters_max + 1, 'A') + " / HTTP/1.1", "Host: a\r\n"),
        // incomplete or overlong
        "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n", "", "GET / HTTP/1.1\r\nHost: a\r\n\r\nx"};
    for (const auto& text : k_cases) {
        const auto facts = check_head(text);
        ASSERT_FALSE(facts) << text;
        EXPECT_EQ(facts.error().status, 400) << text;
    }
}

TEST(HeadRules, other_refusals_have_their_own_status) {
    EXPECT_EQ(check_head(get("Expect: a-miracle\r\n")).error().status, 417);
    for (const char* line : {"GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9"}) {
        EXPECT_EQ(check_head(head(line, "Host: a\r\n")).error().status, 505) << line;
    }
}

Limits small() {
    Limits limits;
    limits.request_line_bytes_max = 40;
    limits.head_bytes_max = 100;
    limits.headers_max = 3;
    return limits;
}

TEST(HeadScanner, head_is_found_however_the_bytes_arrive) {
    const Limits limits = small();
    const std::string text = get("X: y\r\n");
    const std::string more = text + text;
    for (std::size_t step = 1; step <= more.size(); ++step) {
        HeadScanner scanner(limits);
        std::size_t found = 0;
        for (std::size_t have = step; found == 0; have += step) {
            const auto size = scanner.scan(std::string_view(more).substr(0, have));
            ASSERT_TRUE(size);
            found = *size;
        }
        EXPECT_EQ(found, text.size());
        scanner.restart();
        EXPECT_EQ(scanner.scan(text).value(), text.size());
    }
}

TEST(HeadScanner, limits_hold_to_the_byte) {
    const Limits limits = small();
    const auto scan = [&](const std::string& text) { return HeadScanner(limits).scan(text); };
    const std::string host = "Host: a\r\n";
    const auto line = [](std::size_t bytes) {
        return "GET /" + std::string(bytes - 16, 'a') + " HTTP/1.1\r\n";
    };
    EXPECT_TRUE(scan(line(40) + host + "\r\n"));
    EXPECT_EQ(scan(line(41) + host + "\r\n").error().status, 414);
    EXPECT_EQ(scan(std::string(41, 'a')).error().status, 414);
    EXPECT_TRUE(scan(line(20) + "A: b\r\nC: d\r\nE: f\r\n\r\n"));
    EXPECT_EQ(scan(line(20) + "A: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n").error().status, 431);
    const auto fill = [&](std::size_t bytes) {
        return line(20) + "X:" + std::string(bytes - 20 - 6, 'y') + "\r\n\r\n";
    };
    EXPECT_TRUE(scan(fill(100)));
    EXPECT_EQ(scan(fill(101)).error().status, 431);
    EXPECT_EQ(scan(fill(150).substr(0, 100)).error().status, 431);
}

TEST(HeadScanner, bare_line_feeds_are_refused_at_once) {
    const Limits limits = small();
    for (const char* text : {"\n", "\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n",
                             "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\n\n"}) {
        const auto size = HeadScanner(limits).scan(text);
        ASSERT_FALSE(size) << text;
        EXPECT_EQ(size.error().status, 400) << text;
    }
}

}  // namespace
}  // namespace postern::net::http
