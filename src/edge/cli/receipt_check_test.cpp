#include "edge/cli/receipt_check.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/keypair.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::cli {
namespace {

const std::string k_covered =
    R"({"id":"rcp_1","kind":"cut_off","at":"2026-01-01T00:00:00.000Z","subject":"int_1","epoch":3,"steps":[{"name":"a","result":"done"}],"bound_ms":5,"link":null})";

crypto::SigningPair pair() {
    return crypto::signing_pair_of(Secret::copy_of(Bytes(32, 7)));
}

std::string signed_behind(std::string statement, const std::string& covered) {
    return codec::base64(crypto::sign(pair(), as_bytes(statement.append(covered))));
}

/// Spelled out, as it stands in the format's description.
std::string signature_of(const std::string& covered) {
    std::string statement("postern receipt 1\0", 18);
    return signed_behind(statement + "cut_off int_1 3 2026-01-01T00:00:00.000Z\n", covered);
}

std::string with_signature(std::string json, const std::string& signature) {
    json.pop_back();
    return json + R"(,"signature":")" + signature + "\"}";
}

Result<> check(const std::string& json) {
    const auto receipt = read_receipt(as_bytes(json));
    if (!receipt) return fail(receipt.error());
    return verify_receipt(*receipt, pair().public_key);
}

TEST(ReceiptCheck, a_signed_receipt_is_good) {
    EXPECT_TRUE(check(with_signature(k_covered, signature_of(k_covered))));
}

TEST(ReceiptCheck, layout_does_not_matter) {
    auto json = with_signature(k_covered, signature_of(k_covered));
    for (std::size_t at = 0; (at = json.find(",\"", at)) != std::string::npos; at += 4)
        json.insert(at + 1, "\n  ");
    EXPECT_TRUE(check(json));
}

TEST(ReceiptCheck, any_change_is_found) {
    const auto signature = signature_of(k_covered);
    for (const auto& [from, to] : {std::pair{"cut_off", "reseal"},
                                   {"rcp_1", "rcp_2"},
                                   {"done", "none"},
                                   {":5", ":6"},
                                   {"null", "\"x\""}}) {
        auto changed = k_covered;
        changed.replace(changed.find(from), std::string(from).size(), to);
        const auto checked = check(with_signature(changed, signature));
        ASSERT_FALSE(checked) << to;
        EXPECT_TRUE(checked.error().is(ReceiptError::wrong_signature)) << to;
    }
    auto more = k_covered;
    more.insert(1, R"("more":true,)");
    EXPECT_FALSE(check(with_signature(more, signature)));
}

TEST(ReceiptCheck, a_signature_for_another_purpose_does_not_count) {
    std::string ledger("postern ledger 1\0", 17);
    EXPECT_FALSE(check(with_signature(k_covered, signed_behind(ledger, k_covered))));
}

// Keeper's own words come first: JSON that front made up to another ending does not fit them.
TEST(ReceiptCheck, what_keeper_stated_and_what_the_receipt_tells_must_agree) {
    std::string statement("postern receipt 1\0", 18);
    for (const std::string& told :
         {std::string("reseal int_1 3 2026-01-01T00:00:00.000Z\n"),
          std::string("cut_off int_2 3 2026-01-01T00:00:00.000Z\n"),
          std::string("cut_off int_1 4 2026-01-01T00:00:00.000Z\n"),
          std::string("cut_off int_1 3 2026-01-02T00:00:00.000Z\n"), std::string()}) {
        const auto signature = signed_behind(statement + told, k_covered);
        const auto checked = check(with_signature(k_covered, signature));
        ASSERT_FALSE(checked) << told;
        EXPECT_TRUE(checked.error().is(ReceiptError::wrong_signature)) << told;
    }
}

TEST(ReceiptCheck, what_stands_behind_the_signature_is_named_as_not_signed) {
    auto json = with_signature(k_covered, signature_of(k_covered));
    json.insert(json.size() - 1, R"(,"note":"all well")");
    const auto receipt = read_receipt(as_bytes(json));
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(verify_receipt(*receipt, pair().public_key));
    EXPECT_EQ(receipt->uncovered, std::vector<std::string>{"note"});
}

TEST(ReceiptCheck, deletion_is_a_cut_off_to_keeper) {
    auto covered = k_covered;
    covered.replace(covered.find("cut_off"), 7, "delete");
    EXPECT_TRUE(check(with_signature(covered, signature_of(covered))));
}

TEST(ReceiptCheck, the_key_that_a_receipt_names_is_covered) {
    auto covered = k_covered;
    covered.insert(1, "\"key\":\"" + codec::base64(pair().public_key) + "\",");
    const auto json = with_signature(covered, signature_of(covered));
    const auto receipt = read_receipt(as_bytes(json));
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->key, pair().public_key);
    EXPECT_TRUE(verify_receipt(*receipt, receipt->key));
    EXPECT_FALSE(verify_receipt(*receipt, Bytes(31, 0)));
}

TEST(ReceiptCheck, what_is_no_receipt_is_refused) {
    const auto good = with_signature(k_covered, signature_of(k_covered));
    for (const std::string& json :
         {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
          std::string(R"({"id":"int_1","kind":"cut_off"})"), good + good,
          std::string(k_receipt_bytes_max + 1, ' '), std::string(10'000, '[')}) {
        const auto receipt = read_receipt(as_bytes(json));
        ASSERT_FALSE(receipt) << json.substr(0, 40);
        EXPECT_TRUE(receipt.error().is(ReceiptError::not_a_receipt)) << json.substr(0, 40);
    }
    auto nested = k_covered;
    nested.insert(1, R"("x":{"y":{"z":1}},)");
    EXPECT_FALSE(read_receipt(as_bytes(with_signature(nested, signature_of(nested)))));
}

TEST(ReceiptCheck, a_missing_or_short_signature_is_named) {
    for (const auto& json : {k_covered, with_signature(k_covered, ""),
                             with_signature(k_covered, "AAAA"), with_signature(k_covered, "??")}) {
        const auto receipt = read_receipt(as_bytes(json));
        ASSERT_FALSE(receipt);
        EXPECT_TRUE(receipt.error().is(ReceiptError::not_signed));
    }
}

}  // namespace
}  // namespace postern::cli
