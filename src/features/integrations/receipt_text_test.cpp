#include "features/integrations/receipt_text.h"

#include "features/integrations/integration_types.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/json.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <string>
#include <vector>

namespace postern::integrations {
namespace {

Receipt sample() {
    Receipt receipt;
    receipt.id = ReceiptId::make(1'800'000'000'000);
    receipt.kind = "cut_off";
    receipt.state = "pending";
    receipt.at_ms = 1'800'000'000'123;
    receipt.subject = "int_x";
    receipt.epoch = 3;
    receipt.steps = {{"requested", "recorded", 1'800'000'000'000}, {"epoch_raised", "epoch 3", 5}};
    receipt.bound_ms = 12;
    receipt.advice = "Change the password.";
    receipt.key = to_bytes("key");
    receipt.signature = to_bytes("signature");
    return receipt;
}

TEST(ReceiptText, is_the_same_bytes_for_whoever_checks_the_signature) {
    const auto receipt = sample();
    EXPECT_EQ(receipt_json(receipt, false),
              R"({"id":")" + receipt.id.text() +
                  R"(","kind":"cut_off","state":"pending","at":"2027-01-15T08:00:00.123Z",)"
                  R"("subject":"int_x","epoch":3,"steps":[)"
                  R"({"name":"requested","result":"recorded","at":"2027-01-15T08:00:00.000Z"},)"
                  R"({"name":"epoch_raised","result":"epoch 3","at":"1970-01-01T00:00:00.005Z"}],)"
                  R"("bound_ms":12,"advice":"Change the password.","link":null,"key":"a2V5"})");
}

TEST(ReceiptText, with_its_signature_is_the_signed_text_and_one_field_more) {
    const auto receipt = sample();
    auto text = receipt_json(receipt, false);
    text.pop_back();
    EXPECT_EQ(receipt_json(receipt, true), text + R"(,"signature":"c2lnbmF0dXJl"})");
}

TEST(ReceiptText, signature_does_not_cover_itself) {
    auto other = sample();
    other.id = sample().id;
    const auto receipt = other;
    other.signature = to_bytes("another");
    EXPECT_EQ(receipt_json(receipt, false), receipt_json(other, false));
    EXPECT_NE(receipt_json(receipt, true), receipt_json(other, true));
}

TEST(ReceiptText, every_field_that_is_told_is_signed) {
    const auto receipt = sample();
    const auto changed = [&](auto change) {
        auto other = receipt;
        change(other);
        return receipt_json(other, false);
    };
    const std::vector<std::string> texts = {
        changed([](Receipt& r) { r.id = ReceiptId::make(1); }),
        changed([](Receipt& r) { r.kind = "delete"; }),
        changed([](Receipt& r) { r.state = "final"; }),
        changed([](Receipt& r) { ++r.at_ms; }),
        changed([](Receipt& r) { r.subject = "int_y"; }),
        changed([](Receipt& r) { ++r.epoch; }),
        changed([](Receipt& r) { r.steps.pop_back(); }),
        changed([](Receipt& r) { r.steps[0].name = "x"; }),
        changed([](Receipt& r) { r.steps[0].result = "x"; }),
        changed([](Receipt& r) { ++r.steps[0].at_ms; }),
        changed([](Receipt& r) { ++r.bound_ms; }),
        changed([](Receipt& r) { r.advice.clear(); }),
        changed([](Receipt& r) { r.link = "https://x.example/"; }),
        changed([](Receipt& r) { r.key = to_bytes("yek"); }),
    };
    for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_NE(texts[i], receipt_json(receipt, false)) << i;
}

TEST(ReceiptText, text_cannot_break_out_of_its_field) {
    auto receipt = sample();
    receipt.steps = {{"a\",\"x\":\"", "line\nend\\", 0}};
    receipt.link = "https://x.example/?a=\"b\"";
    const auto text = receipt_json(receipt, true);
    const auto json = codec::Json::parse(as_bytes(text));
    ASSERT_TRUE(json.has_value()) << text;
    ASSERT_NE(json->fields(), nullptr);
    EXPECT_EQ(json->fields()->size(), 12);
}

TEST(ReceiptText, receipt_without_steps_is_json) {
    const Receipt empty;
    EXPECT_TRUE(codec::Json::parse(as_bytes(receipt_json(empty, true))).has_value());
}

}  // namespace
}  // namespace postern::integrations
