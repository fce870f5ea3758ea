#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "edge/api/integration_body.h"
#include "edge/api/integration_view.h"
#include "edge/api/page.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "edge/api/secret_field.h"
#include "features/identity/actor.h"
#include "features/identity/audited.h"
#include "features/identity/policy.h"
#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/integrations.h"
#include "features/integrations/receipt_text.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using identity::Permission;
using Manage = identity::Authorized<Permission::manage_integrations>;
using See = identity::Authorized<Permission::see_integrations>;
using Open = identity::Authorized<Permission::open_integrations>;
using Close = identity::Authorized<Permission::close_integrations>;
using CutOff = identity::Authorized<Permission::cut_off_integrations>;
using Reseal = identity::Authorized<Permission::reseal_integrations>;

/// For acts without a body: nothing, or {}.
Result<> no_fields(const Call& call, std::vector<codec::FieldError>& errors) {
    auto json = json_body(call, true);
    if (!json) return fail(std::move(json.error()));
    codec::ObjectReader body(*json, "", errors);
    body.finish();
    return {};
}

/// Whose secret it is, where that is said.
std::optional<HolderId> read_holder(codec::ObjectReader& body) {
    constexpr std::size_t k_id_bytes_max = 64;
    const auto text = body.optional_text("holder_id", k_id_bytes_max);
    if (!text) return std::nullopt;
    const auto holder = HolderId::parse(*text);
    if (!holder) body.wrong("holder_id", "invalid");
    return holder;
}

/// POST .../unlock {shared_secret, for?, holder_id?}
Answer post_unlock(Call call, Open who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto secret = read_secret(body, "shared_secret", true);
    const auto holder = read_holder(body);
    const auto& policy = call.use().integrations.policy();
    const auto lease_s =
        read_duration_s(body, "for", 60, policy.lease_longest_s, policy.lease_default_s);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(who.actor());
    auto lease = co_await call.use().integrations.unlock(std::move(by), who.actor().workspace, *id,
                                                         std::move(secret), lease_s, holder);
    if (!lease) co_return fail(std::move(lease.error()));
    co_return json_response(200, lease_json(*lease));
}

/// POST .../lock
Answer post_lock(Call call, Close who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    std::vector<codec::FieldError> errors;
    auto fields = no_fields(call, errors);
    if (!fields) co_return fail(std::move(fields.error()));
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(who.actor());
    auto locked = co_await call.use().integrations.lock(std::move(by), who.actor().workspace, *id);
    if (!locked) co_return fail(std::move(locked.error()));
    co_return no_content();
}

/// POST .../grants {shared_secret, verbs, expires_in, hourly_ceiling?}
Answer post_grant(Call call, Manage who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto secret = read_secret(body, "shared_secret", true);
    auto ask = read_grant(body);
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    ask.id = call.reserved_id<GrantTag>();
    ask.by = identity::by(who.actor());
    auto grant =
        co_await call.use().integrations.grant(who.actor().workspace, *id, std::move(secret), ask);
    if (!grant) co_return fail(std::move(grant.error()));
    call.made(grant->seal.grant);
    co_return json_response(201, grant_json(*grant, call.use().clock.now_ms()));
}

async::Task<std::optional<Response>> replay_grant(Call call, identity::Actor actor) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto view = co_await call.use().integrations.get(actor.workspace, *id);
    if (!view) co_return fail(std::move(view.error()));
    const auto wanted = call.reserved_id<GrantTag>();
    for (const auto& grant : view->integration.grants) {
        if (grant.seal.grant != wanted) continue;
        co_return json_response(201, grant_json(grant, call.use().clock.now_ms()));
    }
    co_return std::optional<Response>();
}

/// DELETE .../grants/{id}
Answer delete_grant(Call call, Close who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto grant = path_id<GrantTag>(call, 1);
    if (!grant) co_return fail(grant.error());
    auto by = identity::by(who.actor());
    auto revoked = co_await call.use().integrations.revoke_grant(
        std::move(by), who.actor().workspace, *id, *grant);
    if (!revoked) co_return fail(std::move(revoked.error()));
    co_return no_content();
}

/// POST .../reseal {shared_secret, new_shared_secret | generate} -> receipt
Answer post_reseal(Call call, Reseal who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    auto secret = read_secret(body, "shared_secret", true);
    auto next = read_new_secret(body, "new_shared_secret");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (next.is_empty_text) co_return fail(keys::KeyError::weak_secret);
    auto by = identity::by(who.actor());
    auto done = co_await call.use().integrations.reseal(std::move(by), who.actor().workspace, *id,
                                                        std::move(secret), std::move(next.typed),
                                                        next.generate, next.shares);
    if (!done) co_return fail(std::move(done.error()));
    call.made(done->receipt.id);
    auto text = integrations::receipt_json(done->receipt, true);
    text = with_generated(std::move(text), done->generated, done->generated_shares);
    co_return json_response(200, std::move(text));
}

async::Task<std::optional<Response>> replay_receipt(Call call, identity::Actor actor) {
    auto receipt =
        co_await call.use().integrations.receipt(actor.workspace, call.reserved_id<ReceiptTag>());
    if (!receipt && receipt.error().is(integrations::IntegrationError::not_found)) {
        co_return std::optional<Response>();
    }
    if (!receipt) co_return fail(std::move(receipt.error()));
    if (receipt->kind == "cut_off") {
        // Whoever asks again is not to believe that what was reconnected since is cut off.
        const auto id = IntegrationId::parse(receipt->subject);
        auto now = co_await call.use().integrations.describe(actor.workspace,
                                                             id.value_or(IntegrationId()));
        if (!now) co_return fail(std::move(now.error()));
        if (now->integration.stored_state == integrations::StoredState::active) {
            co_return std::optional<Response>();
        }
    }
    auto text = integrations::receipt_json(*receipt, true);
    if (receipt->kind == "reseal") text = with_field(std::move(text), "secret_shown", "true");
    co_return json_response(200, std::move(text));
}

Answer end_access(Call call, identity::Actor actor, bool erase) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    std::vector<codec::FieldError> errors;
    auto fields = no_fields(call, errors);
    if (!fields) co_return fail(std::move(fields.error()));
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(actor);
    auto receipt =
        co_await call.use().integrations.cut_off(std::move(by), actor.workspace, *id, erase);
    if (!receipt) co_return fail(std::move(receipt.error()));
    call.made(receipt->id);
    co_return json_response(200, integrations::receipt_json(*receipt, true));
}

/// POST /v1/integrations/seal-all {grants?}
Answer post_seal_all(Call call, Close who) {
    std::vector<codec::FieldError> errors;
    auto json = json_body(call, true);
    if (!json) co_return fail(std::move(json.error()));
    codec::ObjectReader body(*json, "", errors);
    const bool grants = body.flag("grants");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(who.actor());
    auto sealed =
        co_await call.use().integrations.seal_all(std::move(by), who.actor().workspace, grants);
    if (!sealed) co_return fail(std::move(sealed.error()));
    codec::JsonWriter out;
    out.begin_object().begin_array("integrations");
    for (const auto id : sealed->ended)
        out.item(id.text());
    out.end_array()
        .field("leases_ended", std::int64_t{sealed->leases})
        .field("grants_ended", std::int64_t{sealed->grants})
        .field("connections_closed", std::int64_t{sealed->connections})
        .field("confirmed", sealed->confirmed)
        .end_object();
    co_return json_response(200, out.take());
}

/// GET .../holders
Answer get_holders(Call call, See who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto holders = co_await call.use().integrations.holders(who.actor().workspace, *id);
    if (!holders) co_return fail(std::move(holders.error()));
    std::vector<std::string> items;
    for (const auto& holder : *holders)
        items.push_back(holder_json(holder));
    co_return json_response(200, list_json(items, std::nullopt));
}

/// POST .../holders {name, shared_secret, new_shared_secret | generate}
Answer post_holder(Call call, Reseal who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto json = json_body(call);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    integrations::HolderAsk ask;
    ask.id = call.reserved_id<HolderTag>();
    ask.name = read_name(body);
    ask.secret = read_secret(body, "shared_secret", true);
    auto next = read_new_secret(body, "new_shared_secret");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    if (next.is_empty_text) co_return fail(keys::KeyError::weak_secret);
    ask.generate = next.generate;
    ask.shares = next.shares;
    ask.new_secret = std::move(next.typed);
    ask.by = identity::by(who.actor());
    auto added =
        co_await call.use().integrations.add_holder(who.actor().workspace, *id, std::move(ask));
    if (!added) co_return fail(std::move(added.error()));
    call.made(added->holder.id);
    auto text =
        with_generated(holder_json(added->holder), added->generated, added->generated_shares);
    co_return json_response(201, std::move(text));
}

async::Task<std::optional<Response>> replay_holder(Call call, identity::Actor actor) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    auto holders = co_await call.use().integrations.holders(actor.workspace, *id);
    if (!holders) co_return fail(std::move(holders.error()));
    const auto wanted = call.reserved_id<HolderTag>();
    for (const auto& holder : *holders) {
        if (holder.id != wanted) continue;
        co_return json_response(201, with_field(holder_json(holder), "secret_shown", "true"));
    }
    co_return std::optional<Response>();
}

/// DELETE .../holders/{id} {shared_secret?} -> receipt
Answer delete_holder(Call call, Reseal who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    const auto holder = path_id<HolderTag>(call, 1);
    if (!holder) co_return fail(holder.error());
    auto json = json_body(call, true);
    if (!json) co_return fail(std::move(json.error()));
    std::vector<codec::FieldError> errors;
    codec::ObjectReader body(*json, "", errors);
    std::optional<keys::SecretInput> secret;
    if (body.value("shared_secret", false) != nullptr) {
        secret = read_secret(body, "shared_secret", true);
    }
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(who.actor());
    auto receipt = co_await call.use().integrations.remove_holder(
        std::move(by), who.actor().workspace, *id, *holder, std::move(secret));
    if (!receipt) co_return fail(std::move(receipt.error()));
    call.made(receipt->id);
    co_return json_response(200, integrations::receipt_json(*receipt, true));
}

/// POST .../cut-off -> receipt
Answer post_cut_off(Call call, CutOff who) {
    return end_access(std::move(call), who.actor(), false);
}

/// DELETE /v1/integrations/{id} -> receipt
Answer delete_integration(Call call, CutOff who) {
    return end_access(std::move(call), who.actor(), true);
}

/// POST .../verify {reply_address?} -> checklist
Answer post_verify(Call call, Open who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    std::vector<codec::FieldError> errors;
    auto json = json_body(call, true);
    if (!json) co_return fail(std::move(json.error()));
    codec::ObjectReader body(*json, "", errors);
    const bool sends = body.flag("reply_address");
    body.finish();
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    auto by = identity::by(who.actor());
    auto checks =
        co_await call.use().integrations.verify(std::move(by), who.actor().workspace, *id);
    if (!checks) co_return fail(std::move(checks.error()));
    const bool all_good = std::ranges::all_of(*checks, &mail::Check::good);
    if (sends && all_good) {
        auto probed = co_await call.use().mail.probe_reply_address(who.actor().workspace, *id);
        if (!probed) co_return fail(std::move(probed.error()));
    }
    auto search = co_await call.use().mail.search_state(who.actor().workspace, *id);
    if (!search) co_return fail(std::move(search.error()));
    if (search->reads_replies) {
        checks->push_back(search_check(*search));
        checks->push_back(reply_address_check(search->reply_address));
    }
    co_return json_response(200, checks_json(*checks));
}

/// POST .../sync -> {searched, matched, kept, held, refused}
Answer post_sync(Call call, Open who) {
    const auto id = path_id<IntegrationTag>(call, 0);
    if (!id) co_return fail(id.error());
    std::vector<codec::FieldError> errors;
    auto fields = no_fields(call, errors);
    if (!fields) co_return fail(std::move(fields.error()));
    if (!errors.empty()) co_return problem_of_fields(errors, call.request.id);
    const auto workspace = who.actor().workspace;
    auto touched = co_await call.use().integrations.touch(workspace, *id);
    // An act of a person moves the idle limit; where there is no lease there is none to move.
    static_cast<void>(touched);
    auto by = identity::by(who.actor());
    auto result = co_await call.use().mail.sync(std::move(by), workspace, *id);
    if (!result) co_return fail(std::move(result.error()));
    codec::JsonWriter json;
    json.begin_object()
        .field("searched", static_cast<std::int64_t>(result->searched))
        .field("matched", static_cast<std::int64_t>(result->matched))
        .field("kept", static_cast<std::int64_t>(result->kept))
        .field("held", static_cast<std::int64_t>(result->held))
        .field("refused", static_cast<std::int64_t>(result->refused))
        .end_object();
    co_return json_response(200, json.take());
}

}  // namespace

void add_integration_act_routes(Router& router) {
    auto cut_off = guarded(post_cut_off, replay_receipt, 200);
    cut_off.works_without_disk = true;
    auto seal_all = guarded(post_seal_all);
    seal_all.works_without_disk = true;
    router.add("POST", "/v1/integrations/seal-all", Audited::in_change(), std::move(seal_all));
    router.add("GET", "/v1/integrations/{id}/holders", Audited::nothing(), guarded(get_holders));
    router.add("POST", "/v1/integrations/{id}/holders", Audited::in_change(),
               guarded(post_holder, replay_holder, 201));
    router.add("DELETE", "/v1/integrations/{id}/holders/{holder}", Audited::in_change(),
               guarded(delete_holder));
    router.add("POST", "/v1/integrations/{id}/unlock", Audited::in_change(), guarded(post_unlock));
    router.add("POST", "/v1/integrations/{id}/lock", Audited::in_change(), guarded(post_lock));
    router.add("POST", "/v1/integrations/{id}/grants", Audited::in_change(),
               guarded(post_grant, replay_grant, 201));
    router.add("DELETE", "/v1/integrations/{id}/grants/{grant}", Audited::in_change(),
               guarded(delete_grant));
    router.add("POST", "/v1/integrations/{id}/reseal", Audited::in_change(),
               guarded(post_reseal, replay_receipt, 200));
    router.add("POST", "/v1/integrations/{id}/cut-off", Audited::in_change(), std::move(cut_off));
    router.add("DELETE", "/v1/integrations/{id}", Audited::in_change(),
               guarded(delete_integration));
    router.add("POST", "/v1/integrations/{id}/verify", Audited::in_change(), guarded(post_verify));
    router.add("POST", "/v1/integrations/{id}/sync", Audited::in_change(), guarded(post_sync));
}

}  // namespace postern::api
