#pragma once

#include "features/identity/actor.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/recovery_codes.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::identity {

inline constexpr std::size_t k_factors_max = 20;
/// How long a new factor waits to be confirmed.
inline constexpr std::int64_t k_unconfirmed_s = 3600;
/// Longer texts are no code.
inline constexpr std::size_t k_code_bytes_max = 64;

struct Factor {
    FactorId id;
    FactorKind kind = FactorKind::totp;
    std::string name;
    UnixMs created_at_ms = 0;
    UnixMs used_at_ms = 0;
};
/// What an authenticator app takes in, shown once.
struct NewFactor {
    FactorId id;
    Secret key;  ///< base32, for typing
    Secret uri;  ///< otpauth://, for a QR code
};
struct Confirmed {
    Factor factor;
    std::vector<Secret> recovery_codes;  ///< shown once; of a person's first factor
};
struct Enrolment {
    std::vector<Factor> factors;
    std::int64_t recovery_codes_left = 0;
};

/// What people show beside their password: time codes of an app (TOTP), and ten codes that count
/// once each for the day on which the app is gone. Passkeys (passkeys.h) are listed and deleted
/// here, too.
///
/// Keys and names are sealed under the installation's settings key, recovery codes stored as
/// SHA-256 of 120 random bits. Executor: front's thread. Lifetime: outlives every coroutine that it
/// started.
class SecondFactors {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        audit::AuditLog& audit;
        Identity& identity;
    };
    explicit SecondFactors(Parts parts) : parts_(parts) {}

    using Mine = Authorized<Permission::manage_own_factors>;
    using See = Authorized<Permission::see_own_sign_in>;
    using Self = Authorized<Permission::see_self>;

    /// Without those that wait to be confirmed.
    async::Task<Enrolment> enrolment(See who);
    /// Counts for nothing until confirm(). Errors: invalid_name, too_many_factors.
    async::Task<NewFactor> begin(Mine who, std::string name);
    /// The app works: its first code says so. This session has shown it, every other one of this
    /// person will have to. Errors: factor_not_found, invalid_code,
    /// too_many_attempts.
    async::Task<Confirmed> confirm(Mine who, FactorId id, std::string code);
    /// With the last one go the recovery codes. Errors: factor_not_found,
    /// last_factor.
    async::Task<> remove(Mine who, FactorId id);
    /// In the place of all before. Errors: factor_not_found (where there is no
    /// factor).
    async::Task<std::vector<Secret>> new_recovery_codes(Mine who);

    /// A code of an app or a recovery code: the session is whole and fresh. It has another text
    /// from then on where it was not whole before. Errors: person_needed, invalid_code,
    /// too_many_attempts.
    async::Task<NewSession> show_code(Self who, std::string code);
    /// The same of somebody without a second factor. Errors: person_needed, invalid_credentials,
    /// second_factor_needed, too_many_attempts, AsyncError::busy.
    async::Task<NewSession> show_password(Self who, Secret password);

private:
    async::Task<> count(PersonId person);
    /// The body's change, and the record of it wherever the person works.
    template <store::Body F>
    async::Task<store::BodyValue<F>> record(Actor actor,
                                            PublicText action,
                                            std::vector<audit::Field> about,
                                            F body);
    /// What is recorded, and told to the person.
    struct Told {
        PublicText action;
        std::vector<audit::Field> about;
        std::string what;
    };
    template <store::Body F>
    async::Task<store::BodyValue<F>> record_and_tell(Actor actor, Told told, F body);
    async::Task<NewSession> take_time_code(Actor actor, std::string code);
    async::Task<NewSession> take_recovery_code(Actor actor, std::string code);

    Parts parts_;
};

}  // namespace postern::identity
