#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::api {

/// Whether If-Match (RFC 9110 section 13.1.1) lets a change of what has this ETag through: "*", or
/// a list of entity-tags that has it. Weak ones match nothing, and what is no such list neither.
[[nodiscard]] bool if_match_permits(std::string_view field, std::string_view etag);

/// The number of an event as we sent it: digits alone, without zeros in front.
[[nodiscard]] std::optional<std::int64_t> parse_event_id(std::string_view field);

}  // namespace postern::api
