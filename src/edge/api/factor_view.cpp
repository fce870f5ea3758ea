#include "edge/api/factor_view.h"

#include "edge/api/call.h"
#include "features/identity/factor_store.h"
#include "features/identity/second_factors.h"
#include "foundation/base/clock.h"
#include "foundation/codec/json.h"

#include <string>
#include <utility>

namespace postern::api {

std::string factor_json(const identity::Factor& factor) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", factor.id.text())
        .field("kind", identity::name_of(factor.kind))
        .field("name", factor.name)
        .field("created_at", rfc3339(factor.created_at_ms));
    if (factor.used_at_ms != 0) json.field("used_at", rfc3339(factor.used_at_ms));
    json.end_object();
    return json.take();
}

Response confirmed_response(int status, const identity::Confirmed& confirmed) {
    auto out = factor_json(confirmed.factor);
    if (!confirmed.recovery_codes.empty()) {
        out = with_secrets(std::move(out), "recovery_codes", confirmed.recovery_codes);
    }
    return json_response(status, std::move(out));
}

}  // namespace postern::api
