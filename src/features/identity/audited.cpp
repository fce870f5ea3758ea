#include "features/identity/audited.h"

#include <string>
#include <utility>

namespace postern::identity {

audit::By by(const Actor& actor) {
    audit::By out;
    if (actor.from) out.from = actor.from->text();
    if (actor.person) {
        out.kind = audit::By::Kind::person;
        out.id = actor.person->text();
    } else if (actor.token) {
        out.kind = audit::By::Kind::token;
        out.id = actor.token->text();
    }
    return out;
}

audit::By by(PersonId person, std::string from) {
    return {audit::By::Kind::person, person.text(), std::move(from)};
}

}  // namespace postern::identity
