#include "edge/api/router.h"

#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "edge/api/endpoints.h"
#include "features/identity/actor.h"
#include "features/identity/policy.h"

#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace postern::api {
namespace {

Answer nothing(Call) {
    return answer_with(no_content());
}

Router small() {
    Router router;
    router.add("GET", "/", Audited::nothing(), open_to_all(nothing));
    router.add("GET", "/v1/threads", Audited::nothing(), open_to_all(nothing));
    router.add("POST", "/v1/threads", Audited::nothing(), open_to_all(nothing));
    router.add("GET", "/v1/threads/{id}", Audited::nothing(), open_to_all(nothing));
    router.add("DELETE", "/v1/integrations/{id}/grants/{grant}", Audited::nothing(),
               open_to_all(nothing));
    return router;
}

// An endpoint without the proof, or with that of another permission, is no guarded endpoint.
template <typename F>
concept CanBeGuarded = requires(F f) { guarded(f); };
static_assert(!CanBeGuarded<Answer (*)(Call)>);
static_assert(!CanBeGuarded<Answer (*)(Call, identity::Actor)>);
static_assert(
    CanBeGuarded<Answer (*)(Call, identity::Authorized<identity::Permission::write_mail>)>);

TEST(Router, paths_find_their_route_and_parameters) {
    const auto router = small();
    EXPECT_EQ(router.find("GET", "/").index, 0);
    EXPECT_EQ(router.find("POST", "/v1/threads").index, 2);
    const auto one = router.find("GET", "/v1/threads/thr_0a");
    EXPECT_EQ(one.index, 3);
    EXPECT_EQ(one.parameters, std::vector<std::string>{"thr_0a"});
    const auto two = router.find("DELETE", "/v1/integrations/int_1/grants/grt-2");
    EXPECT_EQ(two.parameters, (std::vector<std::string>{"int_1", "grt-2"}));
    EXPECT_EQ(router.find("HEAD", "/v1/threads").index, 1);
}

TEST(Router, other_paths_find_nothing) {
    const auto router = small();
    const std::string long_id(65, 'a');
    for (const std::string path :
         {"", "//", "/v1", "/v1/", "//v1/threads", "/v1/threads/", "/v1/threads//", "/v1/Threads",
          "/v1/../v1/threads", "/v1/%2e%2e/threads", "/v1/threads/%00", "/v1/threads/a.b",
          "/v1/threads/a/b", "/v1/threads/a b", "/v1/threads/{id}", "/v2/threads", "v1/threads",
          "/v1/integrations//grants/x"}) {
        const auto match = router.find("GET", path);
        EXPECT_EQ(match.route, nullptr) << path;
        EXPECT_EQ(match.allowed, "") << path;
    }
    EXPECT_EQ(router.find("GET", "/v1/threads/" + long_id).route, nullptr);
    EXPECT_NE(router.find("GET", "/v1/threads/" + long_id.substr(1)).route, nullptr);
}

TEST(Router, every_route_of_the_server_is_found_by_its_own_path) {
    const auto router = make_router();
    const auto& routes = router.routes();
    for (std::size_t i = 0; i < routes.size(); ++i) {
        auto path = routes[i].pattern;
        for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
            path.replace(at, path.find('}') - at + 1, "x_0");
        EXPECT_EQ(router.find(routes[i].method, path).index, static_cast<std::ptrdiff_t>(i))
            << routes[i].method << " " << path;
    }
}

TEST(Router, wrong_method_names_the_right_ones) {
    const auto router = small();
    EXPECT_EQ(router.find("PUT", "/v1/threads").allowed, "GET, HEAD, POST");
    EXPECT_EQ(router.find("get", "/v1/threads").allowed, "GET, HEAD, POST");
    EXPECT_EQ(router.find("HEAD", "/v1/integrations/a/grants/b").allowed, "DELETE");
    EXPECT_EQ(router.find("OPTIONS", "/nothing").allowed, "");
}

TEST(Router, every_route_of_the_server_is_guarded_but_these) {
    const std::set<std::string> open = {"GET /",
                                        "GET /healthz",
                                        "GET /readyz",
                                        "GET /metrics",
                                        "GET /setup",
                                        "POST /setup",
                                        "GET /invitation",
                                        "POST /invitation",
                                        "GET /reset",
                                        "POST /reset",
                                        "POST /v1/invitations/accept",
                                        "POST /v1/password-resets",
                                        "POST /v1/password-resets/use",
                                        "POST /v1/setup",
                                        "POST /v1/sessions",
                                        "POST /v1/passkey-challenges",
                                        "POST /v1/sessions/passkey",
                                        "GET /sign-in/oidc/callback",
                                        "GET /sign-in/oidc/{provider}"};
    const auto router = make_router();
    std::set<std::string> found;
    std::set<std::string> all;
    for (const auto& route : router.routes()) {
        const auto name = route.method + " " + route.pattern;
        EXPECT_TRUE(all.insert(name).second) << name << " stands there twice";
        if (!route.endpoint.permission) found.insert(name);
    }
    EXPECT_EQ(found, open);
}

TEST(Router, only_what_changes_nothing_that_counts_is_left_out_of_the_audit_record) {
    const auto router = make_router();
    std::set<std::string> unrecorded;
    std::set<std::string> openings;
    for (const auto& route : router.routes()) {
        const auto name = route.method + " " + route.pattern;
        const auto kind = route.audited.kind();
        if (kind == Audited::Kind::nothing && route.method != "GET") unrecorded.insert(name);
        if (kind == Audited::Kind::opening) openings.insert(name);
        EXPECT_EQ(kind == Audited::Kind::opening, route.audited.action().has_value()) << name;
        // The way back from an identity provider is an address, and begins a session.
        if (route.method == "GET" && name != "GET /sign-in/oidc/callback") {
            EXPECT_TRUE(kind == Audited::Kind::nothing || kind == Audited::Kind::opening) << name;
        }
    }
    // A factor counts for nothing before it is confirmed, a challenge before it is answered.
    EXPECT_EQ(unrecorded,
              (std::set<std::string>{"POST /v1/integrations/discover", "POST /v1/me/factors",
                                     "POST /v1/me/passkeys/options", "POST /v1/passkey-challenges",
                                     "POST /v1/sessions/current/passkey-challenge"}));
    EXPECT_EQ(openings,
              (std::set<std::string>{"GET /v1/audit/export",
                                     "GET /v1/messages/{id}/attachments/{attachment}",
                                     "GET /v1/messages/{id}/raw", "GET /v1/threads/{id}"}));
}

TEST(Router, unlock_takes_no_idempotency_key_and_what_makes_something_does) {
    const auto router = make_router();
    for (const auto& route : router.routes()) {
        const bool recorded = route.endpoint.replay != nullptr;
        if (route.pattern.ends_with("/unlock") || route.method == "GET") {
            EXPECT_FALSE(recorded) << route.pattern;
        }
        if (route.method == "POST" &&
            (route.pattern == "/v1/threads" || route.pattern == "/v1/integrations" ||
             route.pattern.ends_with("/grants"))) {
            EXPECT_TRUE(recorded) << route.pattern;
        }
    }
}

}  // namespace
}  // namespace postern::api
