#pragma once

#include "app/config/config.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <sys/types.h>
#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace postern::app::supervisor {

enum class Role : std::size_t { front, keeper, courier, reader };
inline constexpr std::array k_roles{Role::front, Role::keeper, Role::courier, Role::reader};

[[nodiscard]] const char* name_of(Role role);
/// Nothing when we are not root: then all share our uid and are not isolated from one another.
[[nodiscard]] std::optional<uid_t> uid_of(Role role);

/// What keeps the processes apart less than it should; empty: nothing.
[[nodiscard]] std::string missing_isolation(const config::Config& config);

/// The program of each role, opened once: what is executed later is what was there at the start,
/// and a role's uid needs no way to it.
class Programs {
public:
    /// Beside this program, else in ../libexec/postern. Errors: program_missing.
    [[nodiscard]] static Result<Programs> open();
    [[nodiscard]] int of(Role role) const noexcept {
        return files_[static_cast<std::size_t>(role)].get();
    }

private:
    std::array<os::Fd, k_roles.size()> files_;
};

}  // namespace postern::app::supervisor
