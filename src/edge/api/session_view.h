#pragma once

#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "platform/net/http/request.h"
#include "platform/net/http/response.h"

#include <string_view>

namespace postern::api {

/// "whole", "second_factor_needed" or "second_factor_enrolment_needed".
[[nodiscard]] std::string_view name_of(identity::Standing standing);

/// What a session is from now on; its cookie where it has a new text.
[[nodiscard]] net::http::Response session_response(int status,
                                                   const identity::NewSession& session,
                                                   const net::http::Request& request);

}  // namespace postern::api
