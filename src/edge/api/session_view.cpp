#include "edge/api/session_view.h"

#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"
#include "platform/net/http/request.h"
#include "platform/net/http/response.h"

#include <string_view>

namespace postern::api {

std::string_view name_of(identity::Standing standing) {
    switch (standing) {
        case identity::Standing::whole: return "whole";
        case identity::Standing::needs_factor: return "second_factor_needed";
        case identity::Standing::needs_enrolment: return "second_factor_enrolment_needed";
    }
    return "second_factor_needed";
}

net::http::Response session_response(int status,
                                     const identity::NewSession& session,
                                     const net::http::Request& request) {
    codec::JsonWriter out;
    out.begin_object()
        .field("person_id", session.person.text())
        .field("expires_at", rfc3339(session.expires_at_ms))
        .field("second_factor_needed", session.needs_factor)
        .end_object();
    auto response = json_response(status, out.take());
    if (session.text.empty()) return response;
    const auto cookie = session_cookie(session.text, request.secure, identity::k_session_s);
    response.headers.emplace_back("Set-Cookie", cookie);
    return response;
}

}  // namespace postern::api
