#include "features/vault/root_key.h"

#include "features/vault/crockford.h"
#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/os/files.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postern::vault {
namespace {

constexpr unsigned k_file_mode = 0400;
constexpr std::size_t k_fingerprint_bytes = 16;
constexpr std::string_view k_prefix = "postern-recovery-1:";
constexpr std::size_t k_recovery_text_max = 1024;

// version, k, n, index | root key | checksum
constexpr std::array<std::uint8_t, 4> k_share_head{1, 1, 1, 1};
constexpr std::size_t k_checksum_bytes = 4;
constexpr std::size_t k_checked_bytes = k_share_head.size() + crypto::k_key_bytes;
constexpr std::size_t k_share_bytes = k_checked_bytes + k_checksum_bytes;

crypto::Hash checksum(ByteView checked) {
    WipedBytes input;
    input.append(k_prefix);
    input.append(checked);
    return crypto::sha256(input);
}

bool starts_with_prefix(ByteView text) {
    if (text.size() < k_prefix.size()) return false;
    for (std::size_t i = 0; i < k_prefix.size(); ++i) {
        const auto c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
        if (c != k_prefix[i]) return false;
    }
    return true;
}

/// Copied text often comes with a line end or a blank before it.
ByteView without_leading_blanks(ByteView text) {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t'))
        text = text.subspan(1);
    return text;
}

Result<Secret> checked_size(Secret root_key) {
    if (root_key.size() != crypto::k_key_bytes) return fail(VaultError::bad_root_key_file);
    return root_key;
}

Result<Secret> key_of_share(const Secret& share) {
    return share.with_bytes([](ByteView bytes) -> Result<Secret> {
        const auto sum = checksum(bytes.first(k_checked_bytes));
        if (!std::ranges::equal(ByteView(sum).first(k_checksum_bytes),
                                bytes.subspan(k_checked_bytes))) {
            return fail(VaultError::bad_recovery_text);
        }
        if (!std::ranges::equal(bytes.first(k_share_head.size()), k_share_head)) {
            return fail(VaultError::newer_recovery_text);
        }
        return Secret::copy_of(bytes.subspan(k_share_head.size(), crypto::k_key_bytes));
    });
}

}  // namespace

Secret make_root_key() {
    return crypto::random_key();
}

Result<> write_root_key(const std::string& path, const Secret& root_key) {
    POSTERN_CHECK(root_key.size() == crypto::k_key_bytes);
    return root_key.with_bytes(
        [&](ByteView bytes) { return os::create_file(path, bytes, k_file_mode); });
}

Result<Secret> read_root_key(const std::string& path) {
    POSTERN_TRY(auto root_key, os::read_secret_file(path, crypto::k_key_bytes));
    return checked_size(std::move(root_key));
}

Result<Secret> read_root_key(int fd) {
    POSTERN_TRY(auto root_key, os::read_secret(fd, crypto::k_key_bytes));
    return checked_size(std::move(root_key));
}

std::string fingerprint(const Secret& root_key) {
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string text;
    crypto::derive_key(root_key, "postern fingerprint 1").with_bytes([&](ByteView bytes) {
        for (const auto byte : bytes.first(k_fingerprint_bytes)) {
            text += k_digits[byte >> 4U];
            text += k_digits[byte & 15U];
        }
    });
    return text;
}

Secret recovery_text(const Secret& root_key) {
    POSTERN_CHECK(root_key.size() == crypto::k_key_bytes);
    auto share = Secret::of_size(k_share_bytes);
    share.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        std::ranges::copy(k_share_head, out.begin());
        root_key.with_bytes(
            [&](ByteView key) { std::ranges::copy(key, out.begin() + k_share_head.size()); });
        const auto sum = checksum(out.first(k_checked_bytes));
        std::copy_n(sum.begin(), k_checksum_bytes, out.begin() + k_checked_bytes);
    });
    const auto body = crockford_text(share);
    auto text = Secret::of_size(k_prefix.size() + body.size());
    text.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        std::ranges::copy(k_prefix, out.begin());
        body.with_bytes([&](ByteView in) {
            std::ranges::copy(in, out.begin() + static_cast<std::ptrdiff_t>(k_prefix.size()));
        });
    });
    return text;
}

Result<Secret> root_key_from(const Secret& recovery_text) {
    return recovery_text.with_bytes([](ByteView whole) -> Result<Secret> {
        const auto text = without_leading_blanks(whole);
        if (text.size() > k_recovery_text_max || !starts_with_prefix(text)) {
            return fail(VaultError::bad_recovery_text);
        }
        const auto share = crockford_bytes(text.subspan(k_prefix.size()), k_share_bytes);
        if (!share) return fail(VaultError::bad_recovery_text);
        return key_of_share(*share);
    });
}

}  // namespace postern::vault
