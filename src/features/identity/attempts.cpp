#include "features/identity/attempts.h"

#include "features/identity/identity_error.h"
#include "features/identity/identity_store.h"
#include "features/identity/throttle.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <utility>

namespace postern::identity {

Bytes attempts_key(PersonId person) {
    auto text = to_bytes("second factor of ");
    text.insert(text.end(), person.bytes().begin(), person.bytes().end());
    return to_bytes(crypto::sha256(text));
}

Result<std::int64_t> count_attempt(store::Transaction& tx, const Bytes& key, UnixMs now_ms) {
    POSTERN_TRY(auto attempts, rows::load_attempts(tx, key));
    const auto left_ms = attempts.blocked_until_ms - now_ms;
    if (attempts.failed >= k_free_attempts && left_ms > 0) {
        return fail(
            Error(IdentityError::too_many_attempts).with_retry_after((left_ms + 999) / 1000));
    }
    ++attempts.failed;
    const auto pause_s = pause_after_attempt_s(attempts.failed);
    attempts.blocked_until_ms = now_ms + pause_s * 1000;
    auto pruned = rows::delete_old_attempts(tx, now_ms - k_attempts_kept_s * 1000);
    if (!pruned) return fail(std::move(pruned.error()));
    auto stored = rows::store_attempts(tx, key, attempts);
    if (!stored) return fail(std::move(stored.error()));
    return pause_s;
}

Result<> take_back_attempt(store::Transaction& tx, const Bytes& key, UnixMs now_ms) {
    POSTERN_TRY(auto attempts, rows::load_attempts(tx, key));
    if (attempts.failed == 0) return {};
    --attempts.failed;
    attempts.blocked_until_ms = now_ms + pause_after_attempt_s(attempts.failed) * 1000;
    return rows::store_attempts(tx, key, attempts);
}

}  // namespace postern::identity
