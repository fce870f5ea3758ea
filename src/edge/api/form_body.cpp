#include "edge/api/form_body.h"

#include "edge/api/api_error.h"
#include "edge/api/call.h"
#include "edge/api/page.h"
#include "edge/api/password_field.h"
#include "edge/api/site.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/json.h"
#include "platform/net/http/request.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

constexpr std::size_t k_token_bytes_max = 100;
/// A password of 1,000 bytes with every one escaped, and the rest.
constexpr std::size_t k_form_bytes_max = 8UL * 1024;
constexpr std::size_t k_form_fields_max = 4;

bool is_form(const Request& request) {
    const auto type = request.headers.find("Content-Type").value_or("");
    return net::http::equal_ignoring_case(type.substr(0, type.find(';')),
                                          "application/x-www-form-urlencoded");
}

}  // namespace

Result<std::optional<Fields>> form_body(const Call& call) {
    if (!is_form(call.request)) return fail(ApiError::unsupported_media_type);
    if (!is_not_foreign(call.request)) return fail(ApiError::foreign_origin);
    const auto& bytes = call.request.body;
    if (bytes.size() > k_form_bytes_max) return std::optional<Fields>();
    return parse_form(as_text({bytes.data(), bytes.size()}), k_form_fields_max);
}

std::string take_field(Fields& fields, std::string_view name) {
    for (auto& [field, value] : fields) {
        if (field == name) return std::move(value);
    }
    return {};
}

std::string shown_token(std::string_view token) {
    const bool good =
        token.size() <= k_token_bytes_max && std::all_of(token.begin(), token.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        });
    return good ? std::string(token) : std::string();
}

Result<std::optional<LinkFields>> link_form(const Call& call) {
    POSTERN_TRY(auto fields, form_body(call));
    if (!fields) return std::optional<LinkFields>();
    auto text = take_field(*fields, "password");
    auto password = Secret::take(text);
    return LinkFields{shown_token(take_field(*fields, "token")), std::move(password)};
}

Result<LinkFields> link_body(const Call& call, std::vector<codec::FieldError>& errors) {
    if (!is_not_foreign(call.request)) return fail(ApiError::foreign_origin);
    POSTERN_TRY(const auto json, json_body(call));
    codec::ObjectReader body(json, "", errors);
    LinkFields out;
    out.token = body.text("token", k_token_bytes_max);
    out.password = read_password(body, "password");
    body.finish();
    return out;
}

std::string token_of_link(const Call& call) {
    auto fields = parse_form(call.request.query(), k_form_fields_max);
    return fields ? shown_token(take_field(*fields, "token")) : std::string();
}

}  // namespace postern::api
