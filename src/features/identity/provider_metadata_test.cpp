#include "features/identity/provider_metadata.h"

#include "features/identity/provider_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/fetch/fetch_protocol.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace postern::identity {
namespace {

constexpr std::string_view k_issuer = "https://login.example/realms/x";
constexpr std::string_view k_plain =
    R"("issuer":"https://login.example/realms/x",
       "authorization_endpoint":"https://login.example/auth",
       "token_endpoint":"https://login.example/token","jwks_uri":"https://login.example/keys",
       "response_types_supported":["code","id_token"],
       "id_token_signing_alg_values_supported":["HS256","RS256"])";

std::string document(std::string_view more = "") {
    return "{" + std::string(k_plain) + std::string(more) + "}";
}
Result<ProviderMetadata> parse(const std::string& json, bool has_secret = true) {
    return parse_provider_metadata(as_bytes(json), k_issuer, has_secret);
}
std::string without(std::string_view part, std::string_view instead = "") {
    auto text = document();
    return text.replace(text.find(part), part.size(), instead);
}

TEST(ProviderMetadata, what_a_sign_in_needs_is_read) {
    const auto read = parse(document());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->authorization_url, "https://login.example/auth");
    EXPECT_EQ(read->token_url, "https://login.example/token");
    EXPECT_EQ(read->keys_url, "https://login.example/keys");
    EXPECT_EQ(read->auth, fetch::ClientAuth::basic);
    EXPECT_FALSE(read->says_issuer);
    EXPECT_TRUE(
        parse(document(R"(,"authorization_response_iss_parameter_supported":true)"))->says_issuer);
}

TEST(ProviderMetadata, the_client_names_itself_as_the_provider_takes_it) {
    constexpr std::string_view k_post =
        R"(,"token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post"])";
    EXPECT_EQ(parse(document(k_post))->auth, fetch::ClientAuth::post);
    EXPECT_EQ(parse(document(k_post), false)->auth, fetch::ClientAuth::none);
    EXPECT_FALSE(parse(document(R"(,"token_endpoint_auth_methods_supported":["none"])")));
    EXPECT_TRUE(parse(document(R"(,"token_endpoint_auth_methods_supported":["none"])"), false));
}

TEST(ProviderMetadata, another_provider_is_refused) {
    for (const std::string_view issuer :
         {"https://login.example/realms/x/", "https://login.example/realms/X",
          "https://LOGIN.example/realms/x", "https://login.example/realms/%78", ""}) {
        EXPECT_FALSE(parse_provider_metadata(as_bytes(document()), issuer, true)) << issuer;
    }
    EXPECT_FALSE(parse(without(R"("issuer":"https://login.example/realms/x",)")));
}

TEST(ProviderMetadata, one_that_cannot_do_it_is_refused) {
    const std::string bad[] = {
        "",
        "[]",
        without("https://login.example/token", "http://login.example/token"),
        without("https://login.example/keys", "file:///keys"),
        without("https://login.example/auth", "https://user@login.example/auth"),
        without(R"("jwks_uri":"https://login.example/keys",)"),
        without(R"(["code","id_token"])", R"(["id_token"])"),
        without(R"(["code","id_token"])", R"("code")"),
        without(R"(["HS256","RS256"])", R"(["HS256","none"])"),
        document(R"(,"code_challenge_methods_supported":["plain"])"),
        document(R"(,"issuer":"https://login.example/realms/x")")};
    for (const auto& json : bad) {
        const auto read = parse(json);
        ASSERT_FALSE(read) << json;
        EXPECT_TRUE(read.error().is(ProviderError::unsuitable)) << json;
    }
    EXPECT_TRUE(parse(document(R"(,"code_challenge_methods_supported":["plain","S256"])")));
}

TEST(ProviderMetadata, names_are_bounded) {
    EXPECT_TRUE(is_issuer("https://accounts.google.com"));
    for (const std::string_view issuer :
         {"http://login.example", "https://login.example?x", "https://login.example/#", ""}) {
        EXPECT_FALSE(is_issuer(issuer)) << issuer;
    }
    EXPECT_FALSE(is_issuer("https://login.example/" + std::string(k_issuer_bytes_max, 'x')));
    EXPECT_TRUE(is_client_id("1234.apps.example"));
    for (const std::string_view id : {"", "a b", "a\r\nb", "\xC3\xA9"})
        EXPECT_FALSE(is_client_id(id)) << id;
    EXPECT_EQ(metadata_url("https://a.example"),
              "https://a.example/.well-known/openid-configuration");
    EXPECT_EQ(metadata_url("https://a.example/x/"),
              "https://a.example/x/.well-known/openid-configuration");
}

}  // namespace
}  // namespace postern::identity
