#pragma once

#include "features/mail/reader/defect.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::reader {

/// What one mail may cost. Beyond `bytes` and `parts` it is refused, beyond the others it is cut
/// and a Defect says so.
struct ParseLimits {
    std::size_t bytes = 50U << 20U;
    std::size_t parts = 1'000;   ///< below the mail itself
    std::uint32_t depth = 32;    ///< levels of multiparts; what lies deeper is one attachment
    std::size_t fields = 1'000;  ///< header fields per part
    std::size_t header_bytes = 1U << 20U;  ///< per part
    std::size_t text_bytes = 2U << 20U;    ///< of text, and of sanitised HTML
    std::size_t addresses = 1'000;         ///< per field
    std::size_t references = 4'000;        ///< the oldest and the newest half are kept
};

struct Mailbox {
    std::string name;     ///< decoded, for display; may be empty
    std::string address;  ///< as written, without comments; empty where the mail gave none
    bool operator==(const Mailbox&) const = default;
};

struct Attachment {
    std::string name;  ///< never empty, no path, no control characters, at most 180 bytes
    std::string type;  ///< as declared, lower case, e.g. "image/png"; proves nothing
    std::string content_id;
    bool is_inline = false;  ///< meant to be shown within the text
    Bytes bytes;             ///< transfer encoding undone
};

/// A mail as it may be shown. Every string is valid UTF-8 without NUL; names, subject and file
/// names also without control and direction-override characters.
struct ParsedMail {
    std::string subject;
    std::vector<Mailbox> from;
    std::vector<Mailbox> sender;
    std::vector<Mailbox> reply_to;
    std::vector<Mailbox> to;
    std::vector<Mailbox> cc;
    std::optional<UnixMs> date;
    std::string message_id;  ///< without angle brackets, as the following
    std::vector<std::string> in_reply_to;
    std::vector<std::string> references;
    std::string text;         ///< from text/plain, else made from the HTML
    std::string html;         ///< sanitised; empty where the mail has none
    std::string new_text;     ///< what of `text` the author wrote
    std::string quoted_text;  ///< the history below (or above) it, to be folded
    std::vector<Attachment> attachments;
    std::string auto_submitted;  ///< lower-case keyword, e.g. "auto-replied"; empty if absent
    std::string list_id;
    bool answers_invitation = false;  ///< a calendar wrote it (RFC 5546 section 3.2.3)
    std::uint32_t remote_images = 0;  ///< left out of `html`
    Defects defects;
};

}  // namespace postern::reader
