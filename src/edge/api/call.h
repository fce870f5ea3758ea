#pragma once

#include "edge/api/services.h"
#include "foundation/base/id.h"
#include "foundation/codec/json.h"
#include "platform/net/http/request.h"
#include "platform/net/http/response.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

using net::http::Request;
using net::http::Response;
using Answer = async::Task<Response>;

/// What an idempotent endpoint and its record tell each other.
struct Record {
    /// The id that the endpoint gives to what it makes: a repetition after a crash looks for it.
    std::array<std::uint8_t, 16> reserved{};
    /// What was made, told by the endpoint; nothing: `reserved`.
    std::optional<std::array<std::uint8_t, 16>> made;
};

/// One request on its way through the API. Owned by its endpoint.
struct Call {
    Request request;
    std::vector<std::string> parameters;  ///< of the route's pattern, in order
    std::shared_ptr<const Services> services;
    std::shared_ptr<Record> record;

    [[nodiscard]] const Services& use() const { return *services; }
    [[nodiscard]] std::string_view parameter(std::size_t index) const {
        return index < parameters.size() ? std::string_view(parameters[index]) : std::string_view{};
    }
    template <typename Tag>
    [[nodiscard]] Id<Tag> reserved_id() const {
        return Id<Tag>(record->reserved);
    }
    template <typename Tag>
    void made(const Id<Tag>& id) const {
        record->made = id.raw();
    }
};

/// An id of the path. One that is not well formed is simply not there. Errors: not_found.
template <typename Tag>
[[nodiscard]] Result<Id<Tag>> path_id(const Call& call, std::size_t index);

/// The body as JSON. `optional`: nothing at all counts as {}.
/// Errors: unsupported_media_type, and those of codec::Json.
[[nodiscard]] Result<codec::Json> json_body(const Call& call, bool optional = false);

/// Of a request without fields: those that it has all the same.
[[nodiscard]] Result<std::vector<codec::FieldError>> empty_body(const Call& call);

/// Where the caller is, for the record.
[[nodiscard]] std::string caller_address(const Call& call);

[[nodiscard]] Response json_response(int status, std::string json);
[[nodiscard]] Response no_content();
/// Adds a field to an object's text, without a copy of the secret staying behind.
[[nodiscard]] std::string with_secret(std::string json, std::string_view name, const Secret& text);
/// As an array.
[[nodiscard]] std::string with_secrets(std::string json,
                                       std::string_view name,
                                       const std::vector<Secret>& texts);
/// Adds a field whose value is JSON already.
[[nodiscard]] std::string with_field(std::string json, std::string_view name, std::string_view raw);

/// For endpoints that refuse before they wait for anything.
Answer answer_with(Response response);
Answer answer_with(Error error);

[[nodiscard]] Error unknown_id();
template <typename Tag>
Result<Id<Tag>> path_id(const Call& call, std::size_t index) {
    const auto id = Id<Tag>::parse(call.parameter(index));
    if (!id) return fail(unknown_id());
    return *id;
}

}  // namespace postern::api
