#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/ports.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using Door = Gate::Door;

constexpr std::string_view k_owner = "owner";

bool is_below(std::string_view route, std::string_view path) {
    const auto at = route.find(' ');
    if (at == std::string_view::npos) return false;
    const auto own = route.substr(at + 1);
    return own == path || (own.starts_with(path) && own.substr(path.size()).starts_with('/'));
}

/// Who one is, showing it, and leaving.
bool is_of_signing_in(std::string_view route) {
    return route == "GET /v1/me" || is_below(route, "/v1/sessions/current");
}
/// What belongs to oneself, and shows nothing of the workspace.
bool is_ones_own(std::string_view route) {
    return is_below(route, "/v1/me") || is_below(route, "/v1/sessions");
}
bool may_open(Gate::Shown shown, std::string_view route) {
    if (shown == Gate::Shown::password_only) return is_of_signing_in(route);
    return shown == Gate::Shown::everything || is_ones_own(route);
}

/// What a role is never for, whatever the table of roles says.
struct Rule {
    std::string_view name;
    std::vector<std::string_view> roles;
    bool (*forbids)(std::string_view route);
};

bool shows_mail(std::string_view route) {
    return is_below(route, "/v1/threads") || is_below(route, "/v1/messages") ||
           is_below(route, "/v1/held") || is_below(route, "/v1/creators");
}
bool opens_bodies(std::string_view route) {
    return route == "GET /v1/threads/{id}" || is_below(route, "/v1/messages");
}
/// A workspace of one's own changes nothing in this one.
bool changes(std::string_view route) {
    return !route.starts_with("GET ") && !is_ones_own(route) && route != "POST /v1/workspaces";
}
bool opens_or_writes(std::string_view route) {
    return changes(route) && (shows_mail(route) || route.ends_with("/unlock") ||
                              route.ends_with("/reseal") || route.ends_with("/reconnect") ||
                              route.ends_with("/grants") || route.ends_with("/holders"));
}
bool rules_the_workspace(std::string_view route) {
    const bool is_about_people = is_below(route, "/v1/people") ||
                                 is_below(route, "/v1/invitations") ||
                                 is_below(route, "/v1/access-review");
    return is_below(route, "/v1/tokens") || is_below(route, "/v1/identity-providers") ||
           is_below(route, "/v1/unattended-threads") || route == "PATCH /v1/workspace" ||
           (is_about_people && changes(route));
}

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all{
        {"mail is shown", {"operator", "auditor"}, shows_mail},
        {"what mails say is shown", {"reader", "operator", "auditor"}, opens_bodies},
        {"anything is changed", {"reader", "auditor"}, changes},
        {"an integration is opened, or a mail written", {"privacy", "operator"}, opens_or_writes},
        {"people, tokens or the workspace's rules are reached",
         {"manager", "reader", "privacy", "operator", "auditor"},
         rules_the_workspace},
    };
    return all;
}

std::string counted(std::size_t number, std::string_view what) {
    return std::to_string(number) + " " + std::string(what);
}

std::string list_of(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names)
        out.append(out.empty() ? "" : ", ").append(name);
    return out;
}

/// Sessions that owe a second factor, at every door. `planted`: they owe none.
async::Task<Finding> second_factor(Gate* gate, bool planted) {
    Finding finding;
    bool all_seen = true;
    for (const auto shown : {Gate::Shown::password_only, Gate::Shown::nothing_to_show}) {
        Gate::Asker asker{std::string(k_owner), Gate::Kind::session,
                          planted ? Gate::Shown::everything : shown};
        auto doors = co_await gate->try_doors(std::move(asker));
        if (!doors) co_return fail(std::move(doors.error()));
        const std::string who = shown == Gate::Shown::password_only
                                    ? "whose second factor was not shown"
                                    : "without the second factor that is demanded";
        std::vector<std::string> open;
        std::size_t shut = 0;
        for (const auto& door : *doors) {
            const bool may = may_open(shown, door.route);
            if (door.opens && may) open.push_back(door.route);
            if (door.opens && !may)
                finding.faults.push_back(door.route + " opens to a session " + who);
            shut += door.opens ? 0U : 1U;
            all_seen = all_seen && (door.opens || may);
        }
        finding.evidence.push_back("an owner's session " + who + ": " +
                                   counted(shut, "routes are shut") + "; open: " + list_of(open));
        all_seen = all_seen && !doors->empty();
    }
    if (planted && !all_seen) finding.faults.clear();
    co_return finding;
}

/// Sessions that have ended. `planted`: they have not.
async::Task<Finding> sessions_end(Gate* gate, bool planted) {
    auto ended = co_await gate->end_sessions(!planted);
    if (!ended) co_return fail(std::move(ended.error()));
    Finding finding;
    bool all_seen = !ended->empty();
    for (const auto& each : *ended) {
        // What never was good shows nothing by being refused.
        if (!each.was_good) co_return fail(TrustError::out_of_sight);
        add(finding, !each.is_good, each.how + ": refused, and good before",
            each.how + ": still let in");
        if (each.stream_goes_on) finding.faults.push_back(each.how + ": what it had open goes on");
        all_seen = all_seen && each.is_good && each.stream_goes_on;
    }
    if (planted && !all_seen) finding.faults.clear();
    co_return finding;
}

/// The rules that were seen to be broken.
std::set<std::string_view> judge(Finding& finding,
                                 std::string_view role,
                                 std::string_view by,
                                 const std::vector<Door>& doors) {
    std::set<std::string_view> broken;
    for (const auto& door : doors) {
        const auto what = door.route + " to " + std::string(by) + " of role " + std::string(role);
        if (door.opens && !door.of_role) {
            finding.faults.push_back("opens beyond the table of roles: " + what);
        }
        for (const auto& rule : rules()) {
            const bool is_meant = std::ranges::find(rule.roles, role) != rule.roles.end();
            if (!is_meant || !door.opens || !rule.forbids(door.route)) continue;
            finding.faults.push_back(std::string(rule.name) + ": " + what);
            broken.insert(rule.name);
        }
    }
    return broken;
}

std::size_t rules_about(std::string_view role) {
    return static_cast<std::size_t>(std::ranges::count_if(rules(), [role](const Rule& rule) {
        return std::ranges::find(rule.roles, role) != rule.roles.end();
    }));
}

/// A session and a token of each role, at every door. `planted`: they are the owner's.
async::Task<Finding> least_access(Gate* gate, bool planted) {
    Finding finding;
    bool all_seen = true;
    for (const auto& role : gate->roles()) {
        for (const auto kind : {Gate::Kind::session, Gate::Kind::token}) {
            Gate::Asker asker{planted ? std::string(k_owner) : role, kind, Gate::Shown::everything};
            auto doors = co_await gate->try_doors(std::move(asker));
            if (!doors) co_return fail(std::move(doors.error()));
            const std::string by = kind == Gate::Kind::session ? "a session" : "a token";
            const auto broken = judge(finding, role, by, *doors);
            all_seen = all_seen && broken.size() == rules_about(role);
            const auto open = std::ranges::count_if(*doors, &Door::opens);
            finding.evidence.push_back(by + " of role " + role + ": " +
                                       counted(static_cast<std::size_t>(open), "of ") +
                                       counted(doors->size(), "routes open"));
        }
    }
    if (planted && !all_seen) finding.faults.clear();
    co_return finding;
}

Claim second_factor_claim(Gate* gate) {
    Claim claim;
    claim.id = "P7.second-factor";
    claim.text =
        "Where a second factor is set up or demanded, a session that has not shown one opens "
        "nothing but what it takes to show or to set up one.";
    claim.method =
        "an owner's session in a workspace of nobody's, once with a second factor that was not "
        "shown and once without the one that is demanded, is put before every route of the API by "
        "the question that each request is asked; not tried: whether a code or a key that is shown "
        "is the right one";
    claim.planted = "the same sessions with their factor shown: each route has to be seen to open";
    claim.cost = "two transactions that are rolled back";
    claim.check = [gate] { return second_factor(gate, false); };
    claim.control = [gate] { return second_factor(gate, true); };
    return claim;
}

Claim sessions_end_claim(Gate* gate) {
    Claim claim;
    claim.id = "P7.sessions-end";
    claim.text =
        "A session that was ended, has expired or was idle, or whose person has another password, "
        "another role or no place any more, is refused, and what it had open ends.";
    claim.method =
        "for each way in which a session ends one of nobody's is made, found to be good, brought "
        "to that end by what does it for everybody, and looked at again, in one transaction";
    claim.planted = "the same sessions without their end: each has to be seen to be let in";
    claim.cost = "one transaction that is rolled back";
    claim.check = [gate] { return sessions_end(gate, false); };
    claim.control = [gate] { return sessions_end(gate, true); };
    return claim;
}

Claim least_access_claim(Gate* gate) {
    Claim claim;
    claim.id = "P7.least-access";
    claim.text =
        "Each role opens what it is for and nothing else: operators and auditors see no mail, "
        "readers see who was written to and when, and not what, readers and auditors change "
        "nothing, people, tokens and the rules of a workspace are its "
        "owners'.";
    claim.method =
        "a session and a token of each role are put before every route of the API; what opens is "
        "compared with the table of roles, and with rules by the names of routes that do not come "
        "from it";
    claim.planted =
        "an owner's session and token in the place of each role: every rule about that role has to "
        "be seen to be broken";
    claim.cost = "a transaction for each role and kind, rolled back";
    claim.check = [gate] { return least_access(gate, false); };
    claim.control = [gate] { return least_access(gate, true); };
    return claim;
}

}  // namespace

std::vector<Claim> sign_in_claims(const Grounds& grounds) {
    return {second_factor_claim(&grounds.gate), sessions_end_claim(&grounds.gate),
            least_access_claim(&grounds.gate)};
}

}  // namespace postern::trust
