#include "app/front/front.h"
#include "edge/api/audit_line.h"
#include "edge/cli/admin_protocol.h"
#include "features/identity/identity_error.h"
#include "features/identity/people_error.h"
#include "features/identity/policy.h"
#include "features/trust/claim.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/store_error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace postern::app::front {

using namespace std::chrono_literals;

namespace {

/// Who has not been used for so long is proposed for cut-off.
constexpr std::int64_t k_idle_days = 90;

/// What the command line can be told of an error.
Error admin_error(const Error& error) {
    const auto detail = std::string(error.code()) + " " + error.detail();
    if (error.is(identity::IdentityError::setup_done)) return {cli::AdminError::already_set_up};
    if (error.is(identity::IdentityError::invalid_workspace_name)) {
        return {cli::AdminError::invalid_name};
    }
    if (error.is(identity::PeopleError::person_not_found)) {
        return {cli::AdminError::unknown_person};
    }
    if (error.is(store::StoreError::disk_full)) return {cli::AdminError::disk_full};
    if (error.is(os::OsError::too_large)) return {cli::AdminError::log_too_large};
    if (error.is(trust::TrustError::unknown_claim)) return {cli::AdminError::unknown_claim};
    if (error.is(trust::TrustError::already_proving)) return {cli::AdminError::busy};
    return {cli::AdminError::failed, detail};
}

PublicText action_of(cli::HostAct act) {
    switch (act) {
        case cli::HostAct::recovery_kit: return "recovery_kit.asked";
        case cli::HostAct::passphrase: return "passphrase.asked";
        case cli::HostAct::root_rotation: return "root_key.rotation_asked";
        case cli::HostAct::keyring_rotation: return "keyring_key.rotation_asked";
        case cli::HostAct::workspace_rotation: return "workspace_keys.rotation_asked";
        case cli::HostAct::migration: return "migration.asked";
    }
    return "host.asked";
}

cli::ClaimVerdict verdict_of(trust::Verdict verdict) {
    switch (verdict) {
        case trust::Verdict::proven: return cli::ClaimVerdict::proven;
        case trust::Verdict::failing: return cli::ClaimVerdict::failing;
        case trust::Verdict::unknown: return cli::ClaimVerdict::unknown;
    }
    return cli::ClaimVerdict::unknown;
}

}  // namespace

void Front::serve_admin() {
    admin_router_.on<cli::SetupLink>([this](cli::SetupLink) { return make_setup_link(); });
    admin_router_.on<cli::RecoverPerson>(
        [this](cli::RecoverPerson asked) { return recover_person(std::move(asked)); });
    admin_router_.on<cli::CreateToken>(
        [this](cli::CreateToken asked) { return create_token(std::move(asked)); });
    admin_router_.on<cli::Identify>([this](cli::Identify) { return identify(); });
    admin_router_.on<cli::Doctor>([this](cli::Doctor) { return examine(); });
    admin_router_.on<cli::ListClaims>([this](cli::ListClaims) { return list_claims(); });
    admin_router_.on<cli::ProveClaim>(
        [this](cli::ProveClaim asked) { return prove(std::move(asked)); });
    admin_router_.on<cli::SealAll>([this](cli::SealAll asked) { return seal_all(asked); });
    admin_router_.on<cli::NoteHostActs>(
        [this](cli::NoteHostActs asked) { return note_host_acts(std::move(asked)); });
    admin_router_.on<cli::AcceptAnchors>([this](cli::AcceptAnchors) { return accept_anchors(); });
    admin_router_.on<cli::ExportAudit>(
        [this](cli::ExportAudit asked) { return export_audit(std::move(asked)); });
    admin_router_.on<cli::VerifyAudit>(
        [this](cli::VerifyAudit asked) { return verify_audit(std::move(asked)); });
}

async::Task<cli::SetupLink::Answer> Front::make_setup_link() {
    auto token = co_await identity_.create_setup_token();
    if (!token) co_return fail(admin_error(token.error()));
    const auto port = site_.ports.empty() ? std::uint16_t{0} : site_.ports.front();
    co_return cli::SetupLink::Answer{std::move(*token), port};
}

async::Task<cli::RecoverPerson::Answer> Front::recover_person(cli::RecoverPerson asked) {
    auto token = co_await resets_.recover(std::move(asked.email));
    if (!token) co_return fail(admin_error(token.error()));
    const auto port = site_.ports.empty() ? std::uint16_t{0} : site_.ports.front();
    co_return cli::RecoverPerson::Answer{std::move(*token), port};
}

async::Task<cli::CreateToken::Answer> Front::create_token(cli::CreateToken asked) {
    const auto role = identity::parse_role(asked.role);
    if (!role) co_return fail(cli::AdminError::unknown_role);
    identity::Identity::TokenAsk ask{std::move(asked.workspace), *role, asked.demo};
    auto token = co_await identity_.create_token(std::move(ask));
    if (!token) co_return fail(admin_error(token.error()));
    co_return cli::CreateToken::Answer{std::move(token->text)};
}

async::Task<cli::Identify::Answer> Front::identify() {
    auto known = co_await keeper_.call(keys::Identify{}, Deadline::in(20s));
    if (!known) co_return fail(admin_error(known.error()));
    co_return cli::Identify::Answer{std::move(known->receipt_key)};
}

async::Task<cli::SealAll::Answer> Front::seal_all(cli::SealAll asked) {
    auto by = audit::by_host();
    auto sealed = co_await integrations_.seal_all(std::move(by), std::nullopt, asked.grants);
    if (!sealed) co_return fail(admin_error(sealed.error()));
    co_return cli::SealAll::Answer{static_cast<std::uint32_t>(sealed->ended.size()), sealed->leases,
                                   sealed->grants, sealed->connections, sealed->confirmed};
}

async::Task<ipc::Nothing> Front::note_host_acts(cli::NoteHostActs asked) {
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    for (const auto act : asked.acts) {
        audit::Act told{audit::by_host(), action_of(act), {}};
        auto noted = co_await audit_.record(k_installation, std::move(told), nothing);
        if (!noted) co_return fail(admin_error(noted.error()));
    }
    co_return ipc::Nothing{};
}

async::Task<> Front::compare_log(os::Fd log, cli::VerifyAudit::Answer* answer) {
    if (!log.valid()) co_return Result<>{};
    auto shared = std::make_shared<const os::Fd>(std::move(log));
    auto compared = co_await anchors_.compare_log(std::move(shared));
    if (!compared) co_return fail(std::move(compared.error()));
    auto& told = answer->log;
    told.lines = compared->lines;
    told.too_long = compared->too_long;
    told.faults = std::move(compared->faults);
    for (const auto& newest : compared->newest) {
        told.newest.push_back(
            {newest.workspace.text(), newest.anchors, newest.number, newest.at_ms, newest.record});
    }
    co_return Result<>{};
}

async::Task<cli::VerifyAudit::Answer> Front::verify_audit(cli::VerifyAudit asked) {
    auto chains = co_await audit_.chains();
    if (!chains) co_return fail(admin_error(chains.error()));
    cli::VerifyAudit::Answer answer;
    for (const auto& workspace : *chains) {
        auto verified = co_await audit_.verify(workspace);
        if (!verified) co_return fail(admin_error(verified.error()));
        answer.chains.push_back({workspace.text(), verified->records,
                                 verified->broken_at.value_or(0), verified->fault,
                                 codec::hex(verified->head), verified->base});
    }
    auto compared = co_await anchors_.compare();
    if (!compared) co_return fail(admin_error(compared.error()));
    answer.has_log_server = logged_anchors_.is_set();
    answer.has_anchors = compared->is_set;
    answer.anchors = compared->lines;
    answer.anchor_faults = std::move(compared->faults);
    auto looked = co_await compare_log(std::move(asked.log), &answer);
    if (!looked) co_return fail(admin_error(looked.error()));
    co_return answer;
}

async::Task<ipc::Nothing> Front::accept_anchors() {
    if (!anchor_place_.is_set()) co_return fail(cli::AdminError::no_anchors);
    auto accepted = co_await anchors_.accept();
    if (!accepted) co_return fail(admin_error(accepted.error()));
    co_return ipc::Nothing{};
}

async::Task<cli::ExportAudit::Answer> Front::export_audit(cli::ExportAudit asked) {
    cli::ExportAudit::Answer answer;
    auto workspace = WorkspaceId::parse(asked.workspace);
    if (asked.workspace == "installation") workspace = k_installation;
    if (!workspace) {
        auto named = co_await identity_.workspace_named(asked.workspace);
        if (!named) co_return fail(admin_error(named.error()));
        workspace = *named;
    }
    if (!workspace) co_return fail(cli::AdminError::unknown_workspace);
    auto page = co_await audit_.after(*workspace, asked.after);
    if (!page) co_return fail(admin_error(page.error()));
    answer.last = asked.after;
    for (const auto& record : *page) {
        answer.lines += api::audit_line(record);
        answer.last = record.stored.number;
    }
    co_return answer;
}

async::Task<cli::Doctor::Answer> Front::examine() {
    cli::Doctor::Answer answer;
    if (!runtime_.offline()) {
        const auto& missing = site_.isolation;
        answer.checks.push_back(
            {cli::k_isolation, missing.empty() ? cli::Verdict::good : cli::Verdict::warning,
             missing.empty() ? "the running server's processes have system-call filters, Landlock "
                               "and a user each"
                             : "not isolated: " + missing});
    }
    auto known = co_await keeper_.call(keys::Identify{}, Deadline::in(20s));
    if (!known) co_return fail(admin_error(known.error()));
    const bool locked = known->secrets_locked && Secret::all_locked();
    answer.checks.push_back(
        {"secrets in locked memory", locked ? cli::Verdict::good : cli::Verdict::warning,
         locked ? "no secret can reach the swap"
                : "raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)"});
    // Before the first serve nobody has made it yet.
    const bool held = stores_.reserve.restore().has_value();
    answer.checks.push_back({"room kept for a full disk",
                             held ? cli::Verdict::good : cli::Verdict::warning,
                             held ? "lock and cut-off work on a full disk"
                                  : "the reserve could not be made: is the disk full?"});
    const auto trouble = anchor_trouble();
    std::string anchored = "each workspace's record is anchored at a second place";
    if (!is_anchored()) {
        anchored = "set anchor_file in [audit], on another disk, or anchor_syslog";
    }
    if (!trouble.empty()) anchored = trouble + ": see `postern audit verify`";
    answer.checks.push_back(
        {"audit record at a second place",
         is_anchored() && trouble.empty() ? cli::Verdict::good : cli::Verdict::warning,
         std::move(anchored)});
    auto idle = co_await integrations_.count_idle(k_idle_days * 86'400);
    if (!idle) co_return fail(admin_error(idle.error()));
    answer.checks.push_back(
        {"integrations that nobody uses", *idle == 0 ? cli::Verdict::good : cli::Verdict::warning,
         *idle == 0 ? "each was used in the last 90 days"
                    : std::to_string(*idle) + " not used for 90 days: consider cutting them off "
                                              "(GET /v1/integrations?idle_for=P90D lists them)"});
    co_return answer;
}

async::Task<cli::ListClaims::Answer> Front::list_claims() const {
    cli::ListClaims::Answer answer;
    for (const auto& claim : claims_.claims()) {
        answer.claims.push_back({std::string(claim.id), std::string(claim.text),
                                 std::string(claim.method), std::string(claim.planted),
                                 std::string(claim.cost)});
    }
    co_return answer;
}

async::Task<cli::ProveClaim::Answer> Front::prove(cli::ProveClaim asked) {
    auto proof = co_await claims_.prove(std::move(asked.id));
    if (!proof) co_return fail(admin_error(proof.error()));
    cli::ProveClaim::Answer answer;
    answer.verdict = verdict_of(proof->verdict);
    answer.evidence = std::move(proof->finding.evidence);
    answer.faults = std::move(proof->finding.faults);
    answer.reason = std::move(proof->reason);
    answer.at_ms = proof->at_ms;
    answer.took_ms = proof->took_ms;
    co_return answer;
}

}  // namespace postern::app::front
