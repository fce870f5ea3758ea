#include "edge/api/token_view.h"

#include "features/identity/identity.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"

#include <string>

namespace postern::api {

std::string token_json(const identity::Identity::Token& token) {
    const auto& row = token.row;
    codec::JsonWriter json;
    json.begin_object()
        .field("id", row.id.text())
        .field("role", name_of(row.role))
        .field("workspace_id", row.workspace.text())
        .field("name", token.name)
        .begin_array("scopes");
    for (const auto name : row.scopes.names())
        json.item(name);
    json.end_array().begin_array("networks");
    for (const auto& network : row.networks)
        json.item(network.text());
    json.end_array().field("created_at", rfc3339(row.created_at_ms));
    if (row.made_by) json.field("made_by", row.made_by->text());
    if (row.expires_at_ms != 0) json.field("expires_at", rfc3339(row.expires_at_ms));
    if (row.used_at_ms != 0) json.field("used_at", rfc3339(row.used_at_ms));
    json.end_object();
    return json.take();
}

}  // namespace postern::api
