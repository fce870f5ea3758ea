#include "foundation/crypto/one_time_code.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::crypto {
namespace {

constexpr std::int64_t k_ms_per_s = 1000;

std::array<std::uint8_t, 8> big_endian(std::uint64_t number) {
    std::array<std::uint8_t, 8> out{};
    for (std::size_t at = out.size(); at-- > 0; number >>= 8U)
        out[at] = static_cast<std::uint8_t>(number);
    return out;
}

/// RFC 4226, section 5.3.
std::uint32_t truncated(const std::array<std::uint8_t, SHA_DIGEST_LENGTH>& mac) {
    const std::size_t at = mac.back() & 0x0fU;
    return (mac[at] & 0x7fU) << 24U | std::uint32_t{mac[at + 1]} << 16U |
           std::uint32_t{mac[at + 2]} << 8U | mac[at + 3];
}

}  // namespace

std::string one_time_code(const Secret& key, std::uint64_t counter, unsigned digits) {
    POSTERN_CHECK(digits >= k_one_time_digits && digits <= 8);
    const auto message = big_endian(counter);
    std::array<std::uint8_t, SHA_DIGEST_LENGTH> mac{};
    const bool made = key.with_bytes([&](ByteView bytes) {
        return HMAC(EVP_sha1(), bytes.data(), static_cast<int>(bytes.size()), message.data(),
                    message.size(), mac.data(), nullptr) != nullptr;
    });
    POSTERN_CHECK(made);
    auto number = truncated(mac);
    wipe(mac.data(), mac.size());
    std::string out(digits, '0');
    for (std::size_t at = digits; at-- > 0; number /= 10)
        out[at] = static_cast<char>('0' + number % 10);
    return out;
}

std::int64_t time_step_at(UnixMs at_ms) {
    constexpr auto k_step_ms = k_time_step_s * k_ms_per_s;
    const auto whole = at_ms / k_step_ms;
    return at_ms % k_step_ms < 0 ? whole - 1 : whole;
}

std::optional<std::int64_t> match_time_code(const Secret& key,
                                            std::string_view code,
                                            std::int64_t now_step,
                                            std::int64_t last_step) {
    std::optional<std::int64_t> found;
    for (const auto step : {now_step - 1, now_step, now_step + 1}) {
        const auto wanted = one_time_code(key, static_cast<std::uint64_t>(step));
        const bool fits = equal_in_constant_time(as_bytes(wanted), as_bytes(code));
        if (fits && step > last_step && !found) found = step;
    }
    return found;
}

}  // namespace postern::crypto
