#include "features/identity/identity_error.h"
#include "features/identity/passkey_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace postern::identity {

std::string_view name_of(ChallengePurpose purpose) {
    switch (purpose) {
        case ChallengePurpose::add: return "add";
        case ChallengePurpose::show: return "show";
        case ChallengePurpose::sign_in: return "sign_in";
    }
    return "sign_in";
}

namespace rows {

using store::Clear;
using store::done;
using store::SqlText;
using store::StoreError;
using store::Transaction;

namespace {

constexpr SqlText k_insert_challenge =
    "INSERT INTO passkey_challenges (workspace_id, challenge_hash, purpose, asker, expires_at_ms) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr SqlText k_find_challenge =
    "SELECT purpose, asker, expires_at_ms FROM passkey_challenges WHERE workspace_id = $1 AND "
    "challenge_hash = $2";
constexpr SqlText k_delete_challenge =
    "DELETE FROM passkey_challenges WHERE workspace_id = $1 AND challenge_hash = $2";
/// Those of a clock that was set back are over, too.
constexpr SqlText k_delete_expired =
    "DELETE FROM passkey_challenges WHERE workspace_id = $1 AND (expires_at_ms <= $2 OR "
    "expires_at_ms > $3)";
constexpr SqlText k_of_asker =
    "SELECT COUNT(*), MIN(expires_at_ms) FROM passkey_challenges WHERE workspace_id = $1 AND "
    "asker = $2";
constexpr SqlText k_of_purpose =
    "SELECT COUNT(*) FROM passkey_challenges WHERE workspace_id = $1 AND purpose = $2";
constexpr SqlText k_delete_oldest_of_asker =
    "DELETE FROM passkey_challenges WHERE workspace_id = $1 AND challenge_hash IN (SELECT "
    "challenge_hash FROM passkey_challenges WHERE workspace_id = $1 AND asker = $2 ORDER BY "
    "expires_at_ms LIMIT 1)";
constexpr SqlText k_delete_oldest_of_purpose =
    "DELETE FROM passkey_challenges WHERE workspace_id = $1 AND challenge_hash IN (SELECT "
    "challenge_hash FROM passkey_challenges WHERE workspace_id = $1 AND purpose = $2 ORDER BY "
    "expires_at_ms LIMIT 1)";
constexpr SqlText k_find_handle =
    "SELECT user_handle FROM people WHERE workspace_id = $1 AND person_id = $2";
constexpr SqlText k_keep_handle =
    "UPDATE people SET user_handle = $3 WHERE workspace_id = $1 AND person_id = $2 AND "
    "user_handle IS NULL";

constexpr std::int64_t k_challenge_ms = k_challenge_s * 1000;

struct Waiting {
    std::int64_t count = 0;
    UnixMs first_ends_at_ms = 0;
};

Result<Waiting> waiting_of(Transaction& tx, const crypto::Hash& asker) {
    POSTERN_TRY(const auto row, tx.query_one(k_of_asker, {k_installation, Clear::bytes(asker)}));
    if (!row) return Waiting{};
    return Waiting{row->integer(0), row->maybe_integer(1).value_or(0)};
}

/// Of a place that is not signed in.
Result<> make_open_room(Transaction& tx, const crypto::Hash& asker, UnixMs now_ms) {
    POSTERN_TRY(const auto mine, waiting_of(tx, asker));
    if (mine.count >= k_place_challenges_max) {
        const auto left_ms = mine.first_ends_at_ms - now_ms;
        return fail(
            Error(IdentityError::too_many_attempts).with_retry_after((left_ms + 999) / 1000));
    }
    const auto purpose = Clear::text(name_of(ChallengePurpose::sign_in));
    POSTERN_TRY(const auto all, tx.query_one(k_of_purpose, {k_installation, purpose}));
    if (!all || all->integer(0) < k_open_challenges_max) return {};
    return done(tx.execute(k_delete_oldest_of_purpose, {k_installation, purpose}));
}

Result<> make_session_room(Transaction& tx, const crypto::Hash& asker) {
    POSTERN_TRY(const auto mine, waiting_of(tx, asker));
    if (mine.count < k_session_challenges_max) return {};
    return done(tx.execute(k_delete_oldest_of_asker, {k_installation, Clear::bytes(asker)}));
}

std::optional<ChallengePurpose> parse_purpose(std::string_view name) {
    for (const auto purpose :
         {ChallengePurpose::add, ChallengePurpose::show, ChallengePurpose::sign_in}) {
        if (name_of(purpose) == name) return purpose;
    }
    return std::nullopt;
}

}  // namespace

Result<> insert_challenge(Transaction& tx, const ChallengeRow& row, UnixMs now_ms) {
    auto made =
        done(tx.execute(k_delete_expired, {k_installation, now_ms, now_ms + k_challenge_ms}));
    if (!made) return made;
    made = row.purpose == ChallengePurpose::sign_in ? make_open_room(tx, row.asker, now_ms)
                                                    : make_session_room(tx, row.asker);
    if (!made) return made;
    return done(tx.execute(k_insert_challenge, {k_installation, Clear::bytes(row.hash),
                                                Clear::text(name_of(row.purpose)),
                                                Clear::bytes(row.asker), row.expires_at_ms}));
}

Result<std::optional<ChallengeRow>> take_challenge(Transaction& tx,
                                                   const crypto::Hash& hash,
                                                   UnixMs now_ms) {
    POSTERN_TRY(const auto row,
                tx.query_one(k_find_challenge, {k_installation, Clear::bytes(hash)}));
    if (!row) return std::optional<ChallengeRow>{};
    auto gone = done(tx.execute(k_delete_challenge, {k_installation, Clear::bytes(hash)}));
    if (!gone) return fail(std::move(gone.error()));
    const auto purpose = parse_purpose(row->clear_text(0));
    const auto asker = row->clear_bytes(1);
    ChallengeRow out;
    if (!purpose || asker.size() != out.asker.size())
        return fail(StoreError::corrupt, "a challenge");
    out.hash = hash;
    out.purpose = *purpose;
    std::ranges::copy(asker, out.asker.begin());
    out.expires_at_ms = row->integer(2);
    const auto left_ms = out.expires_at_ms - now_ms;
    if (left_ms <= 0 || left_ms > k_challenge_ms) return std::optional<ChallengeRow>{};
    return std::optional<ChallengeRow>(out);
}

Result<std::optional<Bytes>> find_user_handle(Transaction& tx, PersonId person) {
    POSTERN_TRY(const auto row, tx.query_one(k_find_handle, {k_installation, person}));
    if (!row) return std::optional<Bytes>{};
    return row->maybe_clear_bytes(0);
}

Result<Bytes> keep_user_handle(Transaction& tx, PersonId person, const Bytes& fresh) {
    auto kept = done(tx.execute(k_keep_handle, {k_installation, person, Clear::bytes(fresh)}));
    if (!kept) return fail(std::move(kept.error()));
    POSTERN_TRY(auto handle, find_user_handle(tx, person));
    if (!handle) return fail(IdentityError::unauthenticated);
    return *handle;
}

}  // namespace rows
}  // namespace postern::identity
