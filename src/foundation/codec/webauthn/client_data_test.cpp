#include "foundation/codec/webauthn/client_data.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/vectors_test.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>

namespace postern::webauthn {
namespace {

const std::string k_minimal =
    R"({"type":"webauthn.get","challenge":"AAEC","origin":"https://a.example"})";

bool is_malformed(const std::string& json) {
    const auto data = parse_client_data(as_bytes(json));
    return !data && data.error().is(WebauthnError::malformed_client_data);
}
std::string with(const std::string& from, const std::string& to) {
    return std::string(k_minimal).replace(k_minimal.find(from), from.size(), to);
}

TEST(ClientData, reads_members_and_passes_over_others) {
    const auto data = parse_client_data(as_bytes(k_minimal));
    ASSERT_TRUE(data);
    EXPECT_EQ(data->type, "webauthn.get");
    EXPECT_EQ(data->challenge, (Bytes{0, 1, 2}));
    EXPECT_EQ(data->origin, "https://a.example");
    EXPECT_FALSE(data->is_cross_origin);
    const test::Vector vector("packed-self.ES256");
    const auto extended = parse_client_data(vector.at("client_data"));
    ASSERT_TRUE(extended);
    EXPECT_EQ(extended->challenge, vector.at("challenge"));
    // Level 2 had tokenBinding.
    EXPECT_TRUE(parse_client_data(
        as_bytes(with("}", R"(,"tokenBinding":{"status":"supported"},"crossOrigin":false})"))));
}

TEST(ClientData, tells_frames_of_other_sites) {
    for (const char* more : {R"(,"crossOrigin":true})", R"(,"topOrigin":"https://b.example"})",
                             R"(,"crossOrigin":false,"topOrigin":"https://b.example"})"}) {
        const auto data = parse_client_data(as_bytes(with("}", more)));
        ASSERT_TRUE(data) << more;
        EXPECT_TRUE(data->is_cross_origin) << more;
    }
}

TEST(ClientData, refuses_what_is_malformed) {
    for (const std::string& json : {std::string(),
                                    std::string("[]"),
                                    std::string("\"x\""),
                                    std::string("{}"),
                                    "\xef\xbb\xbf" + k_minimal,
                                    k_minimal + k_minimal,
                                    k_minimal + "x",
                                    with("\"type\"", "\"Type\""),
                                    with("\"webauthn.get\"", "1"),
                                    with("\"challenge\"", "\"Challenge\""),
                                    with("\"AAEC\"", "null"),
                                    with("AAEC", "AAE="),
                                    with("AAEC", "AA+C"),
                                    with("AAEC", "AAF"),
                                    with("AAEC", "A"),
                                    with("AAEC", "AAEB\\n"),
                                    with("\"origin\"", "\"origins\""),
                                    with("\"https://a.example\"", "[]"),
                                    with("https", "\xff\xfe"),
                                    with("}", ",\"type\":\"webauthn.get\"}"),
                                    with("}", ",\"crossOrigin\":\"true\"}"),
                                    with("}", ",\"crossOrigin\":1}"),
                                    with("}", ",\"crossOrigin\":null}"),
                                    with("AAEC", std::string(344, 'A'))}) {
        EXPECT_TRUE(is_malformed(json)) << json;
    }
    for (std::size_t size = 0; size < k_minimal.size(); ++size)
        EXPECT_TRUE(is_malformed(k_minimal.substr(0, size))) << size;
}

TEST(ClientData, is_bounded) {
    const auto padded = [](std::size_t size) {
        return k_minimal + std::string(size - k_minimal.size(), ' ');
    };
    EXPECT_FALSE(is_malformed(padded(k_client_data_bytes_max)));
    EXPECT_TRUE(is_malformed(padded(k_client_data_bytes_max + 1)));
    EXPECT_TRUE(is_malformed(std::string(k_client_data_bytes_max, '[')));
}

}  // namespace
}  // namespace postern::webauthn
