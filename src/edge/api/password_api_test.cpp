#include "edge/api/api_lab_test.h"
#include "edge/api/call.h"
#include "edge/api/services.h"
#include "edge/api/sse.h"
#include "features/identity/actor.h"
#include "features/identity/identity_lab_test.h"
#include "features/identity/second_factors.h"
#include "features/identity/throttle.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace postern::api {
namespace {

using test::Sent;

const std::string k_current = "correct horse battery staple";
const std::string k_next = "another horse, another battery";

/// Keeps what a stream writes.
class Kept final : public net::http::BodyWriter {
public:
    std::string all;
    async::Task<> write(std::string data) override {
        all += data;
        co_return Result<>{};
    }
};

class PasswordApiTest : public test::ApiLab {
protected:
    net::http::Response set_up_with(const std::string& json_password) {
        return send({"POST",
                     "/v1/setup",
                     R"({"token":")" + setup_token() +
                         R"(","workspace":"Brand","email":"olga@brand.example","password":")" +
                         json_password + R"("})",
                     {}});
    }
    int sign_in_status(const std::string& json_password) { return signed_in(json_password).status; }
    net::http::Response signed_in(const std::string& json_password) {
        return send({"POST",
                     "/v1/sessions",
                     R"({"email":"olga@brand.example","password":")" + json_password + R"("})",
                     {}});
    }
    static std::string cookie_of(const net::http::Response& response) {
        const auto set = header(response, "Set-Cookie");
        return set.substr(0, set.find(';'));
    }
    static Sent ours(const std::string& cookie,
                     std::string method,
                     std::string target,
                     std::string body = {}) {
        Sent sent{std::move(method), std::move(target), std::move(body), {{"Cookie", cookie}}};
        sent.headers.emplace_back("Origin", "http://localhost:8080");
        return sent;
    }
    static std::string change_body(const std::string& current, const std::string& next) {
        return R"({"current_password":")" + current + R"(","new_password":")" + next + R"("})";
    }
    net::http::Response change(const std::string& cookie,
                               const std::string& current,
                               const std::string& next) {
        return send(ours(cookie, "POST", "/v1/me/password", change_body(current, next)));
    }
    int me(const std::string& cookie) { return send(ours(cookie, "GET", "/v1/me")).status; }
};

TEST_F(PasswordApiTest, a_change_ends_the_other_sessions_and_sets_a_new_cookie) {
    ASSERT_EQ(set_up_with(k_current).status, 201);
    const auto mine = cookie_of(signed_in(k_current));
    const auto other = cookie_of(signed_in(k_current));
    const auto changed = change(mine, k_current, k_next);
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(member(changed, "person_id").substr(0, 4), "per_");
    EXPECT_EQ(changed.body.find("pss_"), std::string::npos);
    const auto fresh = cookie_of(changed);
    EXPECT_NE(fresh, mine);
    EXPECT_NE(header(changed, "Set-Cookie").find("; Max-Age=43200; Path=/; HttpOnly"),
              std::string::npos);
    EXPECT_EQ(me(fresh), 200);
    EXPECT_EQ(me(mine), 401);
    EXPECT_EQ(me(other), 401);
    EXPECT_EQ(sign_in_status(k_current), 401);
    EXPECT_EQ(sign_in_status(k_next), 201);
}

TEST_F(PasswordApiTest, only_a_session_on_a_page_of_ours_may_and_only_with_the_current_one) {
    const auto made = set_up_with(k_current);
    const auto mine = cookie_of(signed_in(k_current));
    const auto by_token =
        send(by(member(made, "token"), "POST", "/v1/me/password", change_body(k_current, k_next)));
    EXPECT_EQ(by_token.status, 403);
    EXPECT_EQ(member(by_token, "code"), "forbidden");
    const auto foreign = send({"POST",
                               "/v1/me/password",
                               change_body(k_current, k_next),
                               {{"Cookie", mine}, {"Origin", "https://evil.example"}}});
    EXPECT_EQ(member(foreign, "code"), "foreign_origin");
    EXPECT_EQ(send({"POST", "/v1/me/password", change_body(k_current, k_next), {}}).status, 401);
    for (int i = 0; i < identity::k_free_attempts; ++i) {
        const auto wrong = change(mine, "wrong guess", k_next);
        EXPECT_EQ(wrong.status, 401);
        EXPECT_EQ(member(wrong, "code"), "invalid_credentials");
    }
    const auto slowed = change(mine, k_current, k_next);
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(header(slowed, "Retry-After"), "30");
    EXPECT_EQ(me(mine), 200);
}

TEST_F(PasswordApiTest, password_alone_changes_none_where_there_is_a_second_factor) {
    ASSERT_EQ(set_up_with(k_current).status, 201);
    const auto mine = cookie_of(signed_in(k_current));
    const auto text = mine.substr(mine.find('=') + 1);
    const auto actor = run(identity->authenticate_session(text, std::nullopt)).value();
    const auto who = identity::SecondFactors::Mine::check(actor).value();
    const auto made = run(factors->begin(who, "Phone")).value();
    ASSERT_TRUE(run(factors->confirm(who, made.id, code_of(made.key))).has_value());
    const auto half = cookie_of(signed_in(k_current));
    const auto refused = change(half, k_current, k_next);
    EXPECT_EQ(member(refused, "code"), "second_factor_needed");
    EXPECT_EQ(sign_in_status(k_current), 201);
    const auto changed = change(mine, k_current, k_next);
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_NE(send(ours(cookie_of(changed), "GET", "/v1/me")).body.find(R"("standing":"whole")"),
              std::string::npos);
    EXPECT_EQ(me(half), 401);
}

TEST_F(PasswordApiTest, weak_ones_have_one_code_and_a_reason_at_their_field) {
    const std::pair<std::string, std::string> cases[] = {
        {"elevenchars", "too_short"},
        {"aaaaaaaaaaaa", "one_character"},
        {"Qwerty123456", "too_common"},
        {"OLGA@brand.example", "is_your_address"},
        {R"(\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000)",
         "one_character"},
    };
    const auto expect_reason = [](const net::http::Response& answer, const std::string& field,
                                  const std::string& reason) {
        EXPECT_EQ(answer.status, 422) << answer.body;
        EXPECT_EQ(member(answer, "code"), "weak_password");
        EXPECT_NE(answer.body.find(R"("errors":[{"field":")" + field + R"(","code":")" + reason +
                                   R"(","detail":")"),
                  std::string::npos)
            << answer.body;
    };
    for (const auto& [weak, reason] : cases)
        expect_reason(set_up_with(weak), "password", reason);
    ASSERT_EQ(set_up_with(k_current).status, 201);
    const auto mine = cookie_of(signed_in(k_current));
    for (const auto& [weak, reason] : cases)
        expect_reason(change(mine, k_current, weak), "new_password", reason);
    EXPECT_EQ(sign_in_status(k_current), 201);
}

TEST_F(PasswordApiTest, malformed_bodies_name_their_fields) {
    ASSERT_EQ(set_up_with(k_current).status, 201);
    const auto mine = cookie_of(signed_in(k_current));
    const std::pair<std::string, std::string> cases[] = {
        {R"({"new_password":"x"})", R"({"field":"current_password","code":"missing"})"},
        {R"({"current_password":"x"})", R"({"field":"new_password","code":"missing"})"},
        {change_body("x", std::string(1001, 'b')), R"({"field":"new_password","code":"too_long"})"},
        {R"({"current_password":"x","new_password":7})",
         R"({"field":"new_password","code":"wrong_type"})"},
        {R"({"current_password":"x","new_password":{"sealed":"AAAA"}})",
         R"({"field":"new_password","code":"wrong_type"})"},
        {R"({"current_password":"x","new_password":"y","email":"z"})",
         R"({"field":"email","code":"unknown_field"})"},
    };
    for (const auto& [body, wanted] : cases) {
        const auto answer = send(ours(mine, "POST", "/v1/me/password", body));
        EXPECT_EQ(answer.status, 422) << body;
        EXPECT_EQ(member(answer, "code"), "invalid_request");
        EXPECT_NE(answer.body.find(wanted), std::string::npos) << answer.body;
    }
}

TEST_F(PasswordApiTest, every_character_of_json_counts) {
    ASSERT_EQ(set_up_with(R"(correct horse\u0000 battery)").status, 201);
    EXPECT_EQ(sign_in_status("correct horse"), 401);
    EXPECT_EQ(sign_in_status("correct horse battery"), 401);
    const auto mine = cookie_of(signed_in(R"(correct horse\u0000 battery)"));
    EXPECT_EQ(me(mine), 200);
    // One letter, as one character and as two.
    const auto changed =
        change(mine, R"(correct horse\u0000 battery)", R"(caf\u00e9 del mar 1987)");
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(sign_in_status("cafe\xCC\x81 del mar 1987"), 401);
    EXPECT_EQ(sign_in_status("caf\xC3\xA9 del mar 1987"), 201);
}

/// A stream that nobody asks again for whether it may go on, as long as a test lasts.
class OpenStream {
public:
    OpenStream(net::test::Loop& loop, const Services& services, const identity::Actor& actor)
        : loop_(loop),
          response_(event_stream(
              std::make_shared<const Services>(services), actor, 0, std::chrono::hours(1))) {
        loop_.start(response_.stream(kept_), ended_);
        loop_.run_until([&] { return !kept_.all.empty(); });
        loop_.settle();
    }
    [[nodiscard]] bool is_open() const { return !ended_.has_value(); }
    /// What it told until its end.
    std::string rest() {
        loop_.run_until([&] { return ended_.has_value(); });
        return kept_.all;
    }

private:
    net::test::Loop& loop_;
    Response response_;
    Kept kept_;
    std::optional<Result<>> ended_;
};

TEST_F(PasswordApiTest, whose_session_or_token_ended_hears_nothing_more_at_once) {
    ASSERT_EQ(set_up_with(k_current).status, 201);
    const auto actor_of = [&](const std::string& cookie) {
        const auto text = cookie.substr(cookie.find('=') + 1);
        return run(identity->authenticate_session(text, std::nullopt)).value();
    };
    const Services services{*identity,
                            *factors,
                            *people,
                            *resets,
                            *passkeys,
                            *providers,
                            *provider_sign_in,
                            *audit_log,
                            integrations,
                            mail,
                            private_threads,
                            creators,
                            events,
                            *database,
                            keeper.link,
                            courier,
                            clock,
                            site,
                            metrics};
    const auto mine = cookie_of(signed_in(k_current));
    const auto owner = create_token("Brand").value();
    const auto made = create_token("Brand").value();
    const auto token = identity::test::text_of(owner.text);
    const auto of_token = run(identity->authenticate_token(token)).value();
    OpenStream going_on(loop, services, of_token);

    OpenStream of_other(loop, services, actor_of(cookie_of(signed_in(k_current))));
    const auto changed = change(mine, k_current, k_next);
    ASSERT_EQ(changed.status, 200);
    EXPECT_EQ(of_other.rest(), ": open\n\n");

    OpenStream of_mine(loop, services, actor_of(cookie_of(changed)));
    EXPECT_EQ(send(ours(cookie_of(changed), "DELETE", "/v1/sessions/current")).status, 204);
    EXPECT_EQ(of_mine.rest(), ": open\n\n");

    const auto deleted = run(identity->authenticate_token(identity::test::text_of(made.text)));
    OpenStream of_deleted(loop, services, deleted.value());
    EXPECT_EQ(send(by(token, "DELETE", "/v1/tokens/" + made.id.text())).status, 204);
    EXPECT_EQ(of_deleted.rest(), ": open\n\n");

    EXPECT_TRUE(going_on.is_open());
    ASSERT_TRUE(run(identity->delete_token(of_token.workspace, owner.id)).has_value());
    events::Event event{"integration.state", std::nullopt, {{"state", "one"}}};
    ASSERT_TRUE(run(events.publish(of_token.workspace, std::move(event))).has_value());
    EXPECT_EQ(going_on.rest(), ": open\n\n");
}

}  // namespace
}  // namespace postern::api
