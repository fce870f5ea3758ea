#include "foundation/codec/jose/jws.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/jose/jose_error.h"
#include "foundation/crypto/public_key_signature.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace postern::jose {
namespace {

// RFC 7515 appendix A.2 and A.3.
constexpr std::string_view k_rfc7515_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
constexpr std::string_view k_a2_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr std::string_view k_a2_modulus =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
constexpr std::string_view k_a3_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view k_a3_x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view k_a3_y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
// RFC 7520 sections 3.3 and 4.1.
constexpr std::string_view k_7520_signature =
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xugl"
    "II7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x"
    "8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE"
    "_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
constexpr std::string_view k_7520_modulus =
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmS"
    "CpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-Of"
    "VfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKw"
    "uCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
constexpr std::string_view k_7520_payload =
    "It\xE2\x80\x99s a dangerous business, Frodo, going out your door. You step onto the road, and "
    "if you don't keep your feet, there\xE2\x80\x99s no knowing where you might be swept off to.";

std::string token(std::string_view header, std::string_view payload, std::string_view signature) {
    std::string out = codec::base64url(as_bytes(header));
    return out.append(".").append(payload).append(".").append(signature);
}
std::string rsa(std::string_view modulus, std::string_view more = "") {
    std::string out = R"({"keys":[{"kty":"RSA","e":"AQAB","n":")";
    return out.append(modulus).append("\"").append(more).append("}]}");
}
std::string p256(std::string_view more = "") {
    std::string out = R"({"keys":[{"kty":"EC","crv":"P-256","x":")";
    return out.append(k_a3_x)
        .append(R"(","y":")")
        .append(k_a3_y)
        .append("\"")
        .append(more)
        .append("}]}");
}

bool verifies(std::string_view compact, std::string_view key_set) {
    const auto jws = parse_jws(compact);
    const auto keys = parse_key_set(as_bytes(key_set));
    if (!jws || !keys || keys->size() != 1) return false;
    const auto& key = keys->front();
    const bool is_rsa = key.algorithm == Algorithm::rs256;
    const auto made = is_rsa ? crypto::PublicKey::rsa(key.first, key.second)
                             : crypto::PublicKey::p256(key.first, key.second);
    if (!made || key.algorithm != jws->algorithm) return false;
    const auto algorithm =
        is_rsa ? crypto::SignatureAlgorithm::rs256 : crypto::SignatureAlgorithm::es256;
    return crypto::verify(algorithm, *made, as_bytes(jws->signed_part), jws->signature);
}

TEST(Jws, vectors_of_rfc_7515_verify) {
    const auto a2 = token(R"({"alg":"RS256"})", k_rfc7515_payload, k_a2_signature);
    const auto a3 = token(R"({"alg":"ES256"})", k_rfc7515_payload, k_a3_signature);
    EXPECT_TRUE(verifies(a2, rsa(k_a2_modulus)));
    EXPECT_TRUE(verifies(a3, p256()));
    EXPECT_FALSE(verifies(a2, rsa(k_7520_modulus)));
    EXPECT_FALSE(verifies(a2, p256()));
    EXPECT_FALSE(verifies(a3, rsa(k_a2_modulus)));
    EXPECT_FALSE(verifies(token(R"({"alg":"ES256"})", "e30", k_a3_signature), p256()));
    const auto jws = parse_jws(a2).value();
    EXPECT_TRUE(as_text(jws.payload).starts_with("{\"iss\":\"joe\",\r\n"));
    EXPECT_EQ(jws.key_id, "");
}

TEST(Jws, vector_of_rfc_7520_verifies) {
    const auto compact = token(R"({"alg":"RS256","kid":"bilbo.baggins@hobbiton.example"})",
                               codec::base64url(as_bytes(k_7520_payload)), k_7520_signature);
    EXPECT_TRUE(verifies(
        compact, rsa(k_7520_modulus, R"(,"kid":"bilbo.baggins@hobbiton.example","use":"sig")")));
    EXPECT_EQ(parse_jws(compact)->key_id, "bilbo.baggins@hobbiton.example");
}

TEST(Jws, only_signatures_with_public_keys_are_taken) {
    for (const std::string_view header :
         {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS256"})", R"({"alg":"RS512"})",
          R"({"alg":"PS256"})", R"({"alg":"rs256"})", R"({"alg":["RS256"]})", R"({"alg":null})",
          R"({})"}) {
        const auto read = parse_jws(token(header, "e30", "AAAA"));
        ASSERT_FALSE(read) << header;
        EXPECT_TRUE(read.error().is(JoseError::unknown_algorithm)) << header;
    }
}

TEST(Jws, what_must_be_understood_is_refused) {
    for (const std::string_view header :
         {R"({"alg":"RS256","crit":["exp"],"exp":1})", R"({"alg":"RS256","crit":[]})",
          R"({"alg":"RS256","b64":false})", R"({"alg":"RS256","zip":"DEF"})"}) {
        const auto read = parse_jws(token(header, "e30", "AAAA"));
        ASSERT_FALSE(read) << header;
        EXPECT_TRUE(read.error().is(JoseError::unknown_extension)) << header;
    }
    EXPECT_TRUE(parse_jws(token(R"({"alg":"RS256","typ":"JWT"})", "e30", "AAAA")));
    for (const std::string_view header :
         {R"({"alg":"RS256","typ":"at+jwt"})", R"({"alg":"RS256","typ":"logout+jwt"})",
          R"({"alg":"RS256","typ":1})"}) {
        const auto read = parse_jws(token(header, "e30", "AAAA"));
        ASSERT_FALSE(read) << header;
        EXPECT_TRUE(read.error().is(JoseError::wrong_type)) << header;
    }
}

TEST(Jws, another_form_is_none) {
    const auto good = token(R"({"alg":"RS256"})", "e30", "AAAA");
    ASSERT_TRUE(parse_jws(good));
    const std::string bad[] = {"",
                               "a",
                               "a.b",
                               good + ".",
                               good + "=",
                               " " + good,
                               good + "\n",
                               "." + good,
                               token("[]", "e30", "AAAA"),
                               token("{", "e30", "AAAA"),
                               token(R"({"alg":"RS256"})", "e3", "A"),
                               token(R"({"alg":"RS256","alg":"RS256"})", "e30", "AAAA"),
                               token(R"({"alg":"RS256","kid":1})", "e30", "AAAA"),
                               token(R"({"alg":"RS256"})", "e30", "AA+/")};
    for (const auto& text : bad) {
        const auto read = parse_jws(text);
        ASSERT_FALSE(read) << text;
        EXPECT_TRUE(read.error().is(JoseError::malformed)) << text;
    }
    const auto long_one = token(R"({"alg":"RS256"})", std::string(k_token_bytes_max, 'A'), "AAAA");
    EXPECT_TRUE(parse_jws(long_one).error().is(JoseError::too_large));
}

TEST(KeySet, keys_for_something_else_are_left_out) {
    EXPECT_EQ(parse_key_set(as_bytes(p256(R"(,"use":"sig","alg":"ES256","kid":"k")")))->size(), 1);
    for (const std::string_view more :
         {R"(,"use":"enc")", R"(,"use":1)", R"(,"alg":"ES384")", R"(,"alg":"RS256")",
          R"(,"key_ops":["sign"])", R"(,"key_ops":"verify")", R"(,"d":"AAAA")"}) {
        const auto keys = parse_key_set(as_bytes(p256(more)));
        ASSERT_TRUE(keys) << more;
        EXPECT_TRUE(keys->empty()) << more;
    }
    const std::string_view others =
        R"({"keys":[{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"P-384","x":"AA","y":"AA"},
            {"kty":"RSA","n":"","e":"AQAB"},{"kty":"RSA","n":"A=","e":"AQAB"},{}]})";
    EXPECT_TRUE(parse_key_set(as_bytes(others))->empty());
}

TEST(KeySet, another_form_is_none) {
    for (const std::string_view text :
         {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[[]]})"}) {
        EXPECT_FALSE(parse_key_set(as_bytes(text))) << text;
    }
    std::string many = R"({"keys":[{})";
    for (std::size_t i = 0; i < k_keys_max; ++i)
        many += ",{}";
    EXPECT_TRUE(parse_key_set(as_bytes(many + "]}")).error().is(JoseError::too_large));
    EXPECT_TRUE(parse_key_set(as_bytes(std::string(k_key_set_bytes_max + 1, ' ')))
                    .error()
                    .is(JoseError::too_large));
}

}  // namespace
}  // namespace postern::jose
