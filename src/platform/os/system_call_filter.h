#pragma once

#include "foundation/base/result.h"

#include <cstdint>
#include <span>

namespace postern::os {

/// One line of an allow-list: this call, where (argument & mask) == value holds for each test.
struct SystemCallRule {
    struct Test {
        unsigned argument;
        std::uint64_t mask;
        std::uint64_t value;
    };
    const char* name;
    int refused_with;  ///< 0: allowed; else this errno, so that the C library takes another way
    std::span<const Test> tests;
};

/// What happens to a process that makes a call that no rule allows.
enum class Violation : std::uint8_t {
    kill,  ///< SIGSYS, the whole process
    log,   ///< it goes on, and the kernel's audit log names the call
};

/// Whether this kernel can filter system calls and end a process for one.
[[nodiscard]] bool has_system_call_filters();

/// Filters the calling thread, for good, and all threads and processes that it starts from now on:
/// call it before there are others. Needs no_new_privs. Errors: OsError::io (a call that this
/// machine has no name for, a kernel that refuses the filter).
[[nodiscard]] Result<> enter_system_call_filter(std::span<const SystemCallRule> rules,
                                                Violation violation);

}  // namespace postern::os
