#include "edge/cli/receipt_check.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/receipt_statement.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::cli {
namespace {

using codec::Json;
using codec::JsonWriter;

constexpr std::size_t k_key_bytes = 32;
constexpr std::size_t k_signature_bytes = 64;

/// False for what is no single value.
bool write_scalar(JsonWriter& out, std::string_view name, const Json& value) {
    if (const auto text = value.text()) {
        out.field(name, *text);
    } else if (const auto number = value.integer()) {
        out.field(name, *number);
    } else if (const auto flag = value.boolean()) {
        out.field(name, *flag);
    } else if (value.is_null()) {
        out.null_field(name);
    } else {
        return false;
    }
    return true;
}

bool write_fields(JsonWriter& out, const Json::Fields& fields) {
    out.begin_object();
    for (const auto& [name, value] : fields) {
        if (!write_scalar(out, name, value)) return false;
    }
    out.end_object();
    return true;
}

/// A receipt holds single values and lists of flat objects, nothing deeper.
bool write_field(JsonWriter& out, const std::string& name, const Json& value) {
    const auto* items = value.items();
    if (items == nullptr) return write_scalar(out, name, value);
    out.begin_array(name);
    for (const auto& item : *items) {
        if (item.fields() == nullptr || !write_fields(out, *item.fields())) return false;
    }
    out.end_array();
    return true;
}

const Json* find(const Json::Fields& fields, std::string_view name) {
    for (const auto& [field, value] : fields) {
        if (field == name) return &value;
    }
    return nullptr;
}

std::string text_of(const Json::Fields& fields, std::string_view name) {
    const auto* value = find(fields, name);
    return std::string(value == nullptr ? "" : value->text().value_or(""));
}

}  // namespace

Result<SignedReceipt> read_receipt(ByteView json) {
    if (json.size() > k_receipt_bytes_max) return fail(ReceiptError::not_a_receipt);
    const auto parsed = Json::parse(json);
    if (!parsed || parsed->fields() == nullptr) return fail(ReceiptError::not_a_receipt);
    const auto& fields = *parsed->fields();
    SignedReceipt receipt;
    receipt.id = text_of(fields, "id");
    receipt.kind = text_of(fields, "kind");
    if (!receipt.id.starts_with("rcp_") || receipt.kind.empty()) {
        return fail(ReceiptError::not_a_receipt);
    }
    auto signature = codec::parse_base64(text_of(fields, "signature"));
    if (!signature || signature->size() != k_signature_bytes) return fail(ReceiptError::not_signed);
    receipt.signature = std::move(*signature);
    if (auto key = codec::parse_base64(text_of(fields, "key"))) receipt.key = std::move(*key);
    JsonWriter covered;
    covered.begin_object();
    bool is_covered = true;
    for (const auto& [name, value] : fields) {
        // What an answer adds behind it (a generated secret, shown once) is no part of the receipt.
        if (!is_covered) receipt.uncovered.push_back(name);
        if (name == "signature") is_covered = false;
        if (!is_covered) continue;
        if (!write_field(covered, name, value)) return fail(ReceiptError::not_a_receipt);
    }
    covered.end_object();
    // To keeper, a deletion is a cut-off.
    const auto* const ending = receipt.kind == "reseal" ? "reseal" : "cut_off";
    const auto* epoch = find(fields, "epoch");
    const auto number = epoch == nullptr ? std::nullopt : epoch->integer();
    if (!number || *number < 0) return fail(ReceiptError::not_a_receipt);
    receipt.covered =
        crypto::receipt_statement(ending, text_of(fields, "subject"),
                                  static_cast<std::uint64_t>(*number), text_of(fields, "at"));
    receipt.covered += covered.take();
    return receipt;
}

Result<> verify_receipt(const SignedReceipt& receipt, ByteView public_key) {
    if (public_key.size() != k_key_bytes ||
        !crypto::verify(public_key, as_bytes(receipt.covered), receipt.signature)) {
        return fail(ReceiptError::wrong_signature);
    }
    return {};
}

}  // namespace postern::cli
