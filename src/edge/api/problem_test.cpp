#include "edge/api/problem.h"

#include "edge/api/api_error.h"
#include "features/identity/identity_error.h"
#include "features/integrations/integration_error.h"
#include "features/mail/mail_types.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/error.h"
#include "foundation/codec/json.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

std::string header(const net::http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

/// Enumerators are numbered from 0; what lies behind the last describes itself as the first.
template <typename E>
void expect_mapped(int count) {
    for (int i = 0; i < count; ++i) {
        const auto code = describe(static_cast<E>(i)).code.view();
        EXPECT_NE(status_of_code(code), 0) << code;
    }
}

TEST(Problem, every_code_of_what_the_api_calls_has_a_status) {
    expect_mapped<ApiError>(static_cast<int>(ApiError::session_needed) + 1);
    expect_mapped<identity::IdentityError>(
        static_cast<int>(identity::IdentityError::token_not_found) + 1);
    expect_mapped<integrations::IntegrationError>(
        static_cast<int>(integrations::IntegrationError::grant_not_found) + 1);
    expect_mapped<mail::MailServiceError>(static_cast<int>(mail::MailServiceError::thread_changed) +
                                          1);
    expect_mapped<mail::MailError>(static_cast<int>(mail::MailError::mail_unreadable) + 1);
    expect_mapped<keys::KeyError>(static_cast<int>(keys::KeyError::storage_failed) + 1);
    expect_mapped<codec::JsonError>(static_cast<int>(codec::JsonError::duplicate_field) + 1);
    expect_mapped<async::AsyncError>(static_cast<int>(async::AsyncError::busy) + 1);
}

TEST(Problem, statuses_are_those_that_clients_rely_on) {
    const std::pair<const char*, int> expected[] = {
        {"integration_sealed", 423},  {"integration_cut_off", 410},
        {"wrong_secret", 403},        {"weak_secret", 422},
        {"too_many_attempts", 429},   {"busy", 503},
        {"disk_full", 503},           {"ceiling_reached", 429},
        {"not_found", 404},           {"malformed_json", 400},
        {"duplicate_field", 400},     {"unauthenticated", 401},
        {"forbidden", 403},           {"idempotency_key_reused", 422},
        {"precondition_failed", 412}, {"region_not_allowed", 422},
        {"misdirected", 421},         {"idempotency_in_progress", 409},
        {"body_too_large", 413},      {"store_in_use", 503},
        {"store_unsuitable", 503},    {"store_login_refused", 503},
        {"store_not_permitted", 503}, {"secret_in_use", 422}};
    for (const auto& [code, status] : expected)
        EXPECT_EQ(status_of_code(code), status) << code;
    EXPECT_EQ(status_of_code("no_such_code"), 0);
}

TEST(Problem, document_has_every_member_and_no_detail_of_ours) {
    const Error error(keys::KeyError::too_many_attempts, "private: maya@brand.example");
    const auto response = problem_of(Error(error).with_retry_after(17), 0xAB);
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(header(response, "Retry-After"), "17");
    for (const auto* member :
         {"\"type\":\"urn:postern:problem:too_many_attempts\"", "\"title\":\"Too many attempts\"",
          "\"status\":429", "\"code\":\"too_many_attempts\"", "\"detail\":\"Too many wrong",
          "\"instance\":\"req_00000000000000ab\"", "\"errors\":[]"}) {
        EXPECT_NE(response.body.find(member), std::string::npos) << member;
    }
    EXPECT_EQ(response.body.find("maya"), std::string::npos);
}

TEST(Problem, unknown_error_is_internal_and_says_nothing) {
    for (const auto& error : {Error(store::StoreError::bad_statement, "SELECT secret FROM x.cpp"),
                              Error(store::StoreError::corrupt, "/var/lib/postern"),
                              Error(store::StoreError::row_refused)}) {
        const auto response = problem_of(error, 1);
        EXPECT_EQ(response.status, 500);
        EXPECT_NE(response.body.find("\"internal_error\""), std::string::npos);
        EXPECT_EQ(response.body.find("SELECT"), std::string::npos);
        EXPECT_EQ(response.body.find("store"), std::string::npos);
        EXPECT_EQ(response.body.find("/var"), std::string::npos);
    }
}

TEST(Problem, waiting_helps_is_said_with_retry_after) {
    EXPECT_EQ(header(problem_of(Error(async::AsyncError::busy), 1), "Retry-After"), "2");
    EXPECT_EQ(header(problem_of(Error(ipc::IpcError::closed), 1), "Retry-After"), "2");
    EXPECT_EQ(header(problem_of(Error(ApiError::not_found), 1), "Retry-After"), "");
    EXPECT_EQ(
        header(problem_of(Error(identity::IdentityError::unauthenticated), 1), "WWW-Authenticate"),
        "Bearer");
}

TEST(Problem, titles_do_not_tell_one_missing_thing_from_another) {
    const auto thread = problem_of(Error(mail::MailServiceError::thread_not_found), 1);
    const auto nothing = problem_of(Error(ApiError::not_found), 1);
    EXPECT_NE(thread.body.find("\"title\":\"Not found\""), std::string::npos);
    EXPECT_NE(nothing.body.find("\"title\":\"Not found\""), std::string::npos);
}

TEST(Problem, fields_are_named_with_their_codes_and_escaped) {
    const auto response =
        problem_of_fields({{"to[0].address", "invalid"}, {"a\"\n<b>", "unknown_field"}}, 1);
    EXPECT_EQ(response.status, 422);
    EXPECT_NE(response.body.find(R"({"field":"to[0].address","code":"invalid"})"),
              std::string::npos);
    EXPECT_NE(response.body.find(R"({"field":"a\"\n<b>","code":"unknown_field"})"),
              std::string::npos);
}

}  // namespace
}  // namespace postern::api
