#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"

#include <cstdint>
#include <utility>

namespace postern::crypto {

/// A MAC key that moves on: each step has a key of its own, made from the one before and leading to
/// no earlier one. Whoever takes what is here now forges nothing that was made before (Bellare and
/// Yee, "Forward integrity for secure audit logs", 1997).
class EvolvingKey {
public:
    EvolvingKey() = default;
    /// 32 bytes, as of step 0.
    explicit EvolvingKey(Secret first) : key_(std::move(first)) {}

    /// The first step that can still be computed.
    [[nodiscard]] std::uint32_t step() const noexcept { return step_; }
    /// HMAC-SHA-256 under the key of that step, which is step() or a later one; the time grows with
    /// the distance.
    [[nodiscard]] Hash mac(std::uint32_t at_step, ByteView data) const;
    /// Forgets every key before that step; one that is past already changes nothing.
    void move_to(std::uint32_t next_step);

private:
    Secret key_;
    std::uint32_t step_ = 0;
};

}  // namespace postern::crypto
