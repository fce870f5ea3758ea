#include "edge/api/api_lab_test.h"
#include "edge/api/passkey_body.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/passkeys.h"
#include "features/identity/played_authenticator_test.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::test::PlayedAuthenticator;
using test::Sent;

std::string field(std::string_view name, const Bytes& bytes) {
    return '"' + std::string(name) + R"(":")" + codec::base64url(bytes) + '"';
}

std::string credential_json(const identity::NewPasskey& made, const Bytes& id) {
    return R"({"type":"public-key",)" + field("id", id) + "," + field("rawId", id) +
           R"(,"clientExtensionResults":{},"response":{"publicKeyAlgorithm":-8,)" +
           field("clientDataJSON", made.client_data_json) + "," +
           field("attestationObject", made.attestation_object) + R"(,"transports":["usb"]}})";
}

std::string credential_json(const identity::ShownPasskey& shown) {
    auto out = R"({"type":"public-key",)" + field("id", shown.credential_id) + R"(,"response":{)" +
               field("clientDataJSON", shown.client_data_json) + "," +
               field("authenticatorData", shown.authenticator_data) + "," +
               field("signature", shown.signature);
    if (shown.user_handle) out += "," + field("userHandle", *shown.user_handle);
    return out + "}}";
}

class PasskeysApiTest : public test::ApiLab {
protected:
    PasskeysApiTest() {
        (void)owner();
        site.public_url = "https://postern.example";
        cookie = cookie_of(send({"POST",
                                 "/v1/sessions",
                                 R"({"email":"olga@brand.example","password":")" +
                                     std::string(identity::test::k_password) + R"("})",
                                 {}}));
    }
    static std::string cookie_of(const net::http::Response& response) {
        const auto set = header(response, "Set-Cookie");
        return set.substr(0, set.find(';'));
    }
    net::http::Response ask(std::string method, std::string target, std::string body = {}) {
        Sent sent{std::move(method), std::move(target), std::move(body), {{"Cookie", cookie}}};
        sent.headers.emplace_back("Origin", "http://localhost:8080");
        return send(sent);
    }
    net::http::Response post(std::string target, std::string body = {}) {
        return ask("POST", std::move(target), std::move(body));
    }
    static Bytes bytes_of(const net::http::Response& response, std::string_view name) {
        return codec::parse_base64url(member(response, name)).value();
    }
    static Bytes user_handle_of(const net::http::Response& options) {
        const auto at = options.body.find(R"("user":{"id":")") + 14;
        const auto text = options.body.substr(at, options.body.find('"', at) - at);
        return codec::parse_base64url(text).value();
    }
    net::http::Response add(PlayedAuthenticator& key) {
        const auto told = post("/v1/me/passkeys/options");
        EXPECT_EQ(told.status, 200) << told.body;
        identity::CreationOptions options;
        options.challenge = bytes_of(told, "challenge");
        options.user_handle = user_handle_of(told);
        return post("/v1/me/passkeys", R"({"name":"Key","credential":)" +
                                           credential_json(key.make(options), key.id) + "}");
    }

    std::string cookie;
};

TEST_F(PasskeysApiTest, registers_lists_signs_in_proves_and_deletes) {
    PlayedAuthenticator key;
    const auto added = add(key);
    ASSERT_EQ(added.status, 201) << added.body;
    EXPECT_EQ(member(added, "kind"), "passkey");
    EXPECT_NE(added.body.find("recovery_codes"), std::string::npos);
    const auto listed = ask("GET", "/v1/me/factors");
    EXPECT_NE(listed.body.find(R"("kind":"passkey")"), std::string::npos) << listed.body;

    const auto told = send({"POST", "/v1/passkey-challenges", "", {}});
    ASSERT_EQ(told.status, 200) << told.body;
    EXPECT_EQ(member(told, "rpId"), "postern.example");
    EXPECT_EQ(member(told, "userVerification"), "required");
    EXPECT_NE(told.body.find(R"("allowCredentials":[])"), std::string::npos);
    const auto shown = key.sign(bytes_of(told, "challenge"));
    const auto body = R"({"credential":)" + credential_json(shown) + "}";
    const auto signed_in = send({"POST", "/v1/sessions/passkey", body, {}});
    ASSERT_EQ(signed_in.status, 201) << signed_in.body;
    EXPECT_EQ(member(signed_in, "second_factor_needed"), "false");
    const auto again = send({"POST", "/v1/sessions/passkey", body, {}});
    EXPECT_EQ(again.status, 403);
    EXPECT_EQ(member(again, "code"), "invalid_passkey");

    cookie = cookie_of(signed_in);
    const auto own = post("/v1/sessions/current/passkey-challenge");
    ASSERT_EQ(own.status, 200) << own.body;
    EXPECT_NE(own.body.find(codec::base64url(key.id)), std::string::npos);
    const auto proof = key.sign(bytes_of(own, "challenge"));
    EXPECT_EQ(
        post("/v1/sessions/current/proof", R"({"passkey":)" + credential_json(proof) + "}").status,
        200);
    EXPECT_EQ(ask("DELETE", "/v1/me/factors/" + member(added, "id")).status, 204);
    EXPECT_EQ(post("/v1/sessions/current/passkey-challenge").status, 404);
}

TEST_F(PasskeysApiTest, pages_of_other_sites_begin_nothing) {
    for (const char* target : {"/v1/passkey-challenges", "/v1/sessions/passkey"}) {
        Sent sent{"POST", target, "{}", {{"Origin", "https://evil.example"}}};
        const auto answer = send(sent);
        EXPECT_EQ(answer.status, 403) << target;
        EXPECT_EQ(member(answer, "code"), "foreign_origin");
    }
}

TEST_F(PasskeysApiTest, where_the_server_is_an_address_nobody_is_asked_for_one) {
    site.public_url = "https://192.0.2.7";
    for (const char* target :
         {"/v1/passkey-challenges", "/v1/me/passkeys/options", "/v1/me/passkeys",
          "/v1/sessions/passkey", "/v1/sessions/current/passkey-challenge"}) {
        const auto answer = post(target, "{}");
        EXPECT_EQ(answer.status, 409) << target;
        EXPECT_EQ(member(answer, "code"), "passkeys_not_possible");
    }
}

TEST_F(PasskeysApiTest, a_proof_is_one_thing) {
    PlayedAuthenticator key;
    const auto passkey = credential_json(key.sign(Bytes(32, 1)));
    for (const auto& body :
         {R"({"code":"1","passkey":)" + passkey + "}",
          R"({"password":"1","passkey":)" + passkey + "}", std::string(R"({"passkey":null})"),
          std::string(R"({"passkey":{}})")}) {
        EXPECT_EQ(post("/v1/sessions/current/proof", body).status, 422) << body;
    }
}

/// The fields that are wrong with this credential.
std::vector<std::string> wrong_with(const std::string& json, bool is_new) {
    const auto parsed = codec::Json::parse(as_bytes(R"({"c":)" + json + "}"));
    EXPECT_TRUE(parsed.has_value()) << json;
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*parsed, "", errors);
    if (is_new) (void)read_new_passkey(body, "c", errors);
    if (!is_new) (void)read_shown_passkey(body, "c", errors);
    std::vector<std::string> out;
    for (const auto& error : errors)
        out.push_back(error.field + " " + std::string(error.code));
    return out;
}

TEST(PasskeyBody, each_field_is_asked_for_and_bounded) {
    const auto base = [](std::string_view response) {
        return R"({"type":"public-key","id":"AAAA","response":)" + std::string(response) + "}";
    };
    using List = std::vector<std::string>;
    EXPECT_EQ(wrong_with("{}", true),
              (List{"c.type missing", "c.id missing", "c.response missing"}));
    EXPECT_FALSE(wrong_with("[]", true).empty());
    EXPECT_FALSE(wrong_with("null", false).empty());
    EXPECT_EQ(wrong_with(R"({"type":"password","id":"AAAA","response":{}})", true),
              List{"c.type invalid"});
    EXPECT_EQ(wrong_with(base("{}"), true),
              (List{"c.response.clientDataJSON missing", "c.response.attestationObject missing"}));
    EXPECT_EQ(wrong_with(base("{}"), false),
              (List{"c.response.clientDataJSON missing", "c.response.authenticatorData missing",
                    "c.response.signature missing"}));
    const auto with = [&](const std::string& more) {
        return wrong_with(
            base(R"({"clientDataJSON":"AAAA","attestationObject":"AAAA")" + more + "}"), true);
    };
    EXPECT_EQ(with(""), List{});
    EXPECT_EQ(with(R"(,"future":{"a":[1]})"), List{});
    EXPECT_EQ(with(R"(,"transports":["usb","smart-card"])"), List{});
    for (const char* bad : {R"(["USB"])", R"([""])", "[1]", R"(["a b"])"})
        EXPECT_EQ(with(std::string(R"(,"transports":)") + bad),
                  List{"c.response.transports invalid"});
    EXPECT_EQ(with(R"(,"transports":"usb")"), List{"c.response.transports wrong_type"});
    EXPECT_EQ(with(R"(,"transports":["a","a","a","a","a","a","a","a","a"])"),
              List{"c.response.transports too_long"});
    for (const char* bad : {"", "A", "AAA=", "AA+A", "AAAB A", "AB"}) {
        EXPECT_EQ(wrong_with(base(std::string(R"({"clientDataJSON":")") + bad +
                                  R"(","attestationObject":"AAAA"})"),
                             true),
                  List{"c.response.clientDataJSON invalid"})
            << bad;
    }
    const auto sized = [&](std::size_t bytes) {
        return wrong_with(base(R"({"clientDataJSON":"AAAA","authenticatorData":"AAAA",)" +
                               field("signature", Bytes(bytes)) + "}"),
                          false);
    };
    EXPECT_EQ(sized(512), List{});
    EXPECT_EQ(sized(513), List{"c.response.signature too_long"});
    const auto handle = [&](const std::string& text) {
        return wrong_with(base(R"({"clientDataJSON":"AAAA","authenticatorData":"AAAA",)"
                               R"("signature":"AAAA","userHandle":)" +
                               text + "}"),
                          false);
    };
    EXPECT_EQ(handle('"' + codec::base64url(Bytes(64)) + '"'), List{});
    EXPECT_EQ(handle('"' + codec::base64url(Bytes(65)) + '"'),
              List{"c.response.userHandle too_long"});
    EXPECT_EQ(handle("\"\""), List{"c.response.userHandle invalid"});
}

}  // namespace
}  // namespace postern::api
