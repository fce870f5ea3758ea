#pragma once

#include "foundation/base/bytes.h"
#include "foundation/codec/webauthn/cose_key.h"

#include <array>
#include <cstdint>

namespace postern::webauthn {

/// The cryptography that the checks ask for. A codec may not include it: whoever calls them, and
/// may, hands it in (foundation/crypto's hash.h and public_key_signature.h).
class Primitives {
public:
    Primitives() = default;
    Primitives(const Primitives&) = delete;
    Primitives& operator=(const Primitives&) = delete;
    virtual ~Primitives() = default;

    [[nodiscard]] virtual std::array<std::uint8_t, 32> sha256(ByteView data) const = 0;
    [[nodiscard]] virtual bool equal_in_constant_time(ByteView a, ByteView b) const = 0;
    /// Its point lies on its curve and is not of a small order.
    [[nodiscard]] virtual bool is_usable(const CoseKey& key) const = 0;
    /// ES256 signatures are DER (section 6.5.5), the others as RFC 8017 and RFC 8032 have them.
    [[nodiscard]] virtual bool verify(const CoseKey& key,
                                      ByteView message,
                                      ByteView signature) const = 0;
};

}  // namespace postern::webauthn
