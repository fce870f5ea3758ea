#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/database.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::identity {

struct FactorTag {
    static constexpr std::string_view k_prefix = "fac_";
};
using FactorId = Id<FactorTag>;

enum class FactorKind : std::uint8_t { totp, passkey };
/// As stored, and as the API says it.
[[nodiscard]] std::string_view name_of(FactorKind kind);

struct FactorRow {
    FactorId id;
    PersonId person;
    FactorKind kind = FactorKind::totp;
    store::SealedBytes name;
    store::SealedBytes secret;   ///< an app's key, or a PasskeyRecord
    std::int64_t last_step = 0;  ///< of a time code: it and those before it no longer count
    UnixMs created_at_ms = 0;
    UnixMs confirmed_at_ms = 0;  ///< 0: nobody showed a code of it yet, and it does not count
    UnixMs used_at_ms = 0;       ///< 0: never
    std::optional<crypto::Hash> credential_hash;  ///< SHA-256 of a passkey's id
    std::uint32_t sign_count = 0;                 ///< a passkey's counter; 0: it has none
};

/// Rows of second factors and recovery codes. Each function is part of the caller's transaction;
/// its errors are those of the store.
namespace rows {

Result<> insert_factor(store::Transaction& tx, const FactorRow& row);
/// Those that wait to be confirmed, too; oldest first.
Result<std::vector<FactorRow>> list_factors(store::Transaction& tx, PersonId person);
Result<std::optional<FactorRow>> find_factor(store::Transaction& tx, PersonId person, FactorId id);
/// Of whomever: a credential's id is there once in the installation.
Result<std::optional<FactorRow>> find_credential(store::Transaction& tx, const crypto::Hash& hash);
/// Whether one counts.
Result<bool> has_factor(store::Transaction& tx, PersonId person);
/// False where this step, or a later one, was taken already; confirms a factor that was not.
Result<bool> take_step(store::Transaction& tx, FactorId id, std::int64_t step, UnixMs now_ms);
/// False where the passkey is gone, or its counter has not grown and is one.
Result<bool> take_count(store::Transaction& tx, FactorId id, std::uint32_t count, UnixMs now_ms);
/// The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_factor(store::Transaction& tx, PersonId person, FactorId id);
/// All of them.
Result<> delete_factors(store::Transaction& tx, PersonId person);
Result<> delete_unconfirmed_factors(store::Transaction& tx, PersonId person, UnixMs before_ms);

/// In the place of those before.
Result<> replace_recovery_codes(store::Transaction& tx,
                                PersonId person,
                                const std::vector<crypto::Hash>& codes);
Result<std::int64_t> count_recovery_codes(store::Transaction& tx, PersonId person);
/// False where there is none such.
Result<bool> take_recovery_code(store::Transaction& tx, PersonId person, const crypto::Hash& code);

}  // namespace rows
}  // namespace postern::identity
