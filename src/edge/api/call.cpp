#include "edge/api/call.h"

#include "edge/api/api_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

bool is_json(std::string_view content_type) {
    const auto kind = content_type.substr(0, content_type.find_first_of("; "));
    return net::http::equal_ignoring_case(kind, "application/json");
}

/// The text without its last brace, with room for what comes.
std::string reopened(std::string& json, std::size_t more) {
    POSTERN_INVARIANT(json.size() > 2 && json.back() == '}');
    std::string out;
    out.reserve(json.size() + more);
    out.append(json, 0, json.size() - 1);
    wipe(json.data(), json.size());
    return out;
}

}  // namespace

Result<codec::Json> json_body(const Call& call, bool optional) {
    const auto& body = call.request.body;
    if (optional && body.empty()) return codec::Json::parse(as_bytes("{}"));
    const auto type = call.request.headers.find("Content-Type");
    if (!type || !is_json(*type)) return fail(ApiError::unsupported_media_type);
    return codec::Json::parse({body.data(), body.size()});
}

Result<std::vector<codec::FieldError>> empty_body(const Call& call) {
    POSTERN_TRY(const auto json, json_body(call, true));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(json, "", errors);
    body.finish();
    return errors;
}

std::string caller_address(const Call& call) {
    return call.request.peer.address.unmapped().text();
}

Response json_response(int status, std::string json) {
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = std::move(json);
    return response;
}

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

std::string with_secret(std::string json, std::string_view name, const Secret& text) {
    constexpr std::size_t k_marks = 8;
    auto out = reopened(json, name.size() + text.size() + k_marks);
    out.append(",\"").append(name).append("\":\"");
    text.with_bytes([&](ByteView bytes) { out.append(as_text(bytes)); });
    out.append("\"}");
    return out;
}

std::string with_secrets(std::string json,
                         std::string_view name,
                         const std::vector<Secret>& texts) {
    constexpr std::size_t k_marks = 8;
    std::size_t bytes = name.size() + k_marks;
    for (const auto& text : texts)
        bytes += text.size() + 3;
    auto out = reopened(json, bytes);
    out.append(",\"").append(name).append("\":[");
    for (std::size_t i = 0; i < texts.size(); ++i) {
        out.append(i == 0 ? "\"" : ",\"");
        texts[i].with_bytes([&](ByteView text) { out.append(as_text(text)); });
        out.append("\"");
    }
    out.append("]}");
    return out;
}

std::string with_field(std::string json, std::string_view name, std::string_view raw) {
    constexpr std::size_t k_marks = 8;
    auto out = reopened(json, name.size() + raw.size() + k_marks);
    out.append(",\"").append(name).append("\":").append(raw).append("}");
    return out;
}

Answer answer_with(Response response) {
    co_return response;
}

Answer answer_with(Error error) {
    co_return fail(std::move(error));
}

Error unknown_id() {
    return Error(ApiError::not_found);
}

}  // namespace postern::api
