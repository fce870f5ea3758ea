#include "foundation/codec/webauthn/client_data.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::webauthn {
namespace {

const codec::Json* find(const codec::Json::Fields& fields, std::string_view name) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [name](const auto& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

std::optional<std::string_view> text(const codec::Json::Fields& fields, std::string_view name) {
    const auto* const value = find(fields, name);
    return value == nullptr ? std::nullopt : value->text();
}

}  // namespace

Result<ClientData> parse_client_data(ByteView json) {
    constexpr auto k_malformed = WebauthnError::malformed_client_data;
    if (json.size() > k_client_data_bytes_max) return fail(k_malformed, "too large");
    const auto parsed = codec::Json::parse(json);
    if (!parsed) return fail(k_malformed, std::string(parsed.error().code()));
    const auto* const fields = parsed->fields();
    if (fields == nullptr) return fail(k_malformed, "no object");
    const auto type = text(*fields, "type");
    const auto challenge = text(*fields, "challenge");
    const auto origin = text(*fields, "origin");
    if (!type || !challenge || !origin) return fail(k_malformed, "a member is missing");
    auto decoded = codec::parse_base64url(*challenge);
    if (!decoded || decoded->size() > k_challenge_bytes_max)
        return fail(k_malformed, "the challenge is not base64url");
    bool is_cross_origin = find(*fields, "topOrigin") != nullptr;
    if (const auto* const flag = find(*fields, "crossOrigin")) {
        const auto value = flag->boolean();
        if (!value) return fail(k_malformed, "crossOrigin is no boolean");
        is_cross_origin = is_cross_origin || *value;
    }
    return ClientData{.type = std::string(*type),
                      .challenge = std::move(*decoded),
                      .origin = std::string(*origin),
                      .is_cross_origin = is_cross_origin};
}

}  // namespace postern::webauthn
