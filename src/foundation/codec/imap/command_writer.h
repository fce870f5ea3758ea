#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <deque>
#include <string_view>

namespace postern::imap {

/// A command in the pieces that may be sent at once: before every piece but the first the server
/// must say "+" (RFC 3501 section 4.3). The caller has refused CR, LF and NUL before.
class CommandWriter {
public:
    explicit CommandWriter(std::string_view tag);

    CommandWriter& text(std::string_view text);
    /// As quoted string, or as literal where it holds 8-bit characters.
    CommandWriter& string(ByteView value, bool non_sync_allowed);
    CommandWriter& sasl_plain(std::string_view user, const Secret& password);
    /// What follows waits for the server's "+".
    CommandWriter& wait_for_continuation();
    [[nodiscard]] std::deque<WipedBytes> finish();

private:
    std::deque<WipedBytes> pieces_;
};

/// Whether a value can be sent as a string at all: no CR, LF, NUL, at most 4,000 bytes.
[[nodiscard]] bool is_sendable(ByteView value);

}  // namespace postern::imap
