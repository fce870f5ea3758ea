#pragma once

#include "edge/api/services.h"
#include "features/identity/passkeys.h"
#include "foundation/base/result.h"

namespace postern::api {

/// Of which site passkeys are: public_url's, or without one this machine's own pages at one of our
/// ports. Errors: passkeys_not_possible, where public_url names an address: browsers want a name.
[[nodiscard]] Result<identity::RelyingParty> relying_party_of(const Site& site);

}  // namespace postern::api
