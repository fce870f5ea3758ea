#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/secret_sharing.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postern::vault {

/// One share as people keep it: a prefix and Crockford base32 in groups of five of threshold,
/// number of shares, the share's own number, the id of the set, the share, and a checksum.
struct PrintedShare {
    using SetId = std::array<std::uint8_t, 8>;
    crypto::SharingScheme scheme;
    SetId set{};
    crypto::SecretShare part;
};
[[nodiscard]] Secret text_of(const PrintedShare& share, std::string_view prefix);
/// Case, spaces, line ends, dashes and look-alike characters do not matter.
/// Errors: bad_recovery_text.
[[nodiscard]] Result<PrintedShare> parse_share(ByteView text,
                                               std::string_view prefix,
                                               std::size_t secret_bytes);
/// The bytes behind a prefix, their checksum taken off. Errors: bad_recovery_text.
[[nodiscard]] Result<Secret> checked_bytes(ByteView text,
                                           std::string_view prefix,
                                           std::size_t size);

[[nodiscard]] bool starts_with(ByteView text, std::string_view prefix);
/// Where each share begins; nothing where something else stands before the first one.
[[nodiscard]] std::vector<ByteView> shares_in(ByteView text, std::string_view stem);

/// The secret. Errors: shares_do_not_fit, its detail says why; whether it is the right secret the
/// caller knows.
[[nodiscard]] Result<Secret> join_shares(std::vector<PrintedShare> shares);

}  // namespace postern::vault
