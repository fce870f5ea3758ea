#include "edge/api/authentication.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

net::http::Request request_with(std::string_view name, std::string_view value) {
    net::http::Request request;
    request.method = "GET";
    request.host = "localhost:8080";
    request.headers.add(name, value);
    return request;
}

TEST(Credentials, bearer_is_what_follows_the_scheme) {
    for (const auto* value : {"Bearer pst_x", "bearer pst_x", "BEARER pst_x"}) {
        EXPECT_EQ(credentials_of(request_with("Authorization", value)).bearer, "pst_x");
    }
    for (const auto* value : {"", "Basic eDp5", "Bearer", "pst_x", "Bearerpst_x"}) {
        EXPECT_EQ(credentials_of(request_with("Authorization", value)).bearer, "") << value;
    }
    EXPECT_FALSE(credentials_of(request_with("X", "y")).bearer.has_value());
}

TEST(Credentials, cookie_counts_by_its_exact_name_only) {
    const std::pair<const char*, const char*> good[] = {{"postern=a", "a"},
                                                        {"x=1; postern=a", "a"},
                                                        {"postern=a; x=1", "a"},
                                                        {"postern=a=b", "a=b"}};
    for (const auto& [cookies, value] : good) {
        EXPECT_EQ(credentials_of(request_with("Cookie", cookies)).session, value) << cookies;
    }
    for (const auto* cookies :
         {"xpostern=a", "postern2=a", "Postern=a", "x=postern=a", "postern", "__Host-postern=a"}) {
        EXPECT_FALSE(credentials_of(request_with("Cookie", cookies)).session.has_value())
            << cookies;
    }
}

TEST(Credentials, on_tls_only_the_host_bound_cookie_counts) {
    auto request = request_with("Cookie", "postern=plain; __Host-postern=bound");
    request.secure = true;
    EXPECT_EQ(credentials_of(request).session, "bound");
    request = request_with("Cookie", "postern=plain");
    request.secure = true;
    EXPECT_FALSE(credentials_of(request).session.has_value());
}

TEST(Credentials, everything_but_get_and_head_changes_something) {
    auto request = request_with("X", "y");
    for (const auto* method : {"GET", "HEAD"}) {
        request.method = method;
        EXPECT_FALSE(credentials_of(request).changes_something) << method;
    }
    for (const auto* method : {"POST", "DELETE", "PATCH", "OPTIONS", "get"}) {
        request.method = method;
        EXPECT_TRUE(credentials_of(request).changes_something) << method;
    }
}

TEST(Cookie, no_script_and_no_other_site_gets_it) {
    const auto text = Secret::copy_of(as_bytes("pss_x"));
    EXPECT_EQ(session_cookie(text, true, 60),
              "__Host-postern=pss_x; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure");
    EXPECT_EQ(session_cookie(text, false, 60),
              "postern=pss_x; Max-Age=60; Path=/; HttpOnly; SameSite=Strict");
    EXPECT_EQ(ended_session_cookie(false),
              "postern=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace postern::api
