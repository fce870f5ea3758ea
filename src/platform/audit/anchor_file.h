#pragma once

#include "foundation/base/result.h"
#include "platform/os/fd.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::audit {

/// The lines of a second place, by descriptors of files that somebody else opened: the present one,
/// to read and append, and the one before it, if any. It only grows.
/// Blocks, perhaps for as long as its disk likes. Threads: one at a time.
class AnchorFile {
public:
    AnchorFile(os::Fd present, os::Fd before)
        : present_(std::move(present)), before_(std::move(before)) {}

    /// At which a new one is begun.
    static constexpr std::size_t k_bytes_max = std::size_t{4} << 20U;
    /// Of one whose place lets it only grow.
    static constexpr std::size_t k_read_bytes_max = std::size_t{64} << 20U;

    /// Whole lines, each with its break; durable when it returns. What was torn before is closed
    /// first. Errors: OsError.
    [[nodiscard]] Result<> append(std::string_view lines) const;
    /// The one before, then the present one. Errors: OsError, too large for one of ours.
    [[nodiscard]] Result<std::string> read() const;
    [[nodiscard]] Result<std::size_t> bytes() const;

private:
    os::Fd present_;
    os::Fd before_;
};

/// Ends a line that a crash left unfinished; such a line is none.
inline constexpr std::string_view k_torn = "~\n";

}  // namespace postern::audit
