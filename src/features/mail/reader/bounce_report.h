#pragma once

#include "features/mail/reader/parsed_mail.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace postern::reader {

inline constexpr std::size_t k_bounced_recipients_max = 100;
inline constexpr std::size_t k_diagnostic_bytes_max = 500;

/// What a mail system tells of one recipient.
struct BouncedRecipient {
    std::string address;
    std::string original_address;  ///< empty: not told
    std::string action;            ///< one of RFC 3464 section 2.3.3, lower case
    std::string status;            ///< "5.1.1"; "5.0.0" or "4.0.0" where only the kind is known
    std::string diagnostic;        ///< one line
};
struct BounceReport {
    std::vector<std::string> original_ids;  ///< of the mail that it is about, without brackets
    std::vector<BouncedRecipient> recipients;
};

/// Reads a delivery report (RFC 3464), as Exchange writes it, too; else the plain text of qmail.
/// Neither found: nobody is named. Errors: as parse_mail.
[[nodiscard]] Result<BounceReport> parse_bounce(ByteView raw, const ParseLimits& limits = {});

}  // namespace postern::reader
