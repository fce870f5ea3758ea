#include "foundation/codec/webauthn/cose_key.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/cbor.h"
#include "foundation/codec/webauthn/limits.h"
#include "foundation/codec/webauthn/webauthn_error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace postern::webauthn {
namespace {

// Labels of RFC 9052 section 7.1 and RFC 9053 section 7; those below zero belong to the key type.
constexpr std::int64_t k_key_type = 1;
constexpr std::int64_t k_algorithm = 3;
constexpr std::int64_t k_curve = -1;
constexpr std::int64_t k_x = -2;
constexpr std::int64_t k_y = -3;
// RFC 8230 section 4.
constexpr std::int64_t k_modulus = -1;
constexpr std::int64_t k_exponent = -2;

constexpr std::int64_t k_type_okp = 1;
constexpr std::int64_t k_type_ec2 = 2;
constexpr std::int64_t k_type_rsa = 3;
constexpr std::int64_t k_curve_p256 = 1;
constexpr std::int64_t k_curve_ed25519 = 6;
constexpr std::size_t k_exponent_bytes_max = 4;

std::optional<std::int64_t> number(const codec::Cbor& map, std::int64_t label) {
    const auto* const value = map.find(label);
    return value == nullptr ? std::nullopt : value->integer();
}

std::optional<ByteView> bytes(const codec::Cbor& map, std::int64_t label) {
    const auto* const value = map.find(label);
    return value == nullptr ? std::nullopt : value->bytes();
}

std::optional<std::array<std::uint8_t, 32>> coordinate(const codec::Cbor& map, std::int64_t label) {
    const auto given = bytes(map, label);
    std::array<std::uint8_t, 32> out{};
    if (!given || given->size() != out.size()) return std::nullopt;
    std::copy(given->begin(), given->end(), out.begin());
    return out;
}

Result<> check_curve(const codec::Cbor& map, std::int64_t type, std::int64_t curve) {
    if (number(map, k_key_type) != type) return fail(WebauthnError::wrong_key_type);
    const auto given = number(map, k_curve);
    if (!given) return fail(WebauthnError::malformed_key, "no curve");
    if (*given != curve) return fail(WebauthnError::unsupported_curve, std::to_string(*given));
    return {};
}

/// What the algorithm needs and nothing else.
bool has_labels(const codec::Cbor& map, std::size_t count) {
    return map.entries()->size() == count;
}

Result<CoseKey> read_es256(const codec::Cbor& map) {
    if (const auto ok = check_curve(map, k_type_ec2, k_curve_p256); !ok) return fail(ok.error());
    const auto x = coordinate(map, k_x);
    const auto y = coordinate(map, k_y);
    if (!x || !y || !has_labels(map, 5)) return fail(WebauthnError::malformed_key, "EC2");
    return CoseKey{Algorithm::es256, P256Point{*x, *y}};
}

Result<CoseKey> read_eddsa(const codec::Cbor& map) {
    if (const auto ok = check_curve(map, k_type_okp, k_curve_ed25519); !ok) return fail(ok.error());
    const auto x = coordinate(map, k_x);
    if (!x || !has_labels(map, 4)) return fail(WebauthnError::malformed_key, "OKP");
    return CoseKey{Algorithm::eddsa, Ed25519Point{*x}};
}

bool is_strong(const RsaNumbers& numbers) {
    const auto& n = numbers.modulus;
    const auto bits = n.size() * 8 - static_cast<std::size_t>(std::countl_zero(n.front()));
    const auto& e = numbers.exponent;
    const bool is_one = e.size() == 1 && e.front() == 1;
    return bits >= k_modulus_bits_min && bits <= k_modulus_bits_max && (n.back() & 1U) == 1 &&
           e.size() <= k_exponent_bytes_max && (e.back() & 1U) == 1 && !is_one;
}

Result<CoseKey> read_rs256(const codec::Cbor& map) {
    if (number(map, k_key_type) != k_type_rsa) return fail(WebauthnError::wrong_key_type);
    const auto modulus = bytes(map, k_modulus);
    const auto exponent = bytes(map, k_exponent);
    if (!modulus || !exponent || !has_labels(map, 4) || modulus->empty() || exponent->empty() ||
        modulus->front() == 0 || exponent->front() == 0) {
        return fail(WebauthnError::malformed_key, "RSA");
    }
    RsaNumbers numbers{to_bytes(*modulus), to_bytes(*exponent)};
    if (!is_strong(numbers)) return fail(WebauthnError::weak_key);
    return CoseKey{Algorithm::rs256, std::move(numbers)};
}

}  // namespace

Result<CoseKey> parse_cose_key(ByteView bytes) {
    const auto map = codec::Cbor::parse(bytes);
    if (!map) return fail(WebauthnError::malformed_key, std::string(map.error().code()));
    return read_cose_key(*map);
}

Result<CoseKey> read_cose_key(const codec::Cbor& map) {
    if (map.entries() == nullptr) return fail(WebauthnError::malformed_key, "no map");
    const auto algorithm = number(map, k_algorithm);
    if (!algorithm) return fail(WebauthnError::malformed_key, "no algorithm");
    if (!number(map, k_key_type)) return fail(WebauthnError::malformed_key, "no key type");
    if (*algorithm == static_cast<std::int64_t>(Algorithm::es256)) return read_es256(map);
    if (*algorithm == static_cast<std::int64_t>(Algorithm::eddsa)) return read_eddsa(map);
    if (*algorithm == static_cast<std::int64_t>(Algorithm::rs256)) return read_rs256(map);
    return fail(WebauthnError::unsupported_algorithm, std::to_string(*algorithm));
}

}  // namespace postern::webauthn
