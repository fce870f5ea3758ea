#include "features/vault/recovery_kit.h"

#include "features/vault/crockford.h"
#include "features/vault/vault_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/random.h"
#include "foundation/crypto/secret_sharing.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_stem = "postern-recovery-";
constexpr std::string_view k_first_prefix = "postern-recovery-1:";
constexpr std::string_view k_prefix = "postern-recovery-2:";
constexpr std::size_t k_checksum_bytes = 4;

// First version: 1, k, n, index, of which there was only 1 of 1 | root key | checksum
constexpr std::array<std::uint8_t, 4> k_first_head{1, 1, 1, 1};
// Second: k, n, index | kit id | share | checksum
constexpr std::size_t k_scheme_bytes = 3;
constexpr std::size_t k_kit_id_bytes = 8;
constexpr std::size_t k_head_bytes = k_scheme_bytes + k_kit_id_bytes;

using KitId = std::array<std::uint8_t, k_kit_id_bytes>;

struct Share {
    crypto::SharingScheme scheme;
    KitId kit{};
    crypto::SecretShare part;
};

KitId id_of(ByteView public_key) {
    WipedBytes input;
    input.append(std::string_view("postern recovery kit 1"));
    input.append(public_key);
    const auto hash = crypto::sha256(input);
    KitId id{};
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
}

crypto::Hash checksum(std::string_view prefix, ByteView checked) {
    WipedBytes input;
    input.append(prefix);
    input.append(checked);
    return crypto::sha256(input);
}

Secret text_of(const crypto::SharingScheme& scheme,
               const KitId& kit,
               const crypto::SecretShare& part) {
    const auto size = k_head_bytes + part.bytes.size();
    auto raw = Secret::of_size(size + k_checksum_bytes);
    raw.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        out[0] = scheme.threshold;
        out[1] = scheme.shares;
        out[2] = part.number;
        std::ranges::copy(kit, out.subspan(k_scheme_bytes).begin());
        part.bytes.with_bytes(
            [&](ByteView in) { std::ranges::copy(in, out.subspan(k_head_bytes).begin()); });
        const auto sum = checksum(k_prefix, out.first(size));
        std::copy_n(sum.begin(), k_checksum_bytes, out.subspan(size).begin());
    });
    const auto body = crockford_text(raw);
    auto text = Secret::of_size(k_prefix.size() + body.size());
    text.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        std::ranges::copy(k_prefix, out.begin());
        body.with_bytes(
            [&](ByteView in) { std::ranges::copy(in, out.subspan(k_prefix.size()).begin()); });
    });
    return text;
}

bool starts_with(ByteView text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        const auto c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
        if (c != prefix[i]) return false;
    }
    return true;
}

/// Where each share begins; nothing where something else stands before the first one.
std::vector<ByteView> shares_in(ByteView text) {
    std::vector<ByteView> shares;
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t' ||
                             text[0] == '\r' || text[0] == '-'))
        text = text.subspan(1);
    if (!starts_with(text, k_stem)) return shares;
    while (!text.empty()) {
        std::size_t end = k_stem.size();
        while (end < text.size() && !starts_with(text.subspan(end), k_stem))
            ++end;
        shares.push_back(text.first(end));
        text = text.subspan(end);
    }
    return shares;
}

/// The bytes behind the prefix, their checksum taken off. Errors: bad_recovery_text.
Result<Secret> checked_bytes(ByteView text, std::string_view prefix, std::size_t size) {
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

Result<Secret> first_version_key(ByteView text) {
    POSTERN_TRY(const auto checked,
                checked_bytes(text, k_first_prefix, k_first_head.size() + crypto::k_key_bytes));
    return checked.with_bytes([](ByteView bytes) -> Result<Secret> {
        if (!std::ranges::equal(bytes.first(k_first_head.size()), k_first_head)) {
            return fail(VaultError::newer_recovery_text);
        }
        return Secret::copy_of(bytes.subspan(k_first_head.size()));
    });
}

Result<Share> parse_share(ByteView text) {
    if (!starts_with(text, k_prefix)) {
        const bool newer =
            text.size() > k_stem.size() && text[k_stem.size()] >= '3' && text[k_stem.size()] <= '9';
        return fail(newer ? VaultError::newer_recovery_text : VaultError::bad_recovery_text);
    }
    POSTERN_TRY(const auto checked,
                checked_bytes(text, k_prefix, k_head_bytes + crypto::k_key_bytes));
    return checked.with_bytes([](ByteView bytes) -> Result<Share> {
        Share share;
        share.scheme = {.shares = bytes[1], .threshold = bytes[0]};
        share.part.number = bytes[2];
        if (!crypto::is_sound(share.scheme) || share.part.number == 0 ||
            share.part.number > share.scheme.shares) {
            return fail(VaultError::bad_recovery_text);
        }
        std::ranges::copy(bytes.subspan(k_scheme_bytes, k_kit_id_bytes), share.kit.begin());
        share.part.bytes = Secret::copy_of(bytes.subspan(k_head_bytes));
        return share;
    });
}

Error do_not_fit(std::string why) {
    return {VaultError::shares_do_not_fit, std::move(why)};
}

Result<crypto::BoxPair> join(std::vector<Share> shares) {
    const auto scheme = shares.front().scheme;
    const auto kit = shares.front().kit;
    std::array<bool, 256> seen{};
    std::vector<crypto::SecretShare> parts;
    for (auto& share : shares) {
        if (share.kit != kit || share.scheme != scheme) {
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
    POSTERN_TRY(auto private_key, crypto::join_secret(parts));
    auto pair = crypto::box_pair_of(std::move(private_key));
    if (id_of(pair.public_key) != kit) return fail(do_not_fit("One of them is forged."));
    return pair;
}

}  // namespace

RecoveryKit make_recovery_kit(const crypto::SharingScheme& scheme) {
    POSTERN_CHECK(crypto::is_sound(scheme) && scheme.shares <= k_kit_shares_max);
    const auto pair = crypto::make_box_pair();
    RecoveryKit kit;
    kit.public_key = pair.public_key;
    for (const auto& part : crypto::split_secret(pair.private_key, scheme))
        kit.shares.push_back(text_of(scheme, id_of(pair.public_key), part));
    return kit;
}

Result<JoinedShares> join_recovery_shares(const Secret& text) {
    return text.with_bytes([](ByteView whole) -> Result<JoinedShares> {
        if (whole.size() > k_recovery_text_bytes_max) return fail(VaultError::bad_recovery_text);
        const auto texts = shares_in(whole);
        if (texts.empty()) return fail(VaultError::bad_recovery_text);
        JoinedShares joined;
        if (texts.size() == 1 && starts_with(texts[0], k_first_prefix)) {
            POSTERN_TRY(joined.root_key, first_version_key(texts[0]));
            return joined;
        }
        std::vector<Share> shares;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto share = parse_share(texts[i]);
            if (!share) {
                const auto code = *share.error().as<VaultError>();
                return fail(code, "It is number " + std::to_string(i + 1) + " of what was given.");
            }
            shares.push_back(std::move(*share));
        }
        POSTERN_TRY(joined.kit, join(std::move(shares)));
        return joined;
    });
}

}  // namespace postern::vault
