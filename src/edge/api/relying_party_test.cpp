#include "edge/api/relying_party.h"

#include "edge/api/api_error.h"
#include "edge/api/services.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace postern::api {
namespace {

TEST(RelyingParty, is_the_public_host) {
    const struct {
        const char* url;
        const char* id;
        const char* origin;
    } k_cases[] = {
        {"https://postern.example", "postern.example", "https://postern.example"},
        {"https://Postern.Example:8443", "postern.example", "https://postern.example:8443"},
        {"https://postern.example:443", "postern.example", "https://postern.example"},
        {"http://localhost:8080", "localhost", "http://localhost:8080"},
        {"http://localhost:80", "localhost", "http://localhost"},
        {"https://postern.example:80", "postern.example", "https://postern.example:80"},
    };
    for (const auto& one : k_cases) {
        const auto party = relying_party_of(Site{{8080}, one.url, "", "1"});
        ASSERT_TRUE(party.has_value()) << one.url;
        EXPECT_EQ(party->id, one.id);
        EXPECT_EQ(party->origins, std::vector<std::string>{one.origin});
    }
}

TEST(RelyingParty, without_a_public_url_is_this_machine_at_our_ports) {
    const auto party = relying_party_of(Site{{8080, 443}, "", "", "1"});
    ASSERT_TRUE(party.has_value());
    EXPECT_EQ(party->id, "localhost");
    EXPECT_EQ(party->origins,
              (std::vector<std::string>{"http://localhost:8080", "https://localhost:8080",
                                        "http://localhost:443", "https://localhost"}));
}

TEST(RelyingParty, is_no_address) {
    for (const char* url : {"https://192.0.2.7", "https://192.0.2.7:8443", "https://[2001:db8::1]",
                            "https://[2001:db8::1]:8443"}) {
        const auto party = relying_party_of(Site{{8080}, url, "", "1"});
        ASSERT_FALSE(party.has_value()) << url;
        EXPECT_TRUE(party.error().is(ApiError::passkeys_not_possible));
    }
}

}  // namespace
}  // namespace postern::api
