#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::dns {

/// A domain name of letters, digits, hyphens and underscores, in lower case and without the dot at
/// the end; empty is the root. Nothing that could be taken for something else in a log or an
/// address.
class DomainName {
public:
    DomainName() = default;
    /// Errors: bad_name.
    [[nodiscard]] static Result<DomainName> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool is_root() const noexcept { return text_.empty(); }
    /// The same name, or one below it.
    [[nodiscard]] bool is_within(const DomainName& domain) const;
    void append_wire(Bytes& out) const;

    auto operator<=>(const DomainName&) const = default;

private:
    explicit DomainName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// A name as it stands in a message.
struct WireName {
    std::optional<DomainName> name;  ///< nothing: well-formed, but no name of the kind above
    std::size_t end = 0;             ///< behind it
};
/// Pointers must lead backwards, each further than the one before: no loop, and no more steps than
/// the message has bytes. Nothing when malformed.
[[nodiscard]] std::optional<WireName> read_name(ByteView message, std::size_t at);

}  // namespace postern::dns
