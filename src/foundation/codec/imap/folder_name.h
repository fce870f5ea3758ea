#pragma once

#include "foundation/base/result.h"

#include <string>
#include <string_view>

namespace postern::imap {

/// A folder's name in the form the server uses, safe to be put into a command.
class FolderName {
public:
    /// Errors: bad_argument for CR, LF, NUL, malformed UTF-8, an empty or too long name.
    [[nodiscard]] static Result<FolderName> from_utf8(std::string_view name);
    /// The name as a server listed it; need not be valid modified UTF-7.
    [[nodiscard]] static Result<FolderName> from_wire(std::string_view name);

    [[nodiscard]] const std::string& wire() const noexcept { return wire_; }
    /// For people; the wire form where that cannot be decoded.
    [[nodiscard]] std::string utf8() const;

    bool operator==(const FolderName&) const = default;

private:
    explicit FolderName(std::string wire) : wire_(std::move(wire)) {}
    std::string wire_;
};

}  // namespace postern::imap
