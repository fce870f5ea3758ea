#include "platform/net/http/request_parser.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net::http {
namespace {

constexpr std::uint64_t k_limit = 100;

std::string_view body_of(const Request& request) {
    return as_text({request.body.data(), request.body.size()});
}

/// Feeds a body in pieces of `step` bytes, as a session does; the refusal's status, or 0 when done,
/// or -1 when it wants more than there is.
int feed(RequestParser& parser, Request& request, const std::string& body, std::size_t step) {
    std::size_t begin = 0;
    for (std::size_t end = std::min(step, body.size());; end = std::min(end + step, body.size())) {
        const auto view = as_bytes(body).subspan(begin, end - begin);
        if (!view.empty()) {
            const auto progress = parser.take(view, request, k_limit);
            begin += progress.consumed;
            if (progress.refusal) return progress.refusal->status;
        }
        if (parser.is_done()) return begin == body.size() ? 0 : -2;
        if (end == body.size()) return -1;
    }
}

struct Outcome {
    int status;
    std::string body;
};

Outcome parse(const std::string& fields, const std::string& body, std::size_t step) {
    RequestParser parser;
    Request request;
    const auto head = "POST /p?q=1 HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    const auto facts = parser.begin(head, request);
    if (!facts) return {facts.error().status, {}};
    const int status = feed(parser, request, body, step);
    return {status, std::string(body_of(request))};
}

TEST(RequestParser, request_is_filled) {
    RequestParser parser;
    Request request;
    const std::string head =
        "PATCH /v1/x?a=b?c HTTP/1.1\r\nHost: a\r\nAuthorization:  Bearer t \r\ncookie: 1\r\n"
        "Cookie: 2\r\n\r\n";
    ASSERT_TRUE(parser.begin(head, request));
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(request.method, "PATCH");
    EXPECT_EQ(request.path(), "/v1/x");
    EXPECT_EQ(request.query(), "a=b?c");
    EXPECT_EQ(request.headers.find("AUTHORIZATION"), "Bearer t");
    EXPECT_EQ(request.headers.joined("Cookie"), "1, 2");
    EXPECT_FALSE(request.headers.find("cook"));
    ASSERT_TRUE(parser.begin("GET / HTTP/1.1\r\nHost: b\r\n\r\n", request));
    EXPECT_EQ(request.headers.size(), 1U);
    EXPECT_TRUE(request.query().empty());
}

TEST(RequestParser, bodies_are_taken_however_they_arrive) {
    const std::string hello = "hello, world";
    const std::string length = "Content-Length: 12\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string pieces = "5\r\nhello\r\n07;a=b\r\n, world\r\n0\r\n\r\n";
    for (std::size_t step = 1; step <= pieces.size(); ++step) {
        const auto by_length = parse(length, hello, step);
        EXPECT_EQ(by_length.status, 0);
        EXPECT_EQ(by_length.body, hello);
        const auto by_chunks = parse(chunked, pieces, step);
        EXPECT_EQ(by_chunks.status, 0) << step;
        EXPECT_EQ(by_chunks.body, hello);
    }
}

TEST(RequestParser, hostile_chunks_are_refused) {
    using namespace std::literals;
    const std::string many_extensions = "1;" + std::string(k_chunk_extension_bytes_max + 1, 'a');
    const std::string k_cases[] = {"x\r\n",
                                   "-1\r\n",
                                   "0x5\r\nhello\r\n",
                                   "+5\r\nhello\r\n",
                                   " 5\r\nhello\r\n",
                                   "5 \r\nhello\r\n",
                                   "5\nhello\r\n",
                                   "5\rhello\r\n",
                                   "5\r\nhelloX\r\n",
                                   "5\r\nhello\n0\r\n\r\n",
                                   "\r\n",
                                   "5;a\n\r\nhello\r\n",
                                   "5;\x0b\r\nhello\r\n",
                                   "5;a\x7f\r\nhello\r\n",
                                   "5;a\rb\r\nhello\r\n",
                                   "0\r\nX",
                                   "FFFFFFFFFFFFFFFFF\r\n",
                                   "10000000000000005\r\nhello\r\n",
                                   "0\r\nX: y\r\n\r\n",
                                   "0\r\nContent-Length: 5\r\n\r\n",
                                   "0\r\nX : y\r\n\r\n",
                                   "0\r\n\nX\r\n\r\n",
                                   many_extensions + "\r\na\r\n",
                                   "5\0\r\nhello\r\n"s};
    for (const auto& body : k_cases) {
        for (const std::size_t step : {std::size_t{1}, body.size()}) {
            const auto outcome = parse("Transfer-Encoding: chunked\r\n", body, step);
            EXPECT_TRUE(outcome.status == 400 || outcome.status == 413) << body << outcome.status;
        }
    }
}

TEST(RequestParser, short_extensions_are_ignored) {
    const auto body = "1;" + std::string(k_chunk_extension_bytes_max, 'a') + "\r\na\r\n00;\r\n\r\n";
    EXPECT_EQ(parse("Transfer-Encoding: chunked\r\n", body, body.size()).body, "a");
    EXPECT_EQ(parse("Transfer-Encoding: chunked\r\n", body, 1).status, 0);
}

TEST(RequestParser, chunked_body_over_the_limit_is_refused_by_its_announcement) {
    EXPECT_EQ(parse("Transfer-Encoding: chunked\r\n", "64\r\n", 4).status, -1);
    EXPECT_EQ(parse("Transfer-Encoding: chunked\r\n", "65\r\n", 4).status, 413);
    const auto twice = "33\r\n" + std::string(51, 'a') + "\r\n33\r\n";
    EXPECT_EQ(parse("Transfer-Encoding: chunked\r\n", twice, twice.size()).status, 413);
    EXPECT_EQ(parse("Content-Length: 101\r\n", std::string(101, 'a'), 101).status, 413);
}

TEST(RequestParser, bytes_after_the_body_are_left_alone) {
    RequestParser parser;
    Request request;
    ASSERT_TRUE(parser.begin("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", request));
    const auto progress = parser.take(as_bytes("abcGET / HTTP/1.1\r\n"), request, k_limit);
    EXPECT_EQ(progress.consumed, 3U);
    EXPECT_TRUE(parser.is_done());
}

}  // namespace
}  // namespace postern::net::http
