#pragma once

#include "features/identity/actor.h"
#include "platform/audit/record.h"

namespace postern::identity {

/// The actor, as records name them.
[[nodiscard]] audit::By by(const Actor& actor);
/// A person, from an address as text.
[[nodiscard]] audit::By by(PersonId person, std::string from);

}  // namespace postern::identity
