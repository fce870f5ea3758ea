
#include "edge/api/api_lab_test.h"
#include "edge/api/audited.h"
#include "edge/api/endpoints.h"
#include "edge/api/limits.h"
#include "edge/api/page.h"
#include "edge/api/services.h"
#include "edge/api/sse.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/policy.h"
#include "features/mail/mail_types.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::api {
namespace {

using test::Sent;

class ApiTest : public test::ApiLab {
protected:
    net::http::Response get(std::string target) {
        return send(by(owner, "GET", std::move(target)));
    }
    std::string setup_body(const std::string& setup) {
        return R"({"token":")" + setup +
               R"(","workspace":"Brand","email":"olga@brand.example",)"
               R"("password":"correct horse battery staple"})";
    }
    std::string owner = token();
};

TEST_F(ApiTest, everything_below_v1_but_the_open_routes_wants_a_token) {
    const std::set<std::string> open = {"POST /v1/setup",
                                        "POST /v1/sessions",
                                        "POST /v1/sessions/passkey",
                                        "POST /v1/passkey-challenges",
                                        "POST /v1/password-resets",
                                        "POST /v1/password-resets/use",
                                        "POST /v1/invitations/accept"};
    auto asked = make_router().routes();
    asked.push_back({"GET", "/v1/nowhere", Audited::nothing(), {}});
    asked.push_back({"POST", "/v1/integrations/int_x/cut-off", Audited::nothing(), {}});
    for (const auto& route : asked) {
        if (!route.pattern.starts_with("/v1/") || open.contains(route.method + " " + route.pattern))
            continue;
        auto path = route.pattern;
        for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
            path.replace(at, path.find('}') - at + 1, "x");
        const auto answer = send({route.method, path, "", {}});
        EXPECT_EQ(answer.status, 401) << path;
        EXPECT_EQ(member(answer, "code"), "unauthenticated") << path;
    }
}

TEST_F(ApiTest, wrong_tokens_are_one_answer) {
    for (const std::string wrong :
         {"pst_", "x", "", "pst_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}) {
        EXPECT_EQ(send(by(wrong, "GET", "/v1/me")).status, 401) << wrong;
    }
    EXPECT_EQ(send(by(owner.substr(0, owner.size() - 1), "GET", "/v1/me")).status, 401);
    EXPECT_EQ(get("/v1/me").status, 200);
}

TEST_F(ApiTest, unknown_paths_and_methods) {
    for (const std::string path : {"/v1/nothing", "/v2/me", "/v1/me/", "//v1/me", "/v1/threads/%00",
                                   "/v1/../v1/me", "/favicon.ico"}) {
        EXPECT_EQ(get(path).status, 404) << path;
    }
    const auto wrong = send(by(owner, "DELETE", "/v1/me"));
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(header(wrong, "Allow"), "GET, HEAD");
    EXPECT_EQ(send(by(owner, "HEAD", "/v1/me")).status, 200);
}

TEST_F(ApiTest, role_decides_before_the_body_is_looked_at) {
    const auto reader = token("Brand", identity::Role::reader);
    EXPECT_EQ(send(by(reader, "GET", "/v1/threads")).status, 200);
    const auto refused = send(by(reader, "POST", "/v1/integrations", "{"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(member(refused, "code"), "forbidden");
    const auto operator_token = token("Brand", identity::Role::operator_);
    EXPECT_EQ(send(by(operator_token, "GET", "/v1/threads")).status, 403);
    EXPECT_EQ(send(by(operator_token, "GET", "/v1/integrations")).status, 200);
}

TEST_F(ApiTest, foreign_host_names_are_not_served) {
    for (const std::string host : {"evil.example", "evil.example:8080", "localhost:1", ""}) {
        auto sent = by(owner, "GET", "/v1/me");
        sent.headers.emplace_back("Host", host);
        EXPECT_EQ(send(sent).status, 421) << host;
    }
}

TEST_F(ApiTest, pages_move_to_localhost_and_the_api_does_not) {
    const auto at_number = [&](std::string method, std::string target) {
        auto sent = by(owner, std::move(method), std::move(target));
        sent.headers.emplace_back("Host", "127.0.0.1:8080");
        return send(sent);
    };
    const auto page = at_number("GET", "/setup?token=x");
    EXPECT_EQ(page.status, 307);
    EXPECT_EQ(header(page, "Location"), "http://localhost:8080/setup?token=x");
    EXPECT_EQ(at_number("GET", "/").status, 307);
    EXPECT_EQ(at_number("POST", "/setup").status, 415);
    EXPECT_EQ(at_number("GET", "/v1/me").status, 200);
    EXPECT_EQ(at_number("GET", "/healthz").status, 200);
}

TEST_F(ApiTest, setup_over_the_api_works_once) {
    const auto setup = setup_token();
    EXPECT_EQ(send({"POST", "/v1/setup", setup_body(std::string(43, 'x')), {}}).status, 403);
    const auto made = send({"POST", "/v1/setup", setup_body(setup), {}});
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(send(by(member(made, "token"), "GET", "/v1/me")).status, 200);
    EXPECT_EQ(send({"POST", "/v1/setup", setup_body(setup), {}}).status, 409);
    EXPECT_EQ(header(made, "Cache-Control"), "no-store");
}

TEST_F(ApiTest, setup_form_makes_an_owner_and_shows_the_token_once) {
    const auto setup = setup_token();
    EXPECT_NE(send({"GET", "/setup?token=" + setup, "", {}}).body.find("<form"), std::string::npos);
    EXPECT_EQ(send({"GET", "/setup?token=wrong", "", {}}).status, 403);
    EXPECT_EQ(send({"GET", "/setup", "", {}}).status, 403);
    const auto post = [&](std::string password) {
        auto request = request_of({"POST", "/setup", "", {}});
        request.headers.add("Content-Type", "application/x-www-form-urlencoded");
        request.body.append("token=" + setup + "&workspace=Brand&email=olga%40brand.example" +
                            "&password=" + password);
        return loop.run(ask(handlers.handle, std::move(request))).value();
    };
    const auto weak = post("short");
    EXPECT_EQ(weak.status, 422);
    EXPECT_NE(weak.body.find("<form"), std::string::npos);
    EXPECT_EQ(weak.body.find("short"), std::string::npos);
    const auto made = post("correct+horse+battery+staple");
    EXPECT_EQ(made.status, 201);
    EXPECT_NE(made.body.find("<code>pst_"), std::string::npos);
    EXPECT_EQ(post("correct+horse+battery+staple").status, 409);
    EXPECT_TRUE(sign_in().has_value());
}

TEST_F(ApiTest, session_cookie_reads_freely_and_changes_only_from_our_own_pages) {
    ASSERT_TRUE(set_up(setup_token()).has_value());
    const auto signed_in = send({"POST",
                                 "/v1/sessions",
                                 R"({"email":"olga@brand.example",)"
                                 R"("password":"correct horse battery staple"})",
                                 {}});
    ASSERT_EQ(signed_in.status, 201) << signed_in.body;
    const auto set = header(signed_in, "Set-Cookie");
    EXPECT_EQ(signed_in.body.find("pss_"), std::string::npos);
    const auto cookie = set.substr(0, set.find(';'));
    EXPECT_EQ(send({"GET", "/v1/me", "", {{"Cookie", cookie}}}).status, 200);
    const Sent change{"POST", "/v1/tokens", R"({"role":"reader"})", {{"Cookie", cookie}}};
    const auto refused = send(change);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(member(refused, "code"), "foreign_origin");
    auto foreign = change;
    foreign.headers.emplace_back("Origin", "https://evil.example");
    EXPECT_EQ(send(foreign).status, 403);
    auto ours = change;
    ours.headers.emplace_back("Origin", "http://localhost:8080");
    EXPECT_EQ(send(ours).status, 201);
    Sent out{"DELETE", "/v1/sessions/current", "", {{"Cookie", cookie}}};
    out.headers.emplace_back("Sec-Fetch-Site", "same-origin");
    EXPECT_EQ(send(out).status, 204);
    EXPECT_EQ(send({"GET", "/v1/me", "", {{"Cookie", cookie}}}).status, 401);
}

TEST_F(ApiTest, sign_in_says_one_thing_whatever_is_wrong_and_slows_down) {
    ASSERT_TRUE(set_up(setup_token()).has_value());
    const auto attempt = [&](const std::string& email) {
        return send(
            {"POST", "/v1/sessions", R"({"email":")" + email + R"(","password":"wrong"})", {}});
    };
    const auto known = attempt("olga@brand.example");
    const auto unknown = attempt("nobody@brand.example");
    EXPECT_EQ(known.status, 401);
    EXPECT_EQ(unknown.status, 401);
    EXPECT_EQ(member(known, "code"), "invalid_credentials");
    EXPECT_EQ(member(unknown, "code"), "invalid_credentials");
    for (int i = 0; i < 4; ++i)
        static_cast<void>(attempt("olga@brand.example"));
    const auto slowed = attempt("olga@brand.example");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(header(slowed, "Retry-After"), "30");
}

TEST_F(ApiTest, malformed_bodies_have_their_codes) {
    const std::tuple<std::string, int, std::string> cases[] = {
        {"{", 400, "malformed_json"},
        {"'x'", 400, "malformed_json"},
        {"[]", 422, "invalid_request"},
        {R"({"a":1}{"b":2})", 400, "malformed_json"},
        {R"({"kind":"imap","kind":"imap"})", 400, "duplicate_field"},
        {std::string(100'000, '['), 400, "malformed_json"},
        {R"({"a":)" + std::string(5000, '9') + "}", 422, "invalid_request"}};
    for (const auto& [body, status, code] : cases) {
        const auto answer = send(by(owner, "POST", "/v1/integrations", body));
        EXPECT_EQ(answer.status, status) << body.substr(0, 40);
        EXPECT_EQ(member(answer, "code"), code) << body.substr(0, 40);
    }
    auto form = request_of(by(owner, "POST", "/v1/integrations"));
    form.headers.add("Content-Type", "text/plain");
    form.body.append("{}");
    EXPECT_EQ(loop.run(ask(handlers.handle, std::move(form))).value().status, 415);
}

TEST_F(ApiTest, threads_are_paged_and_are_of_one_workspace) {
    const std::string body =
        R"({"integration_id":"int_00000000000000000000000000","subject":"s","text":"t",)"
        R"("to":[{"address":"lea@creators.example"}]})";
    std::set<std::string> made;
    for (int i = 0; i < 7; ++i)
        made.insert(member(send(by(owner, "POST", "/v1/threads", body)), "id"));
    std::set<std::string> seen;
    std::string cursor;
    for (int page = 0; page < 10; ++page) {
        const auto answer = get("/v1/threads?limit=2" + cursor);
        ASSERT_EQ(answer.status, 200) << answer.body;
        const auto json = codec::Json::parse(as_bytes(answer.body)).value();
        const auto& items = *json.fields()->front().second.items();
        EXPECT_LE(items.size(), 2U);
        for (const auto& item : items)
            EXPECT_TRUE(seen.emplace(*item.fields()->front().second.text()).second);
        if (json.fields()->back().second.is_null()) break;
        cursor = "&cursor=" + std::string(*json.fields()->back().second.text());
    }
    EXPECT_EQ(seen, made);
    const auto other = token("Other");
    EXPECT_EQ(send(by(other, "GET", "/v1/threads")).body, R"({"items":[],"next_cursor":null})");
    const auto theirs = send(by(other, "GET", "/v1/threads/" + *made.begin()));
    const auto unknown = send(by(other, "GET", "/v1/threads/thr_00000000000000000000000000"));
    EXPECT_EQ(theirs.status, 404);
    EXPECT_EQ(member(theirs, "title"), member(unknown, "title"));
    EXPECT_EQ(member(theirs, "detail"), member(unknown, "detail"));
}

TEST_F(ApiTest, held_mail_is_paged_and_can_be_of_one_thread) {
    const auto thread = ThreadId::make(7);
    for (int i = 5; i > 0; --i) {
        mail::HeldView held;
        held.id = MessageId::make(i);
        held.thread = i % 2 == 0 ? thread : ThreadId::make(8);
        held.reason = "not_a_participant";
        held.more = i == 4;
        mail.waiting.push_back(held);
    }
    std::vector<std::string> seen;
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
        const auto answer = get("/v1/held?limit=2" + cursor);
        ASSERT_EQ(answer.status, 200) << answer.body;
        const auto json = codec::Json::parse(as_bytes(answer.body)).value();
        for (const auto& item : *json.fields()->front().second.items())
            seen.emplace_back(*item.fields()->front().second.text());
        EXPECT_EQ(json.fields()->back().second.is_null(), page == 2);
        if (page < 2) cursor = "&cursor=" + member(answer, "next_cursor");
    }
    std::vector<std::string> all;
    for (const auto& held : mail.waiting)
        all.push_back(held.id.text());
    EXPECT_EQ(seen, all);
    const auto of_one = get("/v1/held?thread=" + thread.text());
    EXPECT_NE(of_one.body.find(all[1]), std::string::npos);
    EXPECT_NE(of_one.body.find("\"more\":true"), std::string::npos);
    EXPECT_NE(of_one.body.find("\"more\":false"), std::string::npos);
    EXPECT_EQ(of_one.body.find(all[0]), std::string::npos);
    // Cursors of other lists, and what is no id.
    for (const std::string& query :
         {"cursor=" + make_cursor('t', thread.bytes()), std::string("thread=x"),
          std::string("limit=0"), std::string("creator=x")})
        EXPECT_EQ(get("/v1/held?" + query).status, 422) << query;
}

TEST_F(ApiTest, raw_mail_is_saved_and_never_shown) {
    const auto raw = get("/v1/messages/" + MessageId::make(1).text() + "/raw");
    EXPECT_EQ(raw.content_type, "message/rfc822");
    EXPECT_TRUE(header(raw, "Content-Disposition").starts_with("attachment; filename="));
    EXPECT_NE(header(raw, "Content-Security-Policy").find("sandbox"), std::string::npos);
    EXPECT_TRUE(raw.stream);
}

TEST_F(ApiTest, who_opens_what_somebody_wrote_is_recorded_before_it_leaves) {
    const std::string body =
        R"({"integration_id":"int_00000000000000000000000000","subject":"s","text":"t",)"
        R"("to":[{"address":"lea@creators.example"}]})";
    const auto made = send(by(owner, "POST", "/v1/threads", body));
    const auto thread = "/v1/threads/" + member(made, "id");
    EXPECT_EQ(send(by(owner, "GET", "/v1/threads")).status, 200) << "a list opens nothing";
    ASSERT_EQ(send(by(owner, "GET", thread)).status, 200);
    EXPECT_EQ(send(by(owner, "GET", thread + "x")).status, 404);
    const auto listed = send(by(owner, "GET", "/v1/audit?limit=1"));
    EXPECT_NE(listed.body.find("thread.opened"), std::string::npos) << listed.body;
    EXPECT_NE(listed.body.find(R"("number":2)"), std::string::npos) << "once, " << listed.body;
    EXPECT_NE(listed.body.find(R"("object_id":")" + member(made, "id")), std::string::npos);
    EXPECT_NE(listed.body.find("next_cursor\":\""), std::string::npos);
    ASSERT_TRUE(database->write_now([](store::Transaction& tx) {
        return store::done(tx.execute(store::SqlText("DROP TABLE audit_records")));
    }));
    EXPECT_GE(send(by(owner, "GET", thread)).status, 500) << "no record, nothing shown";
    EXPECT_EQ(send(by(owner, "GET", "/v1/threads")).status, 200);
}

TEST_F(ApiTest, read_ledger_is_walked_by_numbers) {
    const auto path = "/v1/integrations/" + IntegrationId::make(1).text() + "/read-ledger?limit=3";
    const auto first = get(path);
    EXPECT_NE(first.body.find("\"number\":5"), std::string::npos);
    EXPECT_EQ(first.body.find("\"number\":2"), std::string::npos);
    const auto second = get(path + "&cursor=" + member(first, "next_cursor"));
    EXPECT_NE(second.body.find("\"number\":2"), std::string::npos);
    EXPECT_EQ(second.body.find("\"number\":3,"), std::string::npos);
}

TEST_F(ApiTest, health_needs_nothing_and_readiness_names_what_is_missing) {
    const auto health = handlers.fast(request_of({"GET", "/healthz", "", {}}));
    ASSERT_TRUE(health.has_value());
    EXPECT_EQ(health->body, "ok\n");
    EXPECT_FALSE(handlers.fast(request_of({"GET", "/healthz/x", "", {}})).has_value());
    const auto ready = send({"GET", "/readyz", "", {}});
    EXPECT_EQ(ready.status, 503);  // no courier is attached here
    EXPECT_NE(ready.body.find(R"({"name":"keeper","good":true})"), std::string::npos);
    EXPECT_NE(ready.body.find(R"({"name":"courier","good":false})"), std::string::npos);
}

TEST_F(ApiTest, metrics_are_for_this_machine_and_hold_no_ids) {
    static_cast<void>(get("/v1/threads/thr_00000000000000000000000000"));
    const auto text = send({"GET", "/metrics", "", {}});
    EXPECT_EQ(text.status, 200);
    EXPECT_NE(text.body.find("GET /v1/threads/{id}"), std::string::npos);
    EXPECT_EQ(text.body.find("thr_"), std::string::npos);
    auto far = request_of({"GET", "/metrics", "", {}});
    far.peer.is_loopback = false;
    EXPECT_EQ(loop.run(ask(handlers.handle, std::move(far))).value().status, 404);
}

/// Collects what a stream writes and ends it after so many bytes.
class Collector final : public net::http::BodyWriter {
public:
    explicit Collector(std::size_t bytes_max) : bytes_max_(bytes_max) {}
    std::string all;
    async::Task<> write(std::string data) override {
        all += data;
        if (all.size() >= bytes_max_) co_return fail(async::AsyncError::cancelled);
        co_return Result<>{};
    }

private:
    std::size_t bytes_max_;
};

TEST_F(ApiTest, events_after_the_last_one_seen_come_and_no_others) {
    const auto workspace = run(identity->authenticate_token(owner)).value().workspace;
    for (const auto* state : {"one", "two", "three"}) {
        events::Event event{"integration.state", std::nullopt, {{"state", state}}};
        ASSERT_TRUE(run(events.publish(workspace, std::move(event))).has_value());
    }
    const auto stream = get("/v1/events?after=1");
    ASSERT_EQ(stream.status, 200);
    EXPECT_EQ(stream.content_type, "text/event-stream");
    Collector collector(100);
    static_cast<void>(loop.run(stream.stream(collector)));
    EXPECT_EQ(collector.all.find("\"one\""), std::string::npos);
    EXPECT_NE(collector.all.find("id: 2\nevent: integration.state\ndata: {"), std::string::npos);
    EXPECT_NE(collector.all.find("id: 3\n"), std::string::npos);
    auto again = by(owner, "GET", "/v1/events");
    again.headers.emplace_back("Last-Event-ID", "2");
    Collector last(60);
    static_cast<void>(loop.run(send(again).stream(last)));
    EXPECT_EQ(last.all.find("id: 2\n"), std::string::npos);
    EXPECT_NE(last.all.find("id: 3\n"), std::string::npos);
    again.headers.back().second = "x";
    EXPECT_EQ(send(again).status, 422);
    EXPECT_EQ(get("/v1/events?after=-1").status, 422);
}

TEST_F(ApiTest, stream_of_a_deleted_token_ends) {
    auto made = create_token("Brand").value();
    const auto actor =
        run(identity->authenticate_token(identity::test::text_of(made.text))).value();
    const auto services = std::make_shared<const Services>(
        Services{*identity, *factors, *people, *resets, *passkeys, *providers, *provider_sign_in,
                 *audit_log, integrations, mail, private_threads, creators, events, *database,
                 keeper.link, courier, clock, site, metrics});
    const auto response = event_stream(services, actor, 0, std::chrono::milliseconds(1));
    EXPECT_EQ(metrics.streams(), 1U);
    ASSERT_TRUE(run(identity->delete_token(made.workspace, made.id)).has_value());
    Collector collector(1'000'000);
    EXPECT_TRUE(loop.run(response.stream(collector)).has_value());
    EXPECT_EQ(collector.all, ": open\n\n");
}

TEST_F(ApiTest, open_streams_are_bounded_for_each_workspace_and_in_all) {
    std::vector<net::http::Response> open;
    for (std::size_t i = 0; i < k_workspace_streams_max; ++i)
        open.push_back(get("/v1/events"));
    EXPECT_EQ(open.back().status, 200);
    EXPECT_EQ(get("/v1/events").status, 503);
    const auto other = create_token("Other").value();
    auto of_other = by(identity::test::text_of(other.text), "GET", "/v1/events");
    EXPECT_EQ(send(of_other).status, 200);
    open.pop_back();
    EXPECT_EQ(get("/v1/events").status, 200);
    for (std::size_t i = metrics.streams(); i < k_streams_max; ++i)
        metrics.stream_opened(WorkspaceId::make(1));
    EXPECT_EQ(send(of_other).status, 503);
}

TEST_F(ApiTest, stream_from_ahead_of_everything_begins_now) {
    const auto workspace = run(identity->authenticate_token(owner)).value().workspace;
    const auto stream = get("/v1/events?after=9223372036854775807");
    ASSERT_EQ(stream.status, 200);
    events::Event event{"integration.state", std::nullopt, {{"state", "one"}}};
    ASSERT_TRUE(run(events.publish(workspace, std::move(event))).has_value());
    Collector collector(60);
    static_cast<void>(loop.run(stream.stream(collector)));
    EXPECT_NE(collector.all.find("\"one\""), std::string::npos);
}

/// "GET /v1/threads/{id}" of every line of the document that begins an operation.
std::set<std::string> documented() {
    std::ifstream in(std::string(POSTERN_SOURCE_DIR) + "/api/openapi.yaml");
    std::set<std::string> found;
    std::string path;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("  /") && line.ends_with(":")) path = line.substr(2, line.size() - 3);
        if (!line.starts_with("  ") && !line.empty()) path.clear();
        for (const auto* method : {"get", "post", "patch", "delete", "put"}) {
            if (path.empty() || line != "    " + std::string(method) + ":") continue;
            std::string name(method);
            for (auto& c : name)
                c = static_cast<char>(c - 'a' + 'A');
            found.insert(name + " " + path);
        }
    }
    return found;
}

TEST(OpenApi, document_and_server_have_the_same_routes) {
    std::set<std::string> served;
    const auto router = make_router();
    for (const auto& route : router.routes())
        served.insert(route.method + " " + route.pattern);
    EXPECT_EQ(documented(), served);
}

}  // namespace
}  // namespace postern::api
