#include "foundation/codec/jose/id_token.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/jose/jose_error.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::jose {
namespace {

using codec::Json;

constexpr std::size_t k_text_bytes_max = 2000;
constexpr std::size_t k_email_bytes_max = 254;
constexpr std::size_t k_audiences_max = 16;
/// Seconds beyond the year 9999 are no time.
constexpr std::int64_t k_time_max_s = 253'402'300'799;

const Json* find(const Json::Fields& fields, std::string_view name) {
    for (const auto& [field, value] : fields) {
        if (field == name) return &value;
    }
    return nullptr;
}

/// Nothing where it is absent, no text, empty, or too long.
std::optional<std::string> text_of(const Json::Fields& fields,
                                   std::string_view name,
                                   std::size_t bytes_max = k_text_bytes_max) {
    const auto* const value = find(fields, name);
    const auto text = value == nullptr ? std::nullopt : value->text();
    if (!text || text->empty() || text->size() > bytes_max) return std::nullopt;
    return std::string(*text);
}

std::optional<std::int64_t> time_of(const Json::Fields& fields, std::string_view name) {
    const auto* const value = find(fields, name);
    const auto number = value == nullptr ? std::nullopt : value->integer();
    if (!number || *number <= 0 || *number > k_time_max_s) return std::nullopt;
    return number;
}

bool is_subject(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

Result<> read_audience(const Json::Fields& fields, IdToken& token) {
    if (auto one = text_of(fields, "aud")) {
        token.audience.push_back(std::move(*one));
        return {};
    }
    const auto* const value = find(fields, "aud");
    const auto* const items = value == nullptr ? nullptr : value->items();
    if (items == nullptr || items->empty() || items->size() > k_audiences_max) {
        return fail(JoseError::malformed, "aud");
    }
    for (const auto& item : *items) {
        if (!item.text()) return fail(JoseError::malformed, "aud");
        token.audience.emplace_back(*item.text());
    }
    return {};
}

}  // namespace

Result<IdToken> parse_id_token(ByteView payload) {
    const auto json = Json::parse(payload);
    const auto* const fields = json ? json->fields() : nullptr;
    if (fields == nullptr) return fail(JoseError::malformed, "claims");
    auto issuer = text_of(*fields, "iss");
    auto subject = text_of(*fields, "sub", k_subject_bytes_max);
    const auto expires = time_of(*fields, "exp");
    const auto issued = time_of(*fields, "iat");
    if (!issuer || !subject || !is_subject(*subject) || !expires || !issued) {
        return fail(JoseError::malformed, "claims");
    }
    IdToken token;
    if (auto read = read_audience(*fields, token); !read) return fail(std::move(read.error()));
    token.issuer = std::move(*issuer);
    token.subject = std::move(*subject);
    token.expires_at_s = *expires;
    token.issued_at_s = *issued;
    token.nonce = text_of(*fields, "nonce").value_or("");
    if (find(*fields, "azp") != nullptr) {
        token.authorized_party = text_of(*fields, "azp").value_or("");
    }
    token.signed_in_at_s = time_of(*fields, "auth_time");
    token.email = text_of(*fields, "email", k_email_bytes_max).value_or("");
    const auto* const verified = find(*fields, "email_verified");
    token.email_is_verified = verified != nullptr && verified->boolean() == true;
    return token;
}

Result<> judge(const IdToken& token, const Expected& expected) {
    if (token.issuer != expected.issuer) return fail(JoseError::wrong_issuer);
    if (token.audience.size() != 1 || token.audience.front() != expected.client_id) {
        return fail(JoseError::wrong_audience);
    }
    if (token.authorized_party && *token.authorized_party != expected.client_id) {
        return fail(JoseError::wrong_party);
    }
    const auto now = expected.now_s;
    if (token.issued_at_s > now + k_leeway_s) return fail(JoseError::not_yet_issued);
    const bool is_old = token.expires_at_s <= now - k_leeway_s ||
                        token.issued_at_s < now - k_token_age_max_s - k_leeway_s;
    if (is_old) return fail(JoseError::expired);
    if (expected.nonce.empty() || token.nonce != expected.nonce) {
        return fail(JoseError::wrong_nonce);
    }
    if (!expected.signed_in_after_s) return {};
    const auto at = token.signed_in_at_s;
    const bool is_recent =
        at && *at >= *expected.signed_in_after_s - k_leeway_s && *at <= now + k_leeway_s;
    if (!is_recent) return fail(JoseError::signed_in_too_long_ago);
    return {};
}

}  // namespace postern::jose
