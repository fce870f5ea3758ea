#pragma once

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <sys/types.h>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::os {

/// Two ends of a stream between our own processes, both closed on exec.
[[nodiscard]] Result<std::pair<Fd, Fd>> socket_pair();

/// What a child is started with.
struct ChildPlan {
    int executable = -1;                           ///< descriptor of the binary
    std::vector<std::string> arguments;            ///< argv, program name first
    std::vector<std::pair<int, int>> descriptors;  ///< (ours, number in the child); others close
    int directory = -1;                            ///< fchdir there before the uid drops; -1 = "/"
    std::optional<uid_t> uid;                      ///< nothing: keep ours
};

/// Forks and executes; the child has no environment, dies with its parent, cannot gain privileges.
/// Returns its pid; a plan that cannot be carried out ends the child with status 126.
[[nodiscard]] Result<pid_t> start_child(const ChildPlan& plan);

/// No core file, no ptrace by the same user, no new privileges. First thing in every process.
[[nodiscard]] Result<> harden_process();

/// Raises the soft limit of descriptors towards `wanted`, as far as the hard one allows. The limit
/// that holds afterwards.
[[nodiscard]] std::size_t allow_descriptors(std::size_t wanted);

/// The uid of one of our roles when we are root: the system user `postern-ROLE` where there is one,
/// else a fixed number in systemd's range for dynamic users. Nothing when we are not root.
[[nodiscard]] std::optional<uid_t> role_uid(std::size_t role_index, const std::string& role);

}  // namespace postern::os
