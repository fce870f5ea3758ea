#include "edge/api/secret_field.h"

#include "edge/api/limits.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

constexpr std::int64_t k_secret_shares_max = 8;

}  // namespace

keys::SecretInput read_secret(codec::ObjectReader& body, std::string_view name, bool required) {
    keys::SecretInput out;
    auto read = body.secret(name, k_secret_bytes_max, required);
    if (!read) return out;
    out.clear = std::move(read->clear);
    out.boxed = std::move(read->boxed);
    return out;
}

NewSecret read_new_secret(codec::ObjectReader& body, std::string_view name) {
    NewSecret out;
    out.generate = body.flag("generate");
    const bool is_typed = body.value(name, false) != nullptr;
    if (out.generate == is_typed) {
        body.wrong(name, out.generate ? "invalid" : "missing");
        return out;
    }
    const auto shares = body.optional_integer("shares", 2, k_secret_shares_max);
    const auto threshold = body.optional_integer("threshold", 2, k_secret_shares_max);
    if (shares || threshold) {
        if (!out.generate || !shares || !threshold || *threshold > *shares) {
            body.wrong(shares ? "threshold" : "shares", "invalid");
        } else {
            out.shares = {static_cast<std::uint8_t>(*shares),
                          static_cast<std::uint8_t>(*threshold)};
        }
    }
    if (!is_typed) return out;
    out.typed = read_secret(body, name, true);
    out.is_empty_text = out.typed.clear.empty() && out.typed.boxed.empty();
    return out;
}

std::int64_t read_duration_s(codec::ObjectReader& body,
                             std::string_view name,
                             std::int64_t low,
                             std::int64_t high,
                             std::optional<std::int64_t> otherwise) {
    constexpr std::size_t k_duration_bytes_max = 32;
    if (body.value(name, !otherwise) == nullptr) return otherwise.value_or(0);
    const auto text = body.optional_text(name, k_duration_bytes_max);
    if (!text) return 0;
    const auto seconds = parse_duration_s(*text);
    if (!seconds) {
        body.wrong(name, "invalid");
        return 0;
    }
    if (*seconds < low || *seconds > high) {
        body.wrong(name, "out_of_range");
        return 0;
    }
    return *seconds;
}

}  // namespace postern::api
