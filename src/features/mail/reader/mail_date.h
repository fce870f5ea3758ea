#pragma once

#include "foundation/base/clock.h"

#include <optional>
#include <string_view>

namespace postern::reader {

/// A Date field (RFC 5322 section 3.3, obsolete and asctime forms too). Nothing unless day, month
/// and year are there and the time lies between 1970 and 9999; an unknown zone counts as UTC.
[[nodiscard]] std::optional<UnixMs> parse_mail_date(std::string_view raw);

}  // namespace postern::reader
