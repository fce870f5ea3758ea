#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/ports.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

constexpr std::int64_t k_seccomp_filter = 2;
/// Who is always there while a claim is checked; courier is not when the server is stopped.
constexpr std::string_view k_roles[] = {"front", "keeper", "reader"};

/// A number of /proc/PID/status (proc_pid_status(5)). A name of the process's own choice is in it,
/// in which the kernel lets no line end.
std::optional<std::int64_t> number_of(std::string_view status, std::string_view field) {
    std::string line("\n");
    line.append(field).append(":\t");
    const auto at = status.find(line);
    if (at == std::string_view::npos) return std::nullopt;
    const auto digits = status.substr(at + line.size());
    std::int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc()) return std::nullopt;
    return number;
}

/// What the kernel says of one process.
struct Shown {
    std::int64_t mode = 0;
    std::int64_t filters = 0;
    std::int64_t no_new_privileges = 0;
};
std::optional<Shown> shown_of(std::string_view status) {
    const auto mode = number_of(status, "Seccomp");
    const auto filters = number_of(status, "Seccomp_filters");
    const auto no_new_privileges = number_of(status, "NoNewPrivs");
    if (!mode || !filters || !no_new_privileges) return std::nullopt;
    return Shown{*mode, *filters, *no_new_privileges};
}

/// The roles that have a process without a fence of its own: what the supervisor has, too, is the
/// service manager's. Errors: out_of_sight.
Result<std::vector<std::string>> unfenced(const Processes& processes) {
    const auto base = shown_of(processes.supervisor);
    if (!base) return fail(TrustError::out_of_sight, "/proc does not show the supervisor");
    std::vector<std::string> out;
    for (const auto& child : processes.children) {
        const auto shown = shown_of(child.status);
        if (!shown) return fail(TrustError::out_of_sight, "/proc does not show " + child.role);
        const bool fenced = shown->mode == k_seccomp_filter && shown->filters > base->filters &&
                            shown->no_new_privileges == 1;
        if (!fenced) out.push_back(child.role);
    }
    return out;
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

Result<> all_are_there(const Processes& processes) {
    for (const auto role : k_roles) {
        const bool found = std::ranges::any_of(
            processes.children, [role](const Processes::Child& each) { return each.role == role; });
        if (!found) return fail(TrustError::out_of_sight, "no process is " + std::string(role));
    }
    return {};
}

async::Task<Processes> seen(Fences* fences) {
    // One that has only just started closes its fence in a moment; where a fence cannot be, nobody
    // needs to wait for it.
    const bool hopeless = !fences->missing().empty();
    auto settled = [hopeless](const Processes& processes) {
        const auto open = unfenced(processes);
        return hopeless || !open || open->empty();
    };
    co_return co_await fences->processes(std::move(settled));
}

async::Task<Finding> isolated(Fences* fences) {
    const auto processes = co_await seen(fences);
    if (!processes) co_return fail(processes.error());
    if (auto there = all_are_there(*processes); !there) co_return fail(there.error());
    const auto open = unfenced(*processes);
    if (!open) co_return fail(open.error());
    const auto reaches = fences->reaches_outside();
    if (!reaches) co_return fail(reaches.error());
    Finding finding;
    const auto& missing = fences->missing();
    if (!missing.empty()) finding.faults.push_back("not isolated: " + missing);
    for (const auto& role : *open)
        finding.faults.push_back("not isolated: " + role + " has no system-call filter of its own");
    if (open->empty()) {
        finding.evidence.push_back(names_of(*processes) +
                                   ": each has a system-call filter that its parent lacks, and "
                                   "can gain no privileges, as the kernel shows it");
    }
    add(finding, !*reaches, "front cannot open a file outside its folder that its parent can",
        "not isolated: front can open files outside its folder");
    finding.evidence.emplace_back(
        "the kernel shows nobody's Landlock rules: of files, front alone is tried; any of the "
        "others ends when it cannot take its rules on");
    co_return finding;
}

/// The supervisor as if it were one of its children.
async::Task<Finding> isolated_with_unfenced(Fences* fences) {
    auto processes = co_await seen(fences);
    if (!processes) co_return fail(processes.error());
    Processes planted{processes->supervisor, {{"planted", processes->supervisor}}};
    const auto open = unfenced(planted);
    if (!open) co_return fail(open.error());
    Finding finding;
    for (const auto& role : *open)
        finding.faults.push_back("a process without a fence is seen: " + role);
    co_return finding;
}

}  // namespace

std::vector<Claim> fence_claims(const Grounds& grounds) {
    auto* fences = &grounds.fences;
    Claim claim;
    claim.id = "P1.isolated";
    claim.text =
        "No process of this installation holds everything: each runs as its own user behind a "
        "Landlock fence and a system-call filter of its own, and can gain no privileges.";
    claim.method =
        "the supervisor reads what the kernel shows of each of its processes, a fresh reader's "
        "included; front tries a file outside its folder; what the start found missing counts";
    claim.planted = "the supervisor, which has no fence, in the place of a child";
    claim.cost = "a reader is started; one small file read for each process";
    claim.check = [fences] { return isolated(fences); };
    claim.control = [fences] { return isolated_with_unfenced(fences); };
    return {claim};
}

}  // namespace postern::trust
