#include "edge/api/session_view.h"

#include "edge/api/authentication.h"
#include "edge/api/call.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"

#include <algorithm>
#include <cstdint>
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

identity::Client client_of(const Call& call) {
    identity::Client client;
    client.address = caller_address(call);
    client.device = identity::device_of(call.request.headers.find("User-Agent").value_or(""));
    return client;
}

Response session_response(int status, const identity::NewSession& session, const Call& call) {
    codec::JsonWriter out;
    out.begin_object()
        .field("person_id", session.person.text())
        .field("expires_at", rfc3339(session.expires_at_ms))
        .field("second_factor_needed", session.needs_factor)
        .end_object();
    auto response = json_response(status, out.take());
    if (session.text.empty()) return response;
    const auto left_ms = session.expires_at_ms - call.use().clock.now_ms();
    const auto age_s = std::max<std::int64_t>(left_ms / 1000, 0);
    response.headers.emplace_back("Set-Cookie",
                                  session_cookie(session.text, call.request.secure, age_s));
    return response;
}

}  // namespace postern::api
