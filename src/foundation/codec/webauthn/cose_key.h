#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/cbor.h"

#include <array>
#include <cstdint>
#include <variant>

namespace postern::webauthn {

/// What we ask for and take, by the numbers of the IANA registry "COSE Algorithms".
enum class Algorithm : std::int32_t { es256 = -7, eddsa = -8, rs256 = -257 };

struct P256Point {
    std::array<std::uint8_t, 32> x{};
    std::array<std::uint8_t, 32> y{};

    bool operator==(const P256Point&) const = default;
};
struct Ed25519Point {
    std::array<std::uint8_t, 32> bytes{};

    bool operator==(const Ed25519Point&) const = default;
};
/// Big-endian, without zeroes in front: 2048 to 4096 bits and odd; up to 32 bits, odd, above 1.
struct RsaNumbers {
    Bytes modulus;
    Bytes exponent;

    bool operator==(const RsaNumbers&) const = default;
};

/// A credential's public key as its COSE_Key says (RFC 9052 section 7, RFC 9053, RFC 8230), of the
/// form that Web Authentication Level 3 section 6.5.1.1 asks for: `alg` is there, and nothing that
/// the algorithm does not need. Whether a point lies on its curve is asked of Primitives.
struct CoseKey {
    Algorithm algorithm = Algorithm::es256;
    std::variant<P256Point, Ed25519Point, RsaNumbers> numbers;

    bool operator==(const CoseKey&) const = default;
};

/// Errors: malformed_key, unsupported_algorithm, unsupported_curve, wrong_key_type, weak_key.
[[nodiscard]] Result<CoseKey> parse_cose_key(ByteView bytes);
[[nodiscard]] Result<CoseKey> read_cose_key(const codec::Cbor& map);

}  // namespace postern::webauthn
