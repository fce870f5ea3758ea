#include "features/vault/sealing.h"

#include "features/vault/places.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "foundation/crypto/random.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

namespace postern::vault {
namespace {

using keys::HolderSeal;
using keys::KeyError;
using keys::Seal;

constexpr std::size_t k_length_bytes = 4;
constexpr std::size_t k_public_key_bytes = 32;
constexpr std::size_t k_committed_overhead = 1 + 32 + 24 + 16;
constexpr std::size_t k_box_overhead = 48;

// A seal comes back from front's store: its cost is bounded before it is paid.
constexpr std::uint32_t k_passes_max = 10;
constexpr std::uint32_t k_memory_kib_min = 8;
constexpr std::uint32_t k_memory_kib_max = 256 * 1024;

Secret holder_key(const Secret& stretched, const Secret& share, const crypto::Place& place) {
    return crypto::derive_key(stretched, share, "postern holder key 1", place.canonical());
}
Secret box_wrap_key(const Secret& server_share) {
    return crypto::derive_key(server_share, "postern integration key wrap 1");
}
Secret credential_wrap_key(const Secret& integration_key) {
    return crypto::derive_key(integration_key, "postern credential key wrap 1");
}

Bytes box_integration_key(const IntegrationKey& key,
                          std::uint64_t epoch,
                          const HolderSeal& holder,
                          const Secret& server_share,
                          const Secret& integration_key) {
    return crypto::seal(box_wrap_key(server_share),
                        ByteView(crypto::box_seal(holder.public_key, integration_key)),
                        boxed_key_place(key, epoch, holder));
}

/// Everything of a new holder but the boxed key, which follows for all holders alike.
template <typename Wanted>
Result<HolderSeal> seal_holder(const Wanted& wanted, HolderId id, const Secret& share) {
    HolderSeal holder;
    holder.holder = id;
    holder.salt = crypto::random_bytes(crypto::k_argon2_salt_bytes);
    holder.passes = wanted.cost.passes;
    holder.memory_kib = wanted.cost.memory_kib;
    POSTERN_TRY(const auto stretched,
                crypto::stretch(wanted.shared_secret, holder.salt, wanted.cost));
    const auto pair = crypto::make_box_pair();
    holder.public_key = pair.public_key;
    const auto place = holder_private_place(wanted.key, holder);
    holder.sealed_private =
        crypto::seal_committed(holder_key(stretched, share, place), pair.private_key, place);
    return holder;
}

bool is_sound(const HolderSeal& holder) {
    return holder.salt.size() == crypto::k_argon2_salt_bytes && holder.passes >= 1 &&
           holder.passes <= k_passes_max && holder.memory_kib >= k_memory_kib_min &&
           holder.memory_kib <= k_memory_kib_max &&
           holder.public_key.size() == k_public_key_bytes &&
           holder.sealed_private.size() == k_committed_overhead + crypto::k_key_bytes &&
           holder.boxed_key.size() ==
               crypto::k_record_overhead + k_box_overhead + crypto::k_key_bytes;
}

/// Nothing where this holder's secret is another; an error only where there is no memory.
Result<Secret> open_holder(const IntegrationKey& key,
                           std::uint64_t epoch,
                           const HolderSeal& holder,
                           const OpenShares& shares,
                           const Secret& shared_secret) {
    const auto ours = shares.holders.find(holder.holder);
    if (ours == shares.holders.end() || ours->second.public_key != holder.public_key) {
        return fail(KeyError::wrong_secret);
    }
    POSTERN_TRY(const auto stretched,
                crypto::stretch(shared_secret, holder.salt, {holder.passes, holder.memory_kib}));
    const auto place = holder_private_place(key, holder);
    auto private_key = crypto::open_committed(holder_key(stretched, ours->second.share, place),
                                              holder.sealed_private, place);
    if (!private_key || private_key->size() != crypto::k_key_bytes) {
        return fail(KeyError::wrong_secret);
    }
    const auto box = crypto::open(box_wrap_key(shares.server), holder.boxed_key,
                                  boxed_key_place(key, epoch, holder));
    if (!box) return fail(KeyError::wrong_secret);
    auto opened = crypto::box_open(crypto::box_pair_of(std::move(*private_key)), *box);
    if (!opened || opened->size() != crypto::k_key_bytes) return fail(KeyError::wrong_secret);
    return opened;
}

}  // namespace

Secret join_content(ByteView destination, const Secret& credential) {
    auto joined = Secret::of_size(k_length_bytes + destination.size() + credential.size());
    joined.with_mutable_bytes([&](std::span<std::uint8_t> out) {
        for (std::size_t i = 0; i < k_length_bytes; ++i)
            out[i] = static_cast<std::uint8_t>(destination.size() >> (8 * i));
        std::ranges::copy(destination, out.subspan(k_length_bytes).begin());
        credential.with_bytes(
            [&](ByteView bytes) { std::ranges::copy(bytes, out.last(bytes.size()).begin()); });
    });
    return joined;
}

Result<Content> split_content(const Secret& joined) {
    return joined.with_bytes([](ByteView bytes) -> Result<Content> {
        if (bytes.size() < k_length_bytes) return fail(KeyError::cannot_open);
        std::size_t size = 0;
        for (std::size_t i = 0; i < k_length_bytes; ++i)
            size |= std::size_t{bytes[i]} << (8 * i);
        const auto rest = bytes.subspan(k_length_bytes);
        if (size > rest.size()) return fail(KeyError::cannot_open);
        return Content{to_bytes(rest.first(size)), Secret::copy_of(rest.subspan(size))};
    });
}

Result<MadeSeal> make_seal(NewSeal wanted) {
    MadeSeal made;
    made.integration_key = crypto::random_key();
    made.shares.server = crypto::random_key();
    made.seal.epoch = wanted.epoch;

    if (wanted.holder) {
        auto share = crypto::random_key();
        POSTERN_TRY(auto holder, seal_holder(wanted, *wanted.holder, share));
        made.shares.holders[*wanted.holder] = {holder.public_key, std::move(share)};
        made.seal.holders.push_back(std::move(holder));
    }
    for (auto& other : wanted.absent) {
        const auto theirs = wanted.absent_shares.holders.find(other.holder);
        if (theirs == wanted.absent_shares.holders.end() ||
            theirs->second.public_key != other.public_key) {
            return fail(KeyError::wrong_secret);
        }
        made.shares.holders[other.holder] = std::move(theirs->second);
        made.seal.holders.push_back(std::move(other));
    }
    for (auto& each : made.seal.holders) {
        each.boxed_key = box_integration_key(wanted.key, wanted.epoch, each, made.shares.server,
                                             made.integration_key);
    }

    const auto credential_key = crypto::random_key();
    made.seal.credential_key =
        crypto::seal(credential_wrap_key(made.integration_key), credential_key,
                     credential_key_place(wanted.key, wanted.epoch));
    made.seal.credential =
        crypto::seal(credential_key, wanted.content, credential_place(wanted.key, wanted.epoch));
    return made;
}

Result<MadeHolder> make_holder(const NewHolder& wanted) {
    MadeHolder made;
    made.share = crypto::random_key();
    POSTERN_TRY(made.seal, seal_holder(wanted, wanted.holder, made.share));
    made.seal.boxed_key = box_integration_key(wanted.key, wanted.epoch, made.seal,
                                              wanted.server_share, wanted.integration_key);
    return made;
}

bool is_sound(const Seal& seal) {
    return !seal.holders.empty() && seal.holders.size() <= k_holders_max &&
           std::ranges::all_of(seal.holders,
                               [](const HolderSeal& holder) { return is_sound(holder); }) &&
           seal.credential_key.size() == crypto::k_record_overhead + crypto::k_key_bytes &&
           seal.credential.size() <= crypto::k_record_overhead + k_length_bytes +
                                         k_destination_bytes_max + k_credential_bytes_max;
}

Result<OpenedSeal> open_seal(const IntegrationKey& key,
                             const Seal& seal,
                             const OpenShares& shares,
                             const Secret& shared_secret,
                             const std::function<bool(HolderId)>& may_try) {
    if (!is_sound(seal)) return fail(KeyError::wrong_secret);
    for (const auto& holder : seal.holders) {
        if (!may_try(holder.holder)) continue;
        auto opened = open_holder(key, seal.epoch, holder, shares, shared_secret);
        if (!opened && opened.error().is(KeyError::wrong_secret)) continue;
        if (!opened) return fail(std::move(opened.error()));
        // A seal that opens and holds another credential is no seal of ours either.
        if (!open_content(key, seal, *opened)) return fail(KeyError::wrong_secret);
        return OpenedSeal{std::move(*opened), holder.holder};
    }
    return fail(KeyError::wrong_secret);
}

Result<Secret> open_credential_key(const IntegrationKey& key,
                                   const Seal& seal,
                                   const Secret& integration_key) {
    auto opened = crypto::open_secret(credential_wrap_key(integration_key), seal.credential_key,
                                      credential_key_place(key, seal.epoch));
    if (!opened || opened->size() != crypto::k_key_bytes) return fail(KeyError::cannot_open);
    return opened;
}

Result<Secret> open_content(const IntegrationKey& key,
                            const Seal& seal,
                            const Secret& integration_key) {
    POSTERN_TRY(const auto credential_key, open_credential_key(key, seal, integration_key));
    auto content =
        crypto::open_secret(credential_key, seal.credential, credential_place(key, seal.epoch));
    if (!content) return fail(KeyError::cannot_open);
    return content;
}

}  // namespace postern::vault
