#pragma once

#include "features/mail/courier/known_ids.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::courier {

inline constexpr std::size_t k_our_ids_max = 32;
inline constexpr std::size_t k_from_max = 10;
inline constexpr std::size_t k_recipients_max = 200;
inline constexpr std::size_t k_authentications_max = 8;

/// The header fields that verification may see.
[[nodiscard]] std::vector<std::string> candidate_fields();

/// Recipients alone, as they are in a candidate.
[[nodiscard]] std::vector<MailAddress> read_recipients(ByteView header);

/// What front verifies, from the fields of a mail that the search hit. A block that cannot be read
/// gives a candidate without ids, which front will not admit. In `from` and `recipients` an entry
/// without address stands for whoever could not be read, or did not fit.
[[nodiscard]] Candidate read_candidate(std::uint32_t uid, ByteView header, const KnownIds& known);

}  // namespace postern::mail::courier
