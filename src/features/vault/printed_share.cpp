#include "features/vault/printed_share.h"

#include "features/vault/crockford.h"
#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/secret_sharing.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::size_t k_checksum_bytes = 4;
constexpr std::size_t k_scheme_bytes = 3;
constexpr std::size_t k_set_bytes = std::tuple_size_v<PrintedShare::SetId>;
constexpr std::size_t k_head_bytes = k_scheme_bytes + k_set_bytes;

crypto::Hash checksum(std::string_view prefix, ByteView checked) {
    WipedBytes input;
    input.append(prefix);
    input.append(checked);
    return crypto::sha256(input);
}

Error do_not_fit(std::string why) {
    return {VaultError::shares_do_not_fit, std::move(why)};
}

}  // namespace

Secret text_of(const PrintedShare& share, std::string_view prefix) {
    const auto& [scheme, set, part] = share;
    const auto size = k_head_bytes + part.bytes.size();
    auto raw = Secret::of_size(size + k_checksum_bytes);
    raw.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        out[0] = scheme.threshold;
        out[1] = scheme.shares;
        out[2] = part.number;
        std::ranges::copy(set, out.subspan(k_scheme_bytes).begin());
        part.bytes.with_bytes(
            [&](ByteView in) { std::ranges::copy(in, out.subspan(k_head_bytes).begin()); });
        const auto sum = checksum(prefix, out.first(size));
        std::copy_n(sum.begin(), k_checksum_bytes, out.subspan(size).begin());
    });
    const auto body = crockford_text(raw);
    auto text = Secret::of_size(prefix.size() + body.size());
    text.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        std::ranges::copy(prefix, out.begin());
        body.with_bytes(
            [&](ByteView in) { std::ranges::copy(in, out.subspan(prefix.size()).begin()); });
    });
    return text;
}

Result<PrintedShare> parse_share(ByteView text, std::string_view prefix, std::size_t secret_bytes) {
    POSTERN_TRY(const auto checked, checked_bytes(text, prefix, k_head_bytes + secret_bytes));
    return checked.with_bytes([](ByteView bytes) -> Result<PrintedShare> {
        PrintedShare share;
        share.scheme = {.shares = bytes[1], .threshold = bytes[0]};
        share.part.number = bytes[2];
        if (!crypto::is_sound(share.scheme) || share.part.number == 0 ||
            share.part.number > share.scheme.shares) {
            return fail(VaultError::bad_recovery_text);
        }
        std::ranges::copy(bytes.subspan(k_scheme_bytes, k_set_bytes), share.set.begin());
        share.part.bytes = Secret::copy_of(bytes.subspan(k_head_bytes));
        return share;
    });
}

Result<Secret> checked_bytes(ByteView text, std::string_view prefix, std::size_t size) {
    if (!starts_with(text, prefix)) return fail(VaultError::bad_recovery_text);
    auto raw = crockford_bytes(text.subspan(prefix.size()), size + k_checksum_bytes);
    if (!raw) return fail(VaultError::bad_recovery_text);
    return raw->with_bytes([&](ByteView bytes) -> Result<Secret> {
        const auto sum = checksum(prefix, bytes.first(size));
        if (!std::ranges::equal(ByteView(sum).first(k_checksum_bytes), bytes.subspan(size))) {
            return fail(VaultError::bad_recovery_text);
        }
        return Secret::copy_of(bytes.first(size));
    });
}

bool starts_with(ByteView text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        const auto c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
        if (c != prefix[i]) return false;
    }
    return true;
}

std::vector<ByteView> shares_in(ByteView text, std::string_view stem) {
    std::vector<ByteView> shares;
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t' ||
                             text[0] == '\r' || text[0] == '-'))
        text = text.subspan(1);
    if (!starts_with(text, stem)) return shares;
    while (!text.empty()) {
        std::size_t end = stem.size();
        while (end < text.size() && !starts_with(text.subspan(end), stem))
            ++end;
        shares.push_back(text.first(end));
        text = text.subspan(end);
    }
    return shares;
}

Result<Secret> join_shares(std::vector<PrintedShare> shares) {
    if (shares.empty()) return fail(do_not_fit("There is none."));
    const auto scheme = shares.front().scheme;
    const auto set = shares.front().set;
    std::array<bool, 256> seen{};
    std::vector<crypto::SecretShare> parts;
    for (auto& share : shares) {
        if (share.set != set || share.scheme != scheme) {
            return fail(do_not_fit("They are of different kits."));
        }
        if (std::exchange(seen[share.part.number], true)) {
            return fail(
                do_not_fit("Share " + std::to_string(share.part.number) + " is there twice."));
        }
        parts.push_back(std::move(share.part));
    }
    if (parts.size() < scheme.threshold) {
        return fail(do_not_fit("This kit needs " + std::to_string(scheme.threshold) +
                               " shares, and there are " + std::to_string(parts.size()) + "."));
    }
    return crypto::join_secret(parts);
}

}  // namespace postern::vault
