#include "edge/api/site.h"

#include "edge/api/services.h"

#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <utility>

namespace postern::api {
namespace {

using net::http::Request;

Request request_with(std::initializer_list<std::pair<const char*, const char*>> headers) {
    Request request;
    request.method = "POST";
    request.target = "/v1/x";
    request.host = "localhost:8080";
    for (const auto& [name, value] : headers)
        request.headers.add(name, value);
    return request;
}

TEST(Site, loopback_names_with_our_port_and_the_public_host_are_ours) {
    const Site site{{8080, 8443}, "https://Postern.example:8443/x", "", "1"};
    for (const auto* host :
         {"localhost:8080", "LOCALHOST:8080", "localhost", "127.0.0.1:8443", "127.0.0.1",
          "[::1]:8080", "[::1]", "postern.example:8443", "POSTERN.EXAMPLE:8443"}) {
        EXPECT_TRUE(is_our_host(site, host)) << host;
    }
}

TEST(Site, every_other_name_is_foreign) {
    const Site site{{8080}, "https://postern.example", "", "1"};
    for (const auto* host :
         {"", "evil.example", "evil.example:8080", "localhost:8081", "localhost:", "localhost:80x",
          "localhost.evil.example", "127.0.0.2:8080", "127.0.0.1.nip.io:8080", "[::1", "::1",
          "[::2]:8080", "postern.example:8080", "xpostern.example", "a b", "localhost:8080:8080",
          "localhost:18446744073709551616", "localhost@evil.example"}) {
        EXPECT_FALSE(is_our_host(site, host)) << host;
    }
    EXPECT_FALSE(is_our_host(Site{{8080}, "", "", ""}, ""));
}

TEST(Site, links_lead_to_the_public_name_else_to_this_machine) {
    const Site named{{8080}, "https://postern.example", "", "1"};
    const Site unnamed{{8080}, "", "", "1"};
    auto request = request_with({});
    EXPECT_EQ(page_url(named, request, "/reset"), "https://postern.example/reset");
    for (const auto* host : {"localhost:8080", "127.0.0.1:8080", "[::1]:8080"}) {
        request.host = host;
        EXPECT_EQ(page_url(unnamed, request, "/reset"), "http://localhost:8080/reset");
    }
    request.host = "localhost";
    request.secure = true;
    EXPECT_EQ(page_url(unnamed, request, "/reset"), "https://localhost/reset");
}

TEST(Site, origin_is_ours_only_when_a_browser_says_so) {
    EXPECT_TRUE(is_same_origin(request_with({{"Sec-Fetch-Site", "same-origin"}})));
    EXPECT_TRUE(is_same_origin(request_with({{"Origin", "http://localhost:8080"}})));
    const std::initializer_list<std::pair<const char*, const char*>> foreign[] = {
        {},
        {{"Origin", "null"}},
        {{"Origin", "http://localhost:8081"}},
        {{"Origin", "https://localhost:8080"}},
        {{"Origin", "http://localhost:8080.evil.example"}},
        {{"Sec-Fetch-Site", "same-site"}},
        {{"Sec-Fetch-Site", "none"}},
        {{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://localhost:8080"}},
    };
    for (const auto& headers : foreign)
        EXPECT_FALSE(is_same_origin(request_with(headers)));
    auto secure = request_with({{"Origin", "https://localhost:8080"}});
    secure.secure = true;
    EXPECT_TRUE(is_same_origin(secure));
}

TEST(Site, silence_is_not_foreign_but_another_site_is) {
    EXPECT_TRUE(is_not_foreign(request_with({})));
    EXPECT_TRUE(is_not_foreign(request_with({{"Sec-Fetch-Site", "none"}})));
    EXPECT_FALSE(is_not_foreign(request_with({{"Sec-Fetch-Site", "same-site"}})));
    EXPECT_FALSE(is_not_foreign(request_with({{"Origin", "https://evil.example"}})));
    EXPECT_FALSE(is_not_foreign(request_with({{"Origin", "null"}})));
}

TEST(Site, only_gets_of_plain_loopback_are_redirected) {
    Request request;
    request.method = "GET";
    request.target = "/setup?token=abc";
    request.host = "127.0.0.1:8080";
    EXPECT_EQ(page_redirect(request), "http://localhost:8080/setup?token=abc");
    request.host = "127.0.0.1";
    EXPECT_EQ(page_redirect(request), "http://localhost/setup?token=abc");
    request.host = "[::1]:8080";
    EXPECT_EQ(page_redirect(request), "http://localhost:8080/setup?token=abc");
    request.method = "POST";
    EXPECT_EQ(page_redirect(request), "");
    request.method = "GET";
    request.secure = true;
    EXPECT_EQ(page_redirect(request), "");
    request.secure = false;
    for (const auto* host : {"localhost:8080", "127.0.0.2:8080", "postern.example"}) {
        request.host = host;
        EXPECT_EQ(page_redirect(request), "") << host;
    }
}

TEST(Site, security_headers_are_added_once_and_do_not_replace_a_page_s_own) {
    net::http::Response response;
    response.headers.emplace_back("Content-Security-Policy", "own");
    add_security_headers(response, true);
    int policies = 0;
    bool strict = false;
    for (const auto& [name, value] : response.headers) {
        if (name == "Content-Security-Policy") {
            ++policies;
            EXPECT_EQ(value, "own");
        }
        strict = strict || name == "Strict-Transport-Security";
    }
    EXPECT_EQ(policies, 1);
    EXPECT_TRUE(strict);
}

}  // namespace
}  // namespace postern::api
