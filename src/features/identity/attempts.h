#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/store/transaction.h"

#include <cstdint>

namespace postern::identity {

/// Whose codes are guessed at: counted apart from the passwords of an address.
[[nodiscard]] Bytes attempts_key(PersonId person);

/// Counted before anything is looked at, so that many tries at once are not one try. For how many
/// seconds nothing is tried should this one fail. Errors: too_many_attempts (with retry_after).
Result<std::int64_t> count_attempt(store::Transaction& tx, const Bytes& key, UnixMs now_ms);
/// It was not looked at: no try of anybody's.
Result<> take_back_attempt(store::Transaction& tx, const Bytes& key, UnixMs now_ms);

}  // namespace postern::identity
