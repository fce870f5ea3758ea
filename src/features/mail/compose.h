#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

enum class ComposeError { control_character, malformed_address };

constexpr ErrorInfo describe(ComposeError error) {
    switch (error) {
        case ComposeError::control_character:
            return {"control_character", "Names and subjects hold no line breaks or controls."};
        case ComposeError::malformed_address:
            return {"malformed_address", "This is not a mail address."};
    }
    return {"malformed_address", "This is not a mail address."};
}

/// Whether an id can be repeated in a header: printable ASCII that fits in a line. Others' ids need
/// not be, and one that is not would make the whole mail one that few servers take.
[[nodiscard]] bool is_plain_message_id(std::string_view id);

struct Draft {
    MailAddress from;
    std::vector<MailAddress> to;
    std::string subject;
    std::string text;
    std::string html;         ///< empty: none
    std::string message_id;   ///< without angle brackets, as the following
    std::string in_reply_to;  ///< empty: none
    std::vector<std::string> references;
    std::string thread_index = {};  ///< empty: none
    UnixMs date_ms = 0;
    MailAddress reply_to;       ///< without address: none
    bool is_automatic = false;  ///< of nobody: no program is to answer it
};

/// The mail as it is submitted (RFC 5322, 2045-2049): ASCII, CRLF, lines of at most 76 characters
/// apart from ids; ids that are not plain are left out. No pixel, no rewritten link, nothing of
/// ours but the ids. Errors: control_character, malformed_address: nothing given ends up in another
/// field.
[[nodiscard]] Result<std::string> compose(const Draft& draft);

}  // namespace postern::mail
