#pragma once

#include "features/mail/reader/parsed_mail.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace postern::reader {

/// The mailboxes of an address field (RFC 5322 section 3.4, obsolete and broken forms included);
/// groups are flattened. A word without address gives a Mailbox with a name only. `raw` may still
/// be folded; at most `addresses_max` are kept.
[[nodiscard]] std::vector<Mailbox> parse_address_list(std::string_view raw,
                                                      std::size_t addresses_max,
                                                      Defects& defects);

}  // namespace postern::reader
