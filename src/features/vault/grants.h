#pragma once

#include "features/vault/places.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/seals.h"

namespace postern::vault {

inline constexpr keys::Verbs k_all_verbs = 15;
inline constexpr std::uint32_t k_hourly_ceiling_default = 1000;
inline constexpr UnixMs k_grant_ms_max = std::int64_t{366} * 24 * 3600 * 1000;
inline constexpr std::size_t k_grants_per_call_max = 100;

[[nodiscard]] bool allows(keys::Verbs verbs, keys::Verb verb) noexcept;
/// Exactly one verb that there is.
[[nodiscard]] bool is_verb(keys::Verb verb) noexcept;

/// Fills in `credential`: the content under the grant key and the server share of its epoch. The
/// other fields are what it is bound to.
void seal_grant(const IntegrationKey& key,
                keys::GrantSeal& grant,
                const Secret& grant_key,
                const Secret& server_share,
                const Secret& content);
/// The key that opens `credential` at grant_place().
[[nodiscard]] Secret grant_wrap_key(const Secret& grant_key, const Secret& server_share);
/// Errors: cannot_open, when any field is not the one it was made with.
[[nodiscard]] Result<Secret> open_grant(const IntegrationKey& key,
                                        const keys::GrantSeal& grant,
                                        const Secret& grant_key,
                                        const Secret& server_share);

}  // namespace postern::vault
