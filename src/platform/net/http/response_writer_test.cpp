#include "platform/net/http/response_writer.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace postern::net::http {
namespace {

std::string head_of(const Response& response, HeadOptions options) {
    WipedBytes out;
    append_head(out, response, options);
    return std::string(as_text({out.data(), out.size()}));
}

std::string without_date(std::string head) {
    const auto at = head.find("Date: ");
    return head.erase(at, head.find("\r\n", at) + 2 - at);
}

TEST(ResponseWriter, dates_are_in_the_standard_form) {
    EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ResponseWriter, head_has_length_type_and_own_fields) {
    Response response = text_response(201, "abc");
    response.headers = {{"Location", "/v1/x"},
                        {"content-length", "7"},
                        {"Connection", "x"},
                        {"Transfer-Encoding", "chunked"},
                        {"Content-Type", "b/c"}};
    EXPECT_EQ(without_date(head_of(response, {.body_size = 3})),
              "HTTP/1.1 201 Created\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Location: /v1/x\r\nContent-Length: 3\r\n\r\n");
}

TEST(ResponseWriter, framing_shows) {
    Response response;
    EXPECT_TRUE(head_of(response, {.framing = Framing::chunked})
                    .ends_with("Transfer-Encoding: chunked\r\n\r\n"));
    EXPECT_TRUE(head_of(response, {.framing = Framing::until_close, .keep_alive = false})
                    .ends_with("GMT\r\nConnection: close\r\n\r\n"));
    response.status = 204;
    EXPECT_TRUE(head_of(response, {}).ends_with("GMT\r\n\r\n"));
}

TEST(ResponseWriter, line_breaks_cannot_be_written) {
    using namespace std::literals;
    const auto with = [](std::string name, std::string value) {
        Response response;
        response.headers = {{std::move(name), std::move(value)}};
        return response;
    };
    EXPECT_TRUE(is_writable(with("X-A", "b c\t\xc3\xa9")));
    for (const auto& response :
         {with("X", "a\r\nSet-Cookie: b"), with("X", "a\nb"), with("X", "a\0b"s),
          with("X\r\nY", "a"), with("", "a"), with("X:Y", "a"), with("X ", "a")}) {
        EXPECT_FALSE(is_writable(response));
    }
    Response response;
    response.content_type = "a/b\r\nX: y";
    EXPECT_FALSE(is_writable(response));
    for (const int status : {0, 99, 100, 101, 199, 600, -1}) {
        Response odd;
        odd.status = status;
        EXPECT_FALSE(is_writable(odd)) << status;
    }
}

}  // namespace
}  // namespace postern::net::http
