#pragma once

#include "foundation/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::imap {

using Uid = std::uint32_t;

/// The messages that a fetch names: sorted, each once, never 0, and short enough for one command.
class UidSet {
public:
    /// Errors: bad_argument when empty or holding 0; argument_too_long when text() would exceed
    /// 7,000 bytes (fetch in batches).
    [[nodiscard]] static Result<UidSet> of(std::vector<Uid> uids);

    /// "3:5,9"
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool contains(Uid uid) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return uids_.size(); }

private:
    UidSet() = default;
    std::vector<Uid> uids_;
    std::string text_;
};

}  // namespace postern::imap
