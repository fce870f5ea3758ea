#pragma once

#include "features/mail/protocol/courier_protocol.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

/// The organisation of a server that writes results without its name.
inline constexpr std::string_view k_nameless_authserv = "-";

/// Whose server it is: its registrable domain, as far as that can be told without the list of
/// public suffixes. Two labels, or three where the last two are such as "co.uk". That is enough: it
/// only decides which fields above all others belong together, and whoever can write a field there
/// is the provider itself. A name that is no domain stands for itself.
[[nodiscard]] std::string organisation_of(std::string_view server);

/// Whether the servers of this organisation found the author to be forged: by the topmost results
/// that are theirs and those of theirs right below. A failed DMARC decides wherever it stands
/// there, then a passed one; else DKIM or SPF failed and neither passed.
///
/// Not every provider removes what a sender wrote in its name (RFC 8601 section 5), so that a pass
/// counts only from the topmost field that speaks of its method, and only down to the first field
/// that speaks of several: who writes one field for all has said everything there. Below one of a
/// single method the others may follow, also for a sender, who wins nothing by them: where DMARC
/// is not looked at, a domain of his own passes, too.
[[nodiscard]] bool is_forged(const std::vector<Authentication>& results,
                             std::string_view organisation);

}  // namespace postern::mail
