#pragma once

#include "foundation/base/error.h"

#include <cstdint>
#include <optional>

namespace postern::api {

/// What the audit record tells of a route. Every one says: a route without does not compile.
class Audited {
public:
    enum class Kind : std::uint8_t {
        nothing,    ///< it only looks
        in_change,  ///< written in the transaction of what it changes
        opening,    ///< it shows what somebody wrote: written before that leaves
    };
    [[nodiscard]] static constexpr Audited nothing() { return Audited(Kind::nothing, {}); }
    [[nodiscard]] static constexpr Audited in_change() { return Audited(Kind::in_change, {}); }
    [[nodiscard]] static constexpr Audited opening(PublicText action) {
        return {Kind::opening, action};
    }

    [[nodiscard]] constexpr Kind kind() const { return kind_; }
    /// Of an opening.
    [[nodiscard]] constexpr const std::optional<PublicText>& action() const { return action_; }

private:
    constexpr Audited(Kind kind, std::optional<PublicText> action) : kind_(kind), action_(action) {}
    Kind kind_;
    std::optional<PublicText> action_;
};

}  // namespace postern::api
