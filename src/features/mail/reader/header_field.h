#pragma once

#include "features/mail/reader/defect.h"
#include "features/mail/reader/parsed_mail.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {

struct HeaderField {
    std::string name;      ///< lower case
    std::string_view raw;  ///< behind the colon, still folded; points into the mail
};

/// Whether the line (without its end) can be the first line of a field.
[[nodiscard]] bool is_field_start(std::string_view line);

/// The fields of one header block. Lines that are no field are left out.
[[nodiscard]] std::vector<HeaderField> parse_header_fields(std::string_view block,
                                                           const ParseLimits& limits,
                                                           Defects& defects);

/// The first field of that name (lower case), or nothing. RFC 5322 section 3.6 allows one each.
[[nodiscard]] std::string_view find_field(const std::vector<HeaderField>& fields,
                                          std::string_view name);

/// Line ends taken out (RFC 5322 section 2.2.3), trimmed. Bytes are as in the mail.
[[nodiscard]] std::string unfolded(std::string_view raw);

/// Takes comments out of a structured value (RFC 5322 section 3.2.2), quoted strings left alone.
[[nodiscard]] std::string without_comments(std::string_view value);

}  // namespace postern::reader
