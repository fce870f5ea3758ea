#pragma once

#include "foundation/base/bytes.h"
#include "foundation/codec/webauthn/cose_key.h"
#include "foundation/codec/webauthn/primitives.h"

#include <array>
#include <cstdint>

namespace postern::identity {

/// foundation/crypto for the judges of foundation/codec/webauthn.
class PasskeyPrimitives final : public webauthn::Primitives {
public:
    [[nodiscard]] std::array<std::uint8_t, 32> sha256(ByteView data) const override;
    [[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b) const override;
    [[nodiscard]] bool is_usable(const webauthn::CoseKey& key) const override;
    [[nodiscard]] bool verify(const webauthn::CoseKey& key,
                              ByteView message,
                              ByteView signature) const override;
};

}  // namespace postern::identity
