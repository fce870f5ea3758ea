#pragma once

#include "foundation/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::os {

/// What a process may still do to files and ports; all else that Landlock knows is refused.
/// Descriptors that are open already keep working. Paths may be relative.
struct LandlockRules {
    /// Files, and folders with all below them; one that is missing is left out.
    std::vector<std::string> readable{};
    /// Folders to make, change and delete plain files in.
    std::vector<std::string> writable{};
    std::vector<std::uint16_t> listen_ports{};                  ///< TCP; 0: one the system picks
    std::optional<std::vector<std::uint16_t>> connect_ports{};  ///< TCP; nothing: to any port
};

/// The version of Landlock that this kernel offers; 0: none. 1 has rules for files, 4 for TCP
/// ports, 6 keeps signals and abstract sockets inside.
[[nodiscard]] int landlock_version();

/// Limits the calling thread, for good, and all threads and processes that it starts from now on:
/// call it before there are others. Uses what the kernel has of the rules; does nothing where it
/// has no Landlock. Errors: OsError of a folder that cannot be opened, io.
[[nodiscard]] Result<> enter_landlock(const LandlockRules& rules);

}  // namespace postern::os
