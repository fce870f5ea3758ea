#include "foundation/codec/http/response_reader.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::codec::http {
namespace {

struct Read {
    Result<> outcome;
    bool is_done = false;
    int status = 0;
    std::string body;
};

/// In pieces of that many bytes, then the end of the connection.
Read read(std::string_view text, std::size_t piece, ResponseReader::Limits limits = {}) {
    ResponseReader reader(limits);
    Read out;
    for (std::size_t at = 0; at < text.size() && out.outcome; at += piece)
        out.outcome = reader.take(as_bytes(text.substr(at, piece)));
    if (out.outcome) out.outcome = reader.end();
    out.is_done = reader.is_done();
    out.status = reader.head().status;
    out.body = as_text({reader.body().data(), reader.body().size()});
    return out;
}

TEST(ResponseReader, each_kind_of_body_is_read_however_it_arrives) {
    const std::string_view answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 \r\nX: y\r\n\r\nhello",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello"};
    for (const auto answer : answers) {
        for (const std::size_t piece : {1UL, 2UL, 7UL, 1000UL}) {
            const auto got = read(answer, piece);
            ASSERT_TRUE(got.outcome) << answer << got.outcome.error().detail();
            EXPECT_EQ(got.status, 200);
            EXPECT_EQ(got.body, "hello");
        }
    }
}

TEST(ResponseReader, names_are_found_in_lower_case) {
    ResponseReader reader({});
    ASSERT_TRUE(
        reader.take(as_bytes("HTTP/1.1 302 Found\r\nLOCATION:\thttps://x/ \r\n"
                             "Content-Length: 0\r\n\r\n")));
    EXPECT_TRUE(reader.is_done());
    EXPECT_EQ(reader.head().field("location"), "https://x/");
    EXPECT_EQ(reader.head().field("cookie"), "");
}

TEST(ResponseReader, what_two_readers_could_understand_differently_is_refused) {
    for (const std::string_view answer :
         {"HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
          "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n",
          "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
          "HTTP/2 200\r\n\r\n",
          "HTTP/1.1 20 OK\r\n\r\n",
          "HTTP/1.1 2000\r\n\r\n",
          "HTTP/1.1 600 No\r\n\r\n",
          "220 mail.example ESMTP\r\n\r\n"}) {
        const auto got = read(answer, 5);
        ASSERT_FALSE(got.outcome) << answer;
        EXPECT_TRUE(got.outcome.error().is(ResponseError::malformed)) << answer;
    }
    const auto zipped = read("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 9);
    ASSERT_FALSE(zipped.outcome);
    EXPECT_TRUE(zipped.outcome.error().is(ResponseError::unknown_coding));
}

TEST(ResponseReader, an_answer_that_ends_early_is_none) {
    for (const std::string_view answer :
         {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
          "HTTP/1.1 100 Continue\r\n\r\n"}) {
        const auto got = read(answer, 3);
        ASSERT_FALSE(got.outcome) << answer;
        EXPECT_TRUE(got.outcome.error().is(ResponseError::truncated)) << answer;
    }
}

TEST(ResponseReader, no_limit_is_passed) {
    const ResponseReader::Limits small{.head_bytes = 100, .fields = 2, .body_bytes = 10};
    const auto refused = [&](const std::string& answer, ResponseError error) {
        for (const std::size_t piece : {1UL, 1000UL}) {
            const auto got = read(answer, piece, small);
            ASSERT_FALSE(got.outcome) << answer;
            EXPECT_TRUE(got.outcome.error().is(error)) << answer;
            EXPECT_LE(got.body.size(), small.body_bytes);
        }
    };
    refused("HTTP/1.1 200 " + std::string(200, 'x'), ResponseError::head_too_large);
    refused("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", ResponseError::head_too_large);
    std::string interim;
    for (int i = 0; i < 10; ++i)
        interim += "HTTP/1.1 100 C\r\n\r\n";
    refused(interim, ResponseError::head_too_large);
    refused("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", ResponseError::body_too_large);
    refused("HTTP/1.1 200 OK\r\n\r\n" + std::string(11, 'x'), ResponseError::body_too_large);
    refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n",
            ResponseError::body_too_large);
    refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'x'),
            ResponseError::malformed);
}

}  // namespace
}  // namespace postern::codec::http
