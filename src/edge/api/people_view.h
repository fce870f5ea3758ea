#pragma once

#include "features/identity/actor.h"
#include "features/identity/people.h"

#include <string>

namespace postern::api {

/// Each as JSON. `actor`: who looks.
[[nodiscard]] std::string person_json(const identity::Member& person, const identity::Actor& actor);
[[nodiscard]] std::string past_json(const identity::PastAccess& past);
/// Without its token.
[[nodiscard]] std::string invitation_json(const identity::Invitation& invitation);

}  // namespace postern::api
