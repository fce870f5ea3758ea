#pragma once

#include "edge/api/audited.h"
#include "edge/api/call.h"
#include "features/identity/actor.h"
#include "features/identity/identity.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {

template <identity::Permission permission>
using Guarded = Answer (*)(Call, identity::Authorized<permission>);

/// What a repetition of a finished request is answered with, made from the rows of what it made.
/// Nothing: it is not there (after a crash: it was never made).
using Replay = async::Task<std::optional<Response>> (*)(Call, identity::Actor);

/// What serves one method and path.
struct Endpoint {
    std::optional<identity::Permission> permission;  ///< nothing: open to everybody
    std::function<Answer(Call, identity::Actor)> run;
    Replay replay = nullptr;          ///< set: takes an Idempotency-Key
    int success = 200;                ///< status of a replay after a crash
    bool works_without_disk = false;  ///< a record that cannot be stored does not stop it
    identity::Unnamed unnamed = identity::Unnamed::refused;
};

/// Of an endpoint that demands a permission: its second parameter names which.
template <identity::Permission permission>
[[nodiscard]] Endpoint guarded(Guarded<permission> function) {
    Endpoint endpoint;
    endpoint.permission = permission;
    endpoint.run = [function](Call call, identity::Actor actor) -> Answer {
        auto allowed = identity::Authorized<permission>::check(std::move(actor));
        if (!allowed) return answer_with(std::move(allowed.error()));
        return function(std::move(call), std::move(*allowed));
    };
    return endpoint;
}
template <identity::Permission permission>
[[nodiscard]] Endpoint guarded(Guarded<permission> function, Replay replay, int success) {
    auto endpoint = guarded(function);
    endpoint.replay = replay;
    endpoint.success = success;
    return endpoint;
}
/// Of one that somebody with several workspaces may call without naming one.
[[nodiscard]] Endpoint in_any_workspace(Endpoint endpoint);
/// Of one that anybody may call. Says so where the route is added.
[[nodiscard]] Endpoint open_to_all(Answer (*function)(Call));

struct Route {
    std::string method;
    std::string pattern;  ///< "/v1/threads/{id}/messages"
    Audited audited;
    Endpoint endpoint;
};

struct Match {
    const Route* route = nullptr;
    std::ptrdiff_t index = -1;
    std::vector<std::string> parameters;
    std::string allowed;  ///< methods of that path where only the method does not fit
};

/// Method and path to endpoint. A parameter is one segment of letters, digits, "_" and "-"; a path
/// is taken as it stands: no escapes, no dots, no slash at the end.
class Router {
public:
    void add(std::string method, std::string pattern, Audited audited, Endpoint endpoint);
    /// HEAD finds GET's endpoint.
    [[nodiscard]] Match find(std::string_view method, std::string_view path) const;
    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
};

}  // namespace postern::api
