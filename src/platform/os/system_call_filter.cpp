#include "platform/os/system_call_filter.h"

#include "foundation/base/result.h"
#include "platform/os/files.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace postern::os {
namespace {

// libseccomp: 2 makes a binary tree of the calls, 1 (the default) a chain of comparisons.
constexpr std::uint32_t k_binary_tree = 2;

struct Release {
    void operator()(scmp_filter_ctx filter) const noexcept { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

/// libseccomp answers with a negated errno.
Result<> checked(int answer, const std::string& what) {
    if (answer >= 0) return {};
    return fail(OsError::io, what + ": " + std::generic_category().message(-answer));
}

Result<> add(scmp_filter_ctx filter, const SystemCallRule& rule) {
    const int number = ::seccomp_syscall_resolve_name(rule.name);
    if (number == __NR_SCMP_ERROR) return fail(OsError::io, std::string("unknown ") + rule.name);
    std::vector<scmp_arg_cmp> tests;
    tests.reserve(rule.tests.size());
    for (const auto& test : rule.tests)
        tests.push_back({test.argument, SCMP_CMP_MASKED_EQ, test.mask, test.value});
    const auto action = rule.refused_with == 0
                            ? std::uint32_t{SCMP_ACT_ALLOW}
                            : SCMP_ACT_ERRNO(static_cast<std::uint16_t>(rule.refused_with));
    return checked(::seccomp_rule_add_array(filter, action, number,
                                            static_cast<unsigned>(tests.size()), tests.data()),
                   rule.name);
}

}  // namespace

bool has_system_call_filters() {
    const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action) == 0;
}

Result<> enter_system_call_filter(std::span<const SystemCallRule> rules, Violation violation) {
    const auto otherwise =
        violation == Violation::kill ? SCMP_ACT_KILL_PROCESS : std::uint32_t{SCMP_ACT_LOG};
    const Filter filter(::seccomp_init(otherwise));
    if (!filter) return fail(OsError::io, "seccomp_init");
    // A call of another architecture (32 bits, x32) is never one of ours.
    auto done = checked(
        ::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "arch");
    if (done) {
        done = checked(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, k_binary_tree),
                       "tree");
    }
    for (const auto& rule : rules) {
        if (!done) return done;
        done = add(filter.get(), rule);
    }
    if (!done) return done;
    return checked(::seccomp_load(filter.get()), "seccomp_load");
}

}  // namespace postern::os
