#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/ports.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

constexpr std::int64_t k_seccomp_filter = 2;
/// Who is always there while a claim is checked; courier is where the server is running.
constexpr std::string_view k_roles[] = {"front", "keeper", "reader"};
constexpr std::string_view k_role_of_a_running_server = "courier";

/// Real, effective, saved and that of the file system.
using Uids = std::array<std::int64_t, 4>;

/// The numbers of a field of /proc/PID/status (proc_pid_status(5)), as many as `out` has. A name of
/// the process's own choice is in it, in which the kernel lets no line end.
bool read_numbers(std::string_view status, std::string_view field, std::span<std::int64_t> out) {
    std::string line("\n");
    line.append(field).append(":");
    const auto at = status.find(line);
    if (at == std::string_view::npos) return false;
    auto rest = status.substr(at + line.size());
    for (auto& number : out) {
        if (!rest.starts_with('\t')) return false;
        rest.remove_prefix(1);
        const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (read.ec != std::errc()) return false;
        rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    }
    return true;
}

/// What the kernel says of one process.
struct Shown {
    std::int64_t mode = 0;
    std::int64_t filters = 0;
    std::int64_t no_new_privileges = 0;
    Uids uids{};

    [[nodiscard]] bool is_any(std::int64_t uid) const {
        return std::ranges::find(uids, uid) != uids.end();
    }
    [[nodiscard]] bool shares_user_with(const Shown& other) const {
        return std::ranges::any_of(uids, [&other](std::int64_t uid) { return other.is_any(uid); });
    }
};
std::optional<Shown> shown_of(std::string_view status) {
    Shown shown;
    const bool all = read_numbers(status, "Seccomp", {&shown.mode, 1}) &&
                     read_numbers(status, "Seccomp_filters", {&shown.filters, 1}) &&
                     read_numbers(status, "NoNewPrivs", {&shown.no_new_privileges, 1}) &&
                     read_numbers(status, "Uid", shown.uids);
    if (!all) return std::nullopt;
    return shown;
}

/// What is missing of the fences, in words without a beginning.
struct Gaps {
    std::vector<std::string> filters;
    std::vector<std::string> users;
    std::vector<std::string> shared;  ///< by two roles

    [[nodiscard]] bool empty() const { return filters.empty() && users.empty() && shared.empty(); }
};

/// A filter that the supervisor has, too, is the service manager's. Errors: out_of_sight.
Result<Gaps> gaps_of(const Processes& processes) {
    const auto base = shown_of(processes.supervisor);
    if (!base) return fail(TrustError::out_of_sight, "/proc does not show the supervisor");
    Gaps gaps;
    std::vector<std::pair<std::string_view, Shown>> before;
    for (const auto& child : processes.children) {
        const auto shown = shown_of(child.status);
        if (!shown) return fail(TrustError::out_of_sight, "/proc does not show " + child.role);
        const bool fenced = shown->mode == k_seccomp_filter && shown->filters > base->filters &&
                            shown->no_new_privileges == 1;
        if (!fenced) gaps.filters.push_back(child.role + " has no system-call filter of its own");
        if (shown->is_any(0)) gaps.users.push_back(child.role + " runs as root");
        if (!shown->is_any(0) && shown->shares_user_with(*base)) {
            gaps.users.push_back(child.role + " runs as the user of its parent");
        }
        for (const auto& [role, other] : before) {
            if (role == child.role || !shown->shares_user_with(other)) continue;
            gaps.shared.push_back(child.role + " runs as the same user as " + std::string(role));
        }
        before.emplace_back(child.role, *shown);
    }
    return gaps;
}

/// "1 front, 2 reader".
std::string names_of(const Processes& processes) {
    std::map<std::string_view, int> counts;
    for (const auto& child : processes.children)
        ++counts[child.role];
    std::string text;
    for (const auto& [role, count] : counts) {
        if (!text.empty()) text.append(", ");
        text.append(std::to_string(count)).append(" ").append(role);
    }
    return text;
}

bool has(const Processes& processes, std::string_view role) {
    return std::ranges::any_of(processes.children,
                               [role](const Processes::Child& each) { return each.role == role; });
}

Result<> all_are_there(const Processes& processes) {
    for (const auto role : k_roles) {
        if (has(processes, role)) continue;
        return fail(TrustError::out_of_sight, "no process is " + std::string(role));
    }
    if (processes.serving && !has(processes, k_role_of_a_running_server)) {
        return fail(TrustError::out_of_sight, "the server is running, and no process is courier");
    }
    return {};
}

async::Task<Processes> seen(Fences* fences) {
    // One that has only just started closes its fence in a moment; where a fence cannot be, nobody
    // needs to wait for it.
    const bool hopeless = !fences->missing().empty();
    auto settled = [hopeless](const Processes& processes) {
        const auto gaps = gaps_of(processes);
        const bool closed = hopeless || !gaps || gaps->empty();
        return closed && all_are_there(processes).has_value();
    };
    co_return co_await fences->processes(std::move(settled));
}

async::Task<Finding> isolated(Fences* fences) {
    const auto processes = co_await seen(fences);
    if (!processes) co_return fail(processes.error());
    if (auto there = all_are_there(*processes); !there) co_return fail(there.error());
    const auto gaps = gaps_of(*processes);
    if (!gaps) co_return fail(gaps.error());
    const auto reaches = fences->opens(Fences::Place::outside);
    if (!reaches) co_return fail(reaches.error());
    Finding finding;
    const auto& missing = fences->missing();
    if (!missing.empty()) finding.faults.push_back("not isolated: " + missing);
    for (const auto* kind : {&gaps->filters, &gaps->users, &gaps->shared}) {
        for (const auto& gap : *kind)
            finding.faults.push_back("not isolated: " + gap);
    }
    if (gaps->filters.empty()) {
        finding.evidence.push_back(names_of(*processes) +
                                   ": each has a system-call filter that its parent lacks, and "
                                   "can gain no privileges, as the kernel shows it");
    }
    if (gaps->users.empty() && gaps->shared.empty()) {
        finding.evidence.emplace_back(
            "no role runs as root, as its parent's user or as the user of another role, as the "
            "kernel shows it; processes of one role share its user");
    }
    add(finding, !*reaches, "front cannot open a file outside its folder that its parent can",
        "not isolated: front can open files outside its folder");
    finding.evidence.emplace_back(
        "the kernel shows nobody's Landlock rules: which files keeper, courier and reader can open "
        "is not tried");
    co_return finding;
}

/// The supervisor as if it were one of its children, and a child beside itself in another role:
/// each kind of gap has to be seen.
async::Task<Finding> isolated_with_unfenced(Fences* fences) {
    auto processes = co_await seen(fences);
    if (!processes) co_return fail(processes.error());
    if (processes->children.empty()) co_return fail(TrustError::out_of_sight, "no process");
    const auto& child = processes->children.front();
    const Processes planted{processes->supervisor,
                            {{"planted", processes->supervisor}, child, {"twin", child.status}}};
    const auto gaps = gaps_of(planted);
    if (!gaps) co_return fail(gaps.error());
    // One that can open nothing at all would seem fenced.
    const auto opens = fences->opens(Fences::Place::own_folder);
    if (!opens) co_return fail(opens.error());
    const auto shared = "twin runs as the same user as " + child.role;
    Finding finding;
    const bool all_seen = *opens && !gaps->filters.empty() &&
                          gaps->filters.front().starts_with("planted") && !gaps->users.empty() &&
                          gaps->users.front().starts_with("planted") &&
                          std::ranges::find(gaps->shared, shared) != gaps->shared.end();
    if (all_seen) {
        finding.faults.emplace_back(
            "a process without a filter, one of the parent's user and two of one user are seen, "
            "and "
            "that front can open its own folder");
    }
    co_return finding;
}

}  // namespace

std::vector<Claim> fence_claims(const Grounds& grounds) {
    auto* fences = &grounds.fences;
    Claim claim;
    claim.id = "P1.isolated";
    claim.text =
        "No process of this installation holds everything: each role runs as its own user behind a "
        "system-call filter of its own and can gain no privileges, and the one that answers the "
        "network opens no file outside its folder.";
    claim.method =
        "the supervisor reads what the kernel shows of each of its processes, a fresh reader's "
        "included: their filters and all four user ids of each; front tries a file outside its "
        "folder; what the start found missing counts, Landlock included, whose rules for the other "
        "roles are not tried";
    claim.planted =
        "the supervisor, which has no filter, in the place of a child, a child in two roles, and "
        "for front a folder that it may open";
    claim.cost = "a reader is started; one small file read for each process";
    claim.check = [fences] { return isolated(fences); };
    claim.control = [fences] { return isolated_with_unfenced(fences); };
    return {claim};
}

}  // namespace postern::trust
