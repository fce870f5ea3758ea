#pragma once

#include <cstddef>

namespace postern::webauthn {

inline constexpr std::size_t k_client_data_bytes_max = 8U << 10U;
inline constexpr std::size_t k_challenge_bytes_max = 256;  ///< decoded
/// Statements with their certificates, which are read past, take a few KiB.
inline constexpr std::size_t k_attestation_object_bytes_max = 32U << 10U;
inline constexpr std::size_t k_authenticator_data_bytes_max = 8U << 10U;
inline constexpr std::size_t k_credential_id_bytes_max = 1023;  ///< section 5.8.3
inline constexpr std::size_t k_signature_bytes_max = 512;       ///< of RSA with 4096 bits
inline constexpr std::size_t k_modulus_bits_min = 2048;
inline constexpr std::size_t k_modulus_bits_max = 4096;

}  // namespace postern::webauthn
