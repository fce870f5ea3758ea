#pragma once

#include "features/mail/reader/mime_tree.h"

#include <cstdint>
#include <vector>

namespace postern::reader {

/// A stretch of what is shown: one text part, or the representations of one multipart/alternative.
/// Numbers are indexes of MimeTree::parts.
struct BodyPiece {
    std::vector<std::uint32_t> plain;
    std::vector<std::uint32_t> html;
};

struct BodyPlan {
    std::vector<BodyPiece> pieces;
    std::vector<std::uint32_t> attachments;
};

/// Decides which parts are the text and which are attachments, as mail clients do (RFC 2046
/// section 5.1.4, RFC 8621 section 4.1.4).
[[nodiscard]] BodyPlan plan_body(const MimeTree& tree);

}  // namespace postern::reader
