#pragma once

#include "edge/api/call.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"

#include <string_view>

namespace postern::api {

/// "whole", "second_factor_needed" or "second_factor_enrolment_needed".
[[nodiscard]] std::string_view name_of(identity::Standing standing);

/// By what whoever signs in now will know the session.
[[nodiscard]] identity::Client client_of(const Call& call);

/// What a session is from now on; its cookie, for as long as it lasts, where it has a new text.
[[nodiscard]] Response session_response(int status,
                                        const identity::NewSession& session,
                                        const Call& call);

}  // namespace postern::api
