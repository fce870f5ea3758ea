#include "edge/api/download.h"
#include "edge/api/integration_body.h"
#include "edge/api/integration_view.h"
#include "edge/api/mail_body.h"
#include "edge/api/mail_view.h"
#include "edge/api/metrics.h"
#include "edge/api/pages.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/codec/json.h"
#include "platform/keys/key_error.h"
#include "platform/os/files.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using codec::FieldError;
using codec::Json;

constexpr std::string_view k_good =
    R"({"kind":"imap","name":"Maya","level":"replies","generate":true,"config":{)"
    R"("address":"maya@Brand.example","username":"maya",)"
    R"("imap":{"host":"mail.brand.example","port":993,"tls":"implicit"},)"
    R"("smtp":{"host":"mail.brand.example","port":587,"tls":"starttls"}},)"
    R"("credential":{"password":"hunter2"}})";

std::string replaced(std::string_view from, std::string_view to) {
    std::string text(k_good);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::map<std::string, std::string> errors_of(std::string_view text) {
    const auto json = Json::parse(as_bytes(text));
    EXPECT_TRUE(json.has_value()) << text;
    std::vector<FieldError> errors;
    const auto body = read_connect(*json, errors);
    std::map<std::string, std::string> found;
    for (const auto& error : errors)
        found[error.field] = error.code;
    return found;
}

TEST(ConnectBody, fields_arrive_where_they_belong) {
    const auto json = Json::parse(as_bytes(k_good)).value();
    std::vector<FieldError> errors;
    const auto body = read_connect(json, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().field;
    EXPECT_EQ(body.ask.name, "Maya");
    EXPECT_EQ(body.ask.destination.address, "maya@brand.example");
    EXPECT_EQ(body.ask.destination.imap.port, 993);
    EXPECT_EQ(body.ask.destination.smtp.tls, mail::TlsUse::starttls);
    EXPECT_TRUE(body.ask.generate);
    EXPECT_FALSE(body.ask.keep_working.has_value());
    EXPECT_EQ(body.ask.credential.clear.size(), 7U);
}

TEST(ConnectBody, keep_working_is_a_grant) {
    const auto json = Json::parse(as_bytes(replaced(
        R"("generate")",
        R"("keep_working":{"verbs":["send","read_replies"],"expires_in":"P30D"},"generate")")));
    std::vector<FieldError> errors;
    const auto body = read_connect(json.value(), errors);
    ASSERT_TRUE(errors.empty()) << errors.front().field;
    EXPECT_EQ(body.ask.keep_working->verbs, 3);
    EXPECT_EQ(body.ask.keep_working->expires_in_s, 30 * 86400);
}

TEST(IntegrationView, refusal_shows_what_a_client_may_see) {
    EXPECT_EQ(refusal_json(keys::KeyError::integration_sealed),
              R"({"code":"integration_sealed",)"
              R"("text":"The integration is sealed. Unlock it with its secret."})");
    EXPECT_EQ(refusal_json({store::StoreError::row_refused, "private"}),
              R"({"code":"internal_error","text":"Something went wrong on our side."})");
}

TEST(ConnectBody, wrong_fields_are_named) {
    struct Case {
        std::string_view from;
        std::string_view to;
        std::string_view field;
        std::string_view code;
    };
    const Case cases[] = {
        {R"("kind":"imap",)", "", "kind", "missing"},
        {R"("kind":"imap")", R"("kind":1)", "kind", "wrong_type"},
        {R"("kind":"imap")", R"("kind":"pop3")", "kind", "unknown_kind"},
        {R"("name":"Maya")", R"("name":"")", "name", "invalid"},
        {R"("name":"Maya")", R"("name":null)", "name", "missing"},
        {R"("name":"Maya")", R"("name":["x"])", "name", "wrong_type"},
        {R"("name":"Maya")", R"("name":"a\nb")", "name", "invalid"},
        {R"("level":"replies")", R"("level":"all")", "level", "invalid"},
        {R"("generate":true)", R"("generate":"yes")", "generate", "wrong_type"},
        {R"("generate":true,)", "", "shared_secret", "missing"},
        {R"("generate":true)", R"("generate":true,"shared_secret":"x")", "shared_secret",
         "invalid"},
        {R"("password":"hunter2")", "", "credential.password", "missing"},
        {R"("password":"hunter2")", R"("password":"")", "credential.password", "invalid"},
        {R"("password":"hunter2")", R"("token":"x")", "credential.token", "unknown_field"},
        {R"("username":"maya")", R"("username":"a\r\nb LOGOUT")", "config.username", "invalid"},
        {"maya@Brand.example", "a@b.example\\r\\nBcc: x", "config.address", "invalid"},
        {"maya@Brand.example", "maya", "config.address", "invalid"},
        {R"("port":993)", R"("port":0)", "config.imap.port", "out_of_range"},
        {R"("port":993)", R"("port":65536)", "config.imap.port", "out_of_range"},
        {R"("port":993)", R"("port":9.5)", "config.imap.port", "wrong_type"},
        {R"("port":993)", R"("port":true)", "config.imap.port", "wrong_type"},
        {R"("tls":"implicit")", R"("tls":"none")", "config.imap.tls", "invalid"},
        {R"("tls":"implicit")", R"("tls":null)", "config.imap.tls", "missing"},
        {R"("host":"mail.brand.example","port":993)", R"("host":"a b","port":993)",
         "config.imap.host", "invalid"},
        {R"("username")", R"("insecure":true,"username")", "config.insecure", "unknown_field"},
        {R"("username")", R"("tls_ca_pem":"x","username")", "config.tls_ca_pem", "invalid"},
        {R"("username")", R"("tls_ca_pem":"","username")", "config.tls_ca_pem", "invalid"},
        {R"("kind")", R"("workspace_id":"x","kind")", "workspace_id", "unknown_field"},
        {R"("kind")", R"("keep_working":{"verbs":[],"expires_in":"P1D"},"kind")",
         "keep_working.verbs", "missing"},
        {R"("kind")", R"("keep_working":{"verbs":["read_all"],"expires_in":"P1D"},"kind")",
         "keep_working.verbs", "invalid"},
        {R"("kind")", R"("keep_working":{"verbs":["send"],"expires_in":"P1Y"},"kind")",
         "keep_working.expires_in", "invalid"},
        {R"("kind")", R"("keep_working":{"verbs":["send"],"expires_in":"PT1S"},"kind")",
         "keep_working.expires_in", "out_of_range"},
        {R"("kind")", R"("keep_working":{"verbs":["send"],"expires_in":""},"kind")",
         "keep_working.expires_in", "invalid"},
        {R"("kind")", R"("keep_working":{"verbs":["send"],"expires_in":1},"kind")",
         "keep_working.expires_in", "wrong_type"},
        {R"("kind")", R"("keep_working":{"verbs":["send"]},"kind")", "keep_working.expires_in",
         "missing"},
    };
    for (const auto& c : cases) {
        const auto found = errors_of(replaced(c.from, c.to));
        const auto error = found.find(std::string(c.field));
        ASSERT_NE(error, found.end()) << c.to;
        EXPECT_EQ(error->second, c.code) << c.to;
    }
}

TEST(ConnectBody, empty_typed_secret_is_weak_rather_than_missing) {
    const auto json =
        Json::parse(as_bytes(replaced(R"("generate":true)", R"("shared_secret":"")"))).value();
    std::vector<FieldError> errors;
    const auto body = read_connect(json, errors);
    EXPECT_TRUE(errors.empty());
    EXPECT_TRUE(body.is_empty_secret);
}

TEST(ConnectBody, send_only_needs_no_imap_host) {
    const auto text = replaced(R"("level":"replies")", R"("level":"send_only")");
    EXPECT_TRUE(errors_of(text).empty());
}

TEST(MailBody, nothing_that_becomes_a_header_holds_a_line_break) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"subject":"x\r\nBcc: t@e.example","text":"t","to":[{"address":"a@b.example"}]})",
         "subject"},
        {R"({"subject":"","text":"t","to":[{"address":"a@b.example"}]})", "subject"},
        {R"({"subject":"s","text":"t","to":[]})", "to"},
        {R"({"subject":"s","text":"t"})", "to"},
        {R"({"subject":"s","to":[{"address":"a@b.example"}]})", "text"},
        {R"({"subject":"s","text":"t","to":[{"address":"no address"}]})", "to[0].address"},
        {R"({"subject":"s","text":"t","to":[{"address":"a@b.example>\r\nRCPT TO:<x@y.example"}]})",
         "to[0].address"},
        {R"({"subject":"s","text":"t","to":[{"name":"L\nBcc: x","address":"a@b.example"}]})",
         "to[0].name"},
        {R"({"subject":"s","text":"t","to":[{"address":"a@b.example","role":"x"}]})", "to[0].role"},
        {R"({"subject":"s","text":"t","to":"a@b.example"})", "to"},
    };
    for (const auto& [text, field] : cases) {
        const auto json = Json::parse(as_bytes(text)).value();
        std::vector<FieldError> errors;
        codec::ObjectReader body(json, "", errors);
        static_cast<void>(read_mail(body, true, errors));
        body.finish();
        ASSERT_FALSE(errors.empty()) << text;
        EXPECT_EQ(errors.front().field, field) << text;
    }
}

TEST(MailBody, later_mail_needs_only_its_text) {
    const auto json = Json::parse(as_bytes(R"({"text":"two"})")).value();
    std::vector<FieldError> errors;
    codec::ObjectReader body(json, "", errors);
    const auto mail = read_mail(body, false, errors);
    body.finish();
    EXPECT_TRUE(errors.empty());
    EXPECT_EQ(mail.text, "two");
    EXPECT_TRUE(mail.to.empty());
}

TEST(AttachmentId, only_its_own_form_is_read) {
    EXPECT_EQ(parse_attachment_id(attachment_id(7)), 7U);
    for (const auto* text : {"", "att_", "att_x", "7", "att_-1", "att_1 ", "att_4294967296"}) {
        EXPECT_FALSE(parse_attachment_id(text).has_value()) << text;
    }
}

TEST(Download, names_of_strangers_stay_names) {
    EXPECT_EQ(disposition(""), "attachment");
    EXPECT_EQ(disposition("Tarifs 2026.pdf"),
              "attachment; filename=\"Tarifs 2026.pdf\"; filename*=UTF-8''Tarifs%202026.pdf");
    const auto evil = disposition("a\"\r\nSet-Cookie: x=1;\xC3\xA9/../b");
    EXPECT_EQ(evil.find('\r'), std::string::npos);
    EXPECT_EQ(evil.find("Set-Cookie:"), std::string::npos);
    EXPECT_EQ(evil.find("/.."), std::string::npos);
    EXPECT_LT(disposition(std::string(100'000, 'n')).size(), 1000U);
}

TEST(Download, types_of_strangers_are_taken_only_where_well_formed) {
    const std::pair<const char*, const char*> cases[] = {
        {"application/pdf", "application/pdf"},
        {"image/svg+xml", "image/svg+xml"},
        {"text/html; charset=x", "application/octet-stream"},
        {"a\r\nb/c", "application/octet-stream"},
        {"", "application/octet-stream"},
        {"/", "application/octet-stream"},
        {"a/b/c", "application/octet-stream"}};
    for (const auto& [given, expected] : cases) {
        auto file = os::make_memory_file(as_bytes("x"));
        const auto response = download_response({"n", given}, std::move(*file));
        ASSERT_TRUE(response.has_value()) << given;
        EXPECT_EQ(response->content_type, expected);
    }
}

TEST(Pages, what_comes_from_outside_is_escaped_and_no_script_is_in_them) {
    const auto page = setup_form(422, "a\"><script>", "<b>&'");
    EXPECT_EQ(page.body.find("<script"), std::string::npos);
    EXPECT_EQ(page.body.find("<b>"), std::string::npos);
    EXPECT_NE(page.body.find("&lt;b&gt;&amp;&#39;"), std::string::npos);
    EXPECT_NE(page.headers.front().second.find("default-src 'none'"), std::string::npos);
    EXPECT_EQ(page.headers.front().second.find("unsafe"), std::string::npos);
}

TEST(Metrics, series_are_bounded_and_named) {
    Metrics metrics;
    metrics.set_routes({"GET /v1/threads/{id}"});
    metrics.count(0, 200, 10);
    metrics.count(0, 204, 10);
    metrics.count(-1, 404, 5);
    metrics.count(99, 404, 5);
    metrics.count(0, 999'999, 1);
    metrics.add_source(
        [](MetricsText& out) { out.family("postern_x", "gauge", "X.").sample("postern_x", 7); });
    const auto text = metrics.text();
    EXPECT_NE(text.find("# TYPE postern_http_requests_total counter\n"), std::string::npos);
    EXPECT_NE(text.find("postern_http_requests_total{route=\"GET /v1/threads/{id}\","
                        "status=\"2xx\"} 2\n"),
              std::string::npos);
    EXPECT_NE(text.find("{route=\"none\",status=\"4xx\"} 2\n"), std::string::npos);
    EXPECT_NE(text.find("postern_x 7\n"), std::string::npos);
}

}  // namespace
}  // namespace postern::api
