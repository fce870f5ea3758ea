#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::identity {

/// How long an authenticator has to sign a challenge.
inline constexpr std::int64_t k_challenge_s = 300;
/// Of one session, of one place that is not signed in, and of all such places. A session's oldest
/// one goes for a new one; a place with that many waits; of all of them the oldest goes.
inline constexpr std::int64_t k_session_challenges_max = 10;
inline constexpr std::int64_t k_place_challenges_max = 100;
inline constexpr std::int64_t k_open_challenges_max = 10'000;

/// What a signature over a challenge is good for.
enum class ChallengePurpose : std::uint8_t {
    add,      ///< another passkey of who asked
    show,     ///< in the session that asked
    sign_in,  ///< of whoever signs it
};
/// As stored.
[[nodiscard]] std::string_view name_of(ChallengePurpose purpose);

struct ChallengeRow {
    crypto::Hash hash{};  ///< of 32 random bytes, which are not kept
    ChallengePurpose purpose = ChallengePurpose::sign_in;
    crypto::Hash asker{};  ///< the session's hash, or a keyed hash of the place it was asked from
    UnixMs expires_at_ms = 0;
};

/// Rows of challenges and of what authenticators know people by. Each function is part of the
/// caller's transaction; its errors are those of the store.
namespace rows {

/// Keeps to the limits above. Errors: too_many_attempts (with retry_after), for a place only.
Result<> insert_challenge(store::Transaction& tx, const ChallengeRow& row, UnixMs now_ms);
/// Nothing where there is none such, or its time is over. It is gone in any case.
Result<std::optional<ChallengeRow>> take_challenge(store::Transaction& tx,
                                                   const crypto::Hash& hash,
                                                   UnixMs now_ms);

/// Nothing where the person never asked for a passkey.
Result<std::optional<Bytes>> find_user_handle(store::Transaction& tx, PersonId person);
/// The one that is there, or this one from now on.
Result<Bytes> keep_user_handle(store::Transaction& tx, PersonId person, const Bytes& fresh);

}  // namespace rows
}  // namespace postern::identity
