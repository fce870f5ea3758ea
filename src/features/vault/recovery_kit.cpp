#include "features/vault/recovery_kit.h"

#include "features/vault/printed_share.h"
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
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_stem = "postern-recovery-";
constexpr std::string_view k_first_prefix = "postern-recovery-1:";
constexpr std::string_view k_prefix = "postern-recovery-2:";

// First version: 1, k, n, index, of which there was only 1 of 1 | root key | checksum
constexpr std::array<std::uint8_t, 4> k_first_head{1, 1, 1, 1};

PrintedShare::SetId id_of(ByteView public_key) {
    WipedBytes input;
    input.append(std::string_view("postern recovery kit 1"));
    input.append(public_key);
    const auto hash = crypto::sha256(input);
    PrintedShare::SetId id{};
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
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

Result<PrintedShare> parse(ByteView text) {
    if (starts_with(text, k_prefix)) return parse_share(text, k_prefix, crypto::k_key_bytes);
    const bool newer =
        text.size() > k_stem.size() && text[k_stem.size()] >= '3' && text[k_stem.size()] <= '9';
    return fail(newer ? VaultError::newer_recovery_text : VaultError::bad_recovery_text);
}

Result<crypto::BoxPair> join(std::vector<PrintedShare> shares) {
    const auto kit = shares.front().set;
    POSTERN_TRY(auto private_key, join_shares(std::move(shares)));
    auto pair = crypto::box_pair_of(std::move(private_key));
    if (id_of(pair.public_key) != kit) {
        return fail(VaultError::shares_do_not_fit, "One of them is forged.");
    }
    return pair;
}

}  // namespace

RecoveryKit make_recovery_kit(const crypto::SharingScheme& scheme) {
    POSTERN_CHECK(crypto::is_sound(scheme) && scheme.shares <= k_kit_shares_max);
    const auto pair = crypto::make_box_pair();
    RecoveryKit kit;
    kit.public_key = pair.public_key;
    for (auto& part : crypto::split_secret(pair.private_key, scheme)) {
        kit.shares.push_back(
            text_of(PrintedShare{scheme, id_of(pair.public_key), std::move(part)}, k_prefix));
    }
    return kit;
}

Result<JoinedShares> join_recovery_shares(const Secret& text) {
    return text.with_bytes([](ByteView whole) -> Result<JoinedShares> {
        if (whole.size() > k_recovery_text_bytes_max) return fail(VaultError::bad_recovery_text);
        const auto texts = shares_in(whole, k_stem);
        if (texts.empty()) return fail(VaultError::bad_recovery_text);
        JoinedShares joined;
        if (texts.size() == 1 && starts_with(texts[0], k_first_prefix)) {
            POSTERN_TRY(joined.root_key, first_version_key(texts[0]));
            return joined;
        }
        std::vector<PrintedShare> shares;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto share = parse(texts[i]);
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
