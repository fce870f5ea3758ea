#pragma once

#include "foundation/codec/imap/imap_error.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::imap {

/// The bracketed part of a status response (RFC 3501 section 7.1, RFC 5530, RFC 4315).
struct ResponseCode {
    enum class Kind {
        none,
        other,
        already_exists,
        authentication_failed,
        authorization_failed,
        capability,
        expired,
        in_use,
        limit,
        nonexistent,
        notification_overflow,
        over_quota,
        privacy_required,
        read_only,
        try_create,
        unavailable,
        uid_next,
        uid_validity,
        append_uid,
    };
    Kind kind = Kind::none;
    std::uint32_t first = 0;     ///< UIDNEXT n, UIDVALIDITY n, APPENDUID n ...
    std::uint32_t second = 0;    ///< APPENDUID ... n
    std::string_view arguments;  ///< of CAPABILITY
};

/// What stands behind OK, NO, BAD or BYE. Lifetime: views into `text`.
struct StatusText {
    ResponseCode code;
    std::string_view text;
};
[[nodiscard]] StatusText parse_status_text(std::string_view text);

/// The literal name of a code, for logs.
[[nodiscard]] std::string_view name_of(ResponseCode::Kind kind);

}  // namespace postern::imap
