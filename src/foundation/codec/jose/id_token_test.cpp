#include "foundation/codec/jose/id_token.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/jose/jose_error.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::jose {
namespace {

constexpr std::int64_t k_now_s = 1'800'000'000;

IdToken good_token() {
    IdToken token;
    token.issuer = "https://login.example";
    token.subject = "248289761001";
    token.audience = {"postern"};
    token.expires_at_s = k_now_s + 300;
    token.issued_at_s = k_now_s - 2;
    token.nonce = "n-0S6_WzA2Mj";
    return token;
}
Expected expected() {
    return {"https://login.example", "postern", "n-0S6_WzA2Mj", k_now_s, std::nullopt};
}

void refused(const std::function<void(IdToken&)>& change, JoseError error) {
    auto token = good_token();
    change(token);
    const auto judged = judge(token, expected());
    ASSERT_FALSE(judged) << describe(error).code.view();
    EXPECT_TRUE(judged.error().is(error)) << judged.error().code();
}

TEST(IdToken, one_for_this_sign_in_is_good) {
    EXPECT_TRUE(judge(good_token(), expected()));
    auto with_party = good_token();
    with_party.authorized_party = "postern";
    EXPECT_TRUE(judge(with_party, expected()));
    auto late = good_token();
    late.expires_at_s = k_now_s - k_leeway_s + 1;
    EXPECT_TRUE(judge(late, expected()));
}

TEST(IdToken, every_other_one_is_refused) {
    refused([](IdToken& t) { t.issuer += "/"; }, JoseError::wrong_issuer);
    refused([](IdToken& t) { t.audience = {"other"}; }, JoseError::wrong_audience);
    refused([](IdToken& t) { t.audience = {"postern", "other"}; }, JoseError::wrong_audience);
    refused([](IdToken& t) { t.audience.clear(); }, JoseError::wrong_audience);
    refused([](IdToken& t) { t.authorized_party = "other"; }, JoseError::wrong_party);
    refused([](IdToken& t) { t.authorized_party = ""; }, JoseError::wrong_party);
    refused([](IdToken& t) { t.expires_at_s = k_now_s - k_leeway_s; }, JoseError::expired);
    refused([](IdToken& t) { t.issued_at_s = k_now_s - 3600; }, JoseError::expired);
    refused([](IdToken& t) { t.issued_at_s = k_now_s + 120; }, JoseError::not_yet_issued);
    refused([](IdToken& t) { t.nonce = "other"; }, JoseError::wrong_nonce);
    refused([](IdToken& t) { t.nonce = ""; }, JoseError::wrong_nonce);
    auto nothing_expected = expected();
    nothing_expected.nonce = "";
    auto without = good_token();
    without.nonce = "";
    EXPECT_TRUE(judge(without, nothing_expected).error().is(JoseError::wrong_nonce));
}

TEST(IdToken, a_sign_in_that_was_asked_for_must_be_of_now) {
    auto wanted = expected();
    wanted.signed_in_after_s = k_now_s - 30;
    auto token = good_token();
    EXPECT_TRUE(judge(token, wanted).error().is(JoseError::signed_in_too_long_ago));
    token.signed_in_at_s = k_now_s - 30 - k_leeway_s - 1;
    EXPECT_TRUE(judge(token, wanted).error().is(JoseError::signed_in_too_long_ago));
    token.signed_in_at_s = k_now_s + k_leeway_s + 1;
    EXPECT_TRUE(judge(token, wanted).error().is(JoseError::signed_in_too_long_ago));
    token.signed_in_at_s = k_now_s - 5;
    EXPECT_TRUE(judge(token, wanted));
}

constexpr std::string_view k_claims =
    R"("iss":"https://login.example","sub":"1","exp":1800000300,"iat":1800000000)";

Result<IdToken> parse(std::string_view more) {
    return parse_id_token(as_bytes("{" + std::string(k_claims) + std::string(more) + "}"));
}

TEST(IdToken, claims_are_read) {
    const auto token = parse(R"(,"aud":"postern","nonce":"n","azp":"postern","auth_time":1799999999,
        "email":"lea@brand.example","email_verified":true,"name":"L\u00e9a","groups":["a"])");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->subject, "1");
    EXPECT_EQ(token->audience, std::vector<std::string>{"postern"});
    EXPECT_EQ(token->authorized_party, "postern");
    EXPECT_EQ(token->signed_in_at_s, 1'799'999'999);
    EXPECT_EQ(token->email, "lea@brand.example");
    EXPECT_TRUE(token->email_is_verified);
    const std::vector<std::string> two{"postern", "x"};
    EXPECT_EQ(parse(R"(,"aud":["postern","x"])")->audience, two);
}

TEST(IdToken, an_address_counts_only_where_the_provider_says_true) {
    for (const std::string_view more :
         {R"(,"email_verified":"true")", R"(,"email_verified":1)", R"(,"email_verified":false)",
          R"(,"email_verified":null)", ""}) {
        const auto token =
            parse(R"(,"aud":"postern","email":"lea@brand.example")" + std::string(more));
        ASSERT_TRUE(token) << more;
        EXPECT_FALSE(token->email_is_verified) << more;
    }
}

TEST(IdToken, other_claims_are_none) {
    for (const std::string_view more : {"", R"(,"aud":[])", R"(,"aud":[1])", R"(,"aud":7)",
                                        R"(,"aud":"")", R"(,"aud":"postern","aud":"postern")"}) {
        EXPECT_FALSE(parse(more)) << more;
    }
    for (const std::string_view text :
         {"", "[]", R"({"iss":"i","sub":"1","aud":"p","exp":1.5,"iat":1})",
          R"({"iss":"i","sub":"","aud":"p","exp":2,"iat":1})",
          R"({"iss":"i","sub":"\u0000","aud":"p","exp":2,"iat":1})",
          R"({"iss":"i","sub":"\u00e9","aud":"p","exp":2,"iat":1})",
          R"({"iss":"i","sub":1,"aud":"p","exp":2,"iat":1})",
          R"({"iss":"i","sub":"1","aud":"p","exp":"2","iat":1})",
          R"({"iss":"i","sub":"1","aud":"p","exp":9223372036854775807,"iat":1})",
          R"({"iss":"i","sub":"1","aud":"p","exp":-2,"iat":1})",
          R"({"sub":"1","aud":"p","exp":2,"iat":1})"}) {
        EXPECT_FALSE(parse_id_token(as_bytes(text))) << text;
    }
    const auto long_subject = R"({"iss":"i","aud":"p","exp":2,"iat":1,"sub":")" +
                              std::string(k_subject_bytes_max + 1, 'x') + "\"}";
    EXPECT_FALSE(parse_id_token(as_bytes(long_subject)));
}

}  // namespace
}  // namespace postern::jose
