#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/jose/jose_error.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::jose {

inline constexpr std::size_t k_token_bytes_max = 16UL * 1024;
inline constexpr std::size_t k_key_set_bytes_max = 64UL * 1024;
inline constexpr std::size_t k_keys_max = 64;
inline constexpr std::size_t k_key_id_bytes_max = 256;

/// What a token may be signed with, by the names of RFC 7518. There is no "none", and nothing that
/// is made with a shared key.
enum class Algorithm : std::uint8_t { rs256, es256 };

/// A JSON Web Signature in compact form (RFC 7515), taken apart. Nothing of it is true before its
/// signature was checked.
struct Jws {
    Algorithm algorithm = Algorithm::rs256;
    std::string key_id;       ///< empty: it names none
    std::string signed_part;  ///< what the signature is over
    Bytes payload;
    Bytes signature;
};
/// Errors: malformed, too_large, unknown_algorithm, unknown_extension, wrong_type.
[[nodiscard]] Result<Jws> parse_jws(std::string_view compact);

/// A public key for signatures (RFC 7517). Its numbers are as they came: crypto checks them.
struct Jwk {
    Algorithm algorithm = Algorithm::rs256;
    std::string key_id;
    Bytes first;   ///< modulus, or x
    Bytes second;  ///< exponent, or y
};
/// Of a set, those that can check a token's signature; the others are left out.
/// Errors: malformed, too_large.
[[nodiscard]] Result<std::vector<Jwk>> parse_key_set(ByteView json);

}  // namespace postern::jose
