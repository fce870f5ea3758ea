#include "foundation/codec/imap/response_code.h"

#include "foundation/codec/imap/text_match.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::imap {

namespace {

using Kind = ResponseCode::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 17> k_names{{
    {"ALREADYEXISTS", Kind::already_exists},
    {"AUTHENTICATIONFAILED", Kind::authentication_failed},
    {"AUTHORIZATIONFAILED", Kind::authorization_failed},
    {"CAPABILITY", Kind::capability},
    {"EXPIRED", Kind::expired},
    {"INUSE", Kind::in_use},
    {"LIMIT", Kind::limit},
    {"NONEXISTENT", Kind::nonexistent},
    {"NOTIFICATIONOVERFLOW", Kind::notification_overflow},
    {"OVERQUOTA", Kind::over_quota},
    {"PRIVACYREQUIRED", Kind::privacy_required},
    {"READ-ONLY", Kind::read_only},
    {"TRYCREATE", Kind::try_create},
    {"UNAVAILABLE", Kind::unavailable},
    {"UIDNEXT", Kind::uid_next},
    {"UIDVALIDITY", Kind::uid_validity},
    {"APPENDUID", Kind::append_uid},
}};

/// A number that is missing or malformed makes the code one we do not know.
ResponseCode with_numbers(ResponseCode code) {
    const bool two = code.kind == Kind::append_uid;
    if (!two && code.kind != Kind::uid_next && code.kind != Kind::uid_validity) return code;
    const std::string_view arguments = code.arguments;
    const std::size_t space = arguments.find(' ');
    constexpr std::uint64_t k_max = std::numeric_limits<std::uint32_t>::max();
    const auto first = parse_number(arguments.substr(0, space), k_max);
    const auto second = space == std::string_view::npos
                            ? std::nullopt
                            : parse_number(arguments.substr(space + 1), k_max);
    if (!first || *first == 0 || second.has_value() != two || second == 0) {
        return {.kind = Kind::other, .first = 0, .second = 0, .arguments = {}};
    }
    code.first = static_cast<std::uint32_t>(*first);
    code.second = static_cast<std::uint32_t>(second.value_or(0));
    return code;
}

}  // namespace

StatusText parse_status_text(std::string_view text) {
    StatusText out{.code = {}, .text = text};
    if (!text.starts_with('[')) return out;
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return out;
    const std::string_view inside = text.substr(1, end - 1);
    out.text = text.substr(end + 1);
    if (out.text.starts_with(' ')) out.text.remove_prefix(1);

    const std::size_t space = std::min(inside.find(' '), inside.size());
    out.code.kind = Kind::other;
    for (const auto& [name, kind] : k_names) {
        if (equals_no_case(inside.substr(0, space), name)) out.code.kind = kind;
    }
    if (space < inside.size()) out.code.arguments = inside.substr(space + 1);
    out.code = with_numbers(out.code);
    return out;
}

std::string_view name_of(ResponseCode::Kind wanted) {
    for (const auto& [name, kind] : k_names) {
        if (kind == wanted) return name;
    }
    return "";
}

}  // namespace postern::imap
