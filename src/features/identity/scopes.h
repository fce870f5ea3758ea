#pragma once

#include "features/identity/policy.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::identity {

/// Of the acts that ask a person for a fresh proof, those that a token may do; its role must allow
/// them, too. One that was made on the host may do all of them, also those that come later.
class Scopes {
public:
    Scopes() = default;
    [[nodiscard]] static Scopes all();
    /// Nothing for a name that is none: "reseal", "cut_off", "tokens", "workspace", "people",
    /// "export".
    [[nodiscard]] static std::optional<Scopes> of(const std::vector<std::string>& names);
    /// As stored. Nothing for another text.
    [[nodiscard]] static std::optional<Scopes> parse(std::string_view text);

    [[nodiscard]] std::string text() const;
    /// Of those there are today.
    [[nodiscard]] std::vector<std::string_view> names() const;
    [[nodiscard]] bool allow(Permission permission) const;
    [[nodiscard]] bool are_within(const Scopes& others) const;

    bool operator==(const Scopes&) const = default;

private:
    explicit Scopes(detail::Permissions set) : set_(set) {}
    detail::Permissions set_ = 0;
};

}  // namespace postern::identity
