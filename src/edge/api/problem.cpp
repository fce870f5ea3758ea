#include "edge/api/problem.h"

#include "edge/api/api_error.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/codec/json.h"
#include "platform/net/http/request.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {
namespace {

struct CodeStatus {
    std::string_view code;
    int status;
};

/// Every code that a client may see. Sorted by status, then by code.
constexpr CodeStatus k_codes[] = {
    {"idempotency_key_invalid", 400},
    {"malformed_json", 400},
    {"malformed_request", 400},
    {"duplicate_field", 400},
    {"workspace_needed", 400},
    {"session_needed", 400},
    {"invalid_credentials", 401},
    {"unauthenticated", 401},
    {"forbidden", 403},
    {"foreign_origin", 403},
    {"beyond_own_rights", 403},
    {"fresh_proof_needed", 403},
    {"scope_needed", 403},
    {"invalid_code", 403},
    {"invitation_invalid", 403},
    {"reset_invalid", 403},
    {"invalid_passkey", 403},
    {"second_factor_enrolment_needed", 403},
    {"second_factor_needed", 403},
    {"setup_token_invalid", 403},
    {"wrong_secret", 403},
    {"not_found", 404},
    {"method_not_allowed", 405},
    {"request_timed_out", 408},
    {"conflict", 409},
    {"idempotency_in_progress", 409},
    {"integration_busy", 409},
    {"other_account", 409},
    {"seal_changed", 409},
    {"seal_key_changed", 409},
    {"setup_done", 409},
    {"ticket_refused", 409},
    {"use_ended", 409},
    {"held_gone", 410},
    {"message_not_unknown", 409},
    {"thread_changed", 409},
    {"thread_is_shared", 409},
    {"last_of_thread", 409},
    {"not_ended", 409},
    {"bad_scheme", 422},
    {"already_member", 409},
    {"goes_by_mail", 409},
    {"sign_in_first", 409},
    {"last_factor", 409},
    {"last_owner", 409},
    {"no_mail", 409},
    {"managed_person", 409},
    {"works_elsewhere", 409},
    {"last_holder", 409},
    {"last_way_in", 409},
    {"provider_secret_needed", 409},
    {"session_not_by_provider", 409},
    {"too_many_factors", 409},
    {"too_many_people", 409},
    {"too_many_workspaces", 409},
    {"too_many_holders", 409},
    {"too_many_providers", 409},
    {"no_recovery_kit", 409},
    {"passkeys_not_possible", 409},
    {"idempotency_result_gone", 410},
    {"integration_cut_off", 410},
    {"integration_deleted", 410},
    {"not_readable", 410},
    {"precondition_failed", 412},
    {"body_too_large", 413},
    {"too_large", 413},
    {"target_too_long", 414},
    {"unsupported_media_type", 415},
    {"expectation_failed", 417},
    {"misdirected", 421},
    {"address_refused", 422},
    {"invalid_email", 422},
    {"invalid_name", 422},
    {"invalid_recipient", 422},
    {"invalid_request", 422},
    {"invalid_workspace_name", 422},
    {"idempotency_key_reused", 422},
    {"only_sends", 422},
    {"provider_unsuitable", 422},
    {"region_not_allowed", 422},
    {"reply_address_not_possible", 422},
    {"secret_in_use", 422},
    {"too_many_recipients", 422},
    {"unknown_kind", 422},
    {"verification_failed", 422},
    {"weak_password", 422},
    {"weak_secret", 422},
    {"integration_sealed", 423},
    {"ceiling_reached", 429},
    {"too_many_attempts", 429},
    {"headers_too_large", 431},
    {"cannot_open", 500},
    {"internal_error", 500},
    {"store_outcome_unknown", 500},
    {"certificate_expired", 502},
    {"certificate_untrusted", 502},
    {"certificate_wrong_name", 502},
    {"connection_failed", 502},
    {"connection_lost", 502},
    {"mail_refused", 502},
    {"mail_unreadable", 502},
    {"name_not_found", 502},
    {"protocol_violation", 502},
    {"provider_refused", 502},
    {"sign_in_refused", 502},
    {"sign_in_unavailable", 502},
    {"tls_failed", 502},
    {"busy", 503},
    {"cancelled", 503},
    {"disk_full", 503},
    {"process_restarting", 503},
    {"server_busy", 503},
    {"storage_failed", 503},
    {"store_busy", 503},
    {"store_closed", 503},
    {"store_in_use", 503},
    {"store_io_failed", 503},
    {"store_login_refused", 503},
    {"store_not_permitted", 503},
    {"store_unreachable", 503},
    {"store_unsuitable", 503},
    {"deadline_passed", 504},
    {"timed_out", 504},
    {"http_version_not_supported", 505},
};

constexpr std::string_view k_internal = "internal_error";
/// Where nobody said for how long.
constexpr std::int64_t k_retry_after_s = 2;

/// Titles are those of the code, never of the case: "There is no such thread" is the detail.
std::string title_of(std::string_view code) {
    std::string title(code);
    std::replace(title.begin(), title.end(), '_', ' ');
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
    }
    return title;
}

bool is_worth_a_retry(int status) {
    return status == 429 || status == 503;
}

}  // namespace

int status_of_code(std::string_view code) {
    const auto found = std::find_if(std::begin(k_codes), std::end(k_codes),
                                    [&](const auto& entry) { return entry.code == code; });
    return found == std::end(k_codes) ? 0 : found->status;
}

net::http::Response problem_response(const Problem& problem) {
    codec::JsonWriter json;
    json.begin_object()
        .field("type", "urn:postern:problem:" + problem.code)
        .field("title", title_of(problem.code))
        .field("status", std::int64_t{problem.status})
        .field("code", problem.code)
        .field("detail", problem.detail)
        .field("instance", problem.instance)
        .begin_array("errors");
    for (const auto& item : problem.errors) {
        json.begin_object().field("field", item.field).field("code", item.code);
        if (!item.detail.empty()) json.field("detail", item.detail);
        json.end_object();
    }
    json.end_array().end_object();
    net::http::Response response;
    response.status = problem.status;
    response.content_type = "application/problem+json";
    response.body = json.take();
    auto wait_s = problem.retry_after_s;
    if (wait_s <= 0 && is_worth_a_retry(problem.status)) wait_s = k_retry_after_s;
    if (wait_s > 0) response.headers.emplace_back("Retry-After", std::to_string(wait_s));
    if (problem.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

namespace {

Problem as_problem(const Error& error, std::uint64_t request_id) {
    Problem problem;
    problem.instance = net::http::request_id_text(request_id);
    problem.status = status_of_code(error.code());
    problem.code = error.code();
    problem.detail = error.text();
    problem.retry_after_s = error.retry_after_s();
    if (problem.status == 0) {
        problem.status = 500;
        problem.code = k_internal;
        problem.detail = "Something went wrong on our side.";
    }
    if (problem.status >= 500) {
        log(LogLevel::warning, "request_failed",
            {LogField::sanitised("incident", problem.instance), LogField("error", error),
             LogField::sanitised("detail", error.detail())});
    }
    return problem;
}

}  // namespace

net::http::Response problem_of(const Error& error, std::uint64_t request_id) {
    return problem_response(as_problem(error, request_id));
}

net::http::Response problem_of_field(const Error& error,
                                     const codec::FieldError& field,
                                     std::uint64_t request_id) {
    auto problem = as_problem(error, request_id);
    problem.errors.push_back({field.field, std::string(field.code), std::string(error.text())});
    return problem_response(problem);
}

net::http::Response problem_of_fields(const std::vector<codec::FieldError>& errors,
                                      std::uint64_t request_id) {
    const Error error(ApiError::invalid_request);
    Problem problem;
    problem.status = 422;
    problem.code = error.code();
    problem.detail = error.text();
    problem.instance = net::http::request_id_text(request_id);
    for (const auto& found : errors)
        problem.errors.push_back({found.field, std::string(found.code), {}});
    return problem_response(problem);
}

}  // namespace postern::api
