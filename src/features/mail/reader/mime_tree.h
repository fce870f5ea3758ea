#pragma once

#include "features/mail/reader/header_field.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/transfer_encoding.h"
#include "foundation/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {

enum class Disposition : std::uint8_t { none, inline_, attachment };

/// One entity of a mail: a multipart or a leaf. Views point into the raw mail.
struct MimePart {
    static constexpr std::uint32_t k_no_parent = UINT32_MAX;

    std::uint32_t parent = k_no_parent;
    std::uint32_t depth = 0;
    std::uint32_t place = 0;  ///< among its siblings, from 0
    std::string type;         ///< lower case; the default of RFC 2045 where none is declared
    std::string charset;
    std::string boundary;
    std::string file_name;  ///< as declared, decoded
    std::string content_id;
    std::string calendar_method;  ///< of a calendar, lower case (RFC 5545 section 3.7.2)
    Disposition disposition = Disposition::none;
    TransferEncoding encoding = TransferEncoding::identity;
    bool container = false;  ///< a multipart that was opened; its children follow it
    bool opaque = false;     ///< a multipart that was not opened because it lies too deep
    std::string_view body;   ///< empty for containers
};

struct MimeTree {
    std::vector<MimePart> parts;      ///< in the order of the mail; the first is the mail itself
    std::vector<HeaderField> fields;  ///< of the mail itself
    Defects defects;
};

/// Cuts a mail into its parts in one pass without copying or recursion, and without opening
/// message/rfc822. A tree-building library would have spent its memory before limits could apply.
/// Errors: ReaderError::too_many_parts.
[[nodiscard]] Result<MimeTree> split_mime(std::string_view raw, const ParseLimits& limits);

[[nodiscard]] bool is_multipart(const MimePart& part);

}  // namespace postern::reader
