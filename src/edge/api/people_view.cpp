#include "edge/api/people_view.h"

#include "features/identity/actor.h"
#include "features/identity/people.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"

#include <string>

namespace postern::api {

std::string person_json(const identity::Member& person, const identity::Actor& actor) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", person.id.text())
        .field("email", person.email)
        .field("role", name_of(person.role))
        .field("state", person.is_suspended ? "suspended" : "active")
        .field("joined_at", rfc3339(person.joined_at_ms))
        .field("since", rfc3339(person.since_ms))
        .field("has_second_factor", person.has_factor)
        .field("is_you", actor.person == person.id);
    if (person.signed_in_at_ms != 0) json.field("signed_in_at", rfc3339(person.signed_in_at_ms));
    json.end_object();
    return json.take();
}

std::string past_json(const identity::PastAccess& past) {
    codec::JsonWriter json;
    json.begin_object()
        .field("person_id", past.person.text())
        .field("email", past.email)
        .field("role", name_of(past.role))
        .field("from", rfc3339(past.from_ms))
        .field("to", rfc3339(past.to_ms))
        .end_object();
    return json.take();
}

std::string invitation_json(const identity::Invitation& invitation) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", invitation.id.text())
        .field("email", invitation.email)
        .field("role", name_of(invitation.role))
        .field("created_at", rfc3339(invitation.created_at_ms))
        .field("expires_at", rfc3339(invitation.expires_at_ms));
    if (invitation.invited_by) json.field("invited_by", invitation.invited_by->text());
    json.end_object();
    return json.take();
}

}  // namespace postern::api
