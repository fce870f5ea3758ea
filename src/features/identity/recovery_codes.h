#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::identity {

inline constexpr std::size_t k_recovery_codes = 10;

/// For the day on which every other factor is gone: 120 random bits each, shown once.
struct RecoveryCodes {
    std::vector<Secret> texts;  ///< "ABCDEF-GHIJKL-MNOPQR-STUVWX"
    std::vector<crypto::Hash> hashes;
};
[[nodiscard]] RecoveryCodes make_recovery_codes();
/// What is stored for this code, which has no dashes; nothing unless it has the form of one.
[[nodiscard]] std::optional<crypto::Hash> recovery_hash(std::string_view code);

}  // namespace postern::identity
