#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/factor_view.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "features/identity/factor_store.h"
#include "features/identity/names.h"
#include "features/identity/policy.h"
#include "features/identity/second_factors.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "foundation/codec/qr.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::FactorTag;
using See = identity::Authorized<identity::Permission::see_own_sign_in>;
using Mine = identity::Authorized<identity::Permission::manage_own_factors>;

constexpr std::size_t k_kind_bytes_max = 32;

/// GET /v1/me/factors
Answer get_factors(Call call, See who) {
    auto mine = co_await call.use().factors.enrolment(who);
    if (!mine) co_return fail(std::move(mine.error()));
    std::vector<std::string> items;
    for (const auto& factor : mine->factors)
        items.push_back(factor_json(factor));
    auto json = list_json(items, std::nullopt);
    co_return json_response(200, with_field(std::move(json), "recovery_codes_left",
                                            std::to_string(mine->recovery_codes_left)));
}

/// POST /v1/me/factors {kind: "totp", name}
Answer post_factor(Call call, Mine who) {
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    const auto kind = body.text("kind", k_kind_bytes_max);
    auto name = body.text("name", identity::k_name_bytes_max);
    body.finish();
    if (errors.empty() && kind != name_of(identity::FactorKind::totp)) {
        errors.push_back({"kind", "invalid"});
    }
    if (errors.empty() && !identity::is_name(name)) errors.push_back({"name", "invalid"});
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto made = co_await call.use().factors.begin(who, std::move(name));
    if (!made) co_return fail(std::move(made.error()));
    codec::JsonWriter out;
    out.begin_object().field("id", made->id.text()).field("kind", kind).end_object();
    auto text = with_secret(out.take(), "key", made->key);
    text = with_secret(std::move(text), "uri", made->uri);
    const auto picture = codec::QrCode::of_bytes(made->uri).svg();
    co_return json_response(201, with_secret(std::move(text), "qr_svg", picture));
}

/// POST /v1/me/factors/{id}/confirm {code}
Answer post_confirm(Call call, Mine who) {
    const auto id = path_id<FactorTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto code = body.text("code", identity::k_code_bytes_max);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto confirmed = co_await call.use().factors.confirm(who, *id, std::move(code));
    if (!confirmed) co_return fail(std::move(confirmed.error()));
    // Other sessions of this person wait for their factor now.
    call.use().events.wake_all();
    co_return confirmed_response(200, *confirmed);
}

/// DELETE /v1/me/factors/{id}
Answer delete_factor(Call call, Mine who) {
    const auto id = path_id<FactorTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto removed = co_await call.use().factors.remove(who, *id);
    if (!removed) co_return fail(std::move(removed.error()));
    co_return no_content();
}

/// POST /v1/me/recovery-codes
Answer post_recovery_codes(Call call, Mine who) {
    auto codes = co_await call.use().factors.new_recovery_codes(who);
    if (!codes) co_return fail(std::move(codes.error()));
    codec::JsonWriter out;
    out.begin_object().field("replaced", true).end_object();
    co_return json_response(201, with_secrets(out.take(), "recovery_codes", *codes));
}

}  // namespace

void add_factor_routes(Router& router) {
    router.add("GET", "/v1/me/factors", Audited::nothing(), guarded(get_factors));
    router.add("POST", "/v1/me/factors", Audited::nothing(), guarded(post_factor));
    router.add("POST", "/v1/me/factors/{id}/confirm", Audited::in_change(), guarded(post_confirm));
    router.add("DELETE", "/v1/me/factors/{id}", Audited::in_change(), guarded(delete_factor));
    router.add("POST", "/v1/me/recovery-codes", Audited::in_change(), guarded(post_recovery_codes));
}

}  // namespace postern::api
