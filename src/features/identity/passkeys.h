#pragma once

#include "features/identity/actor.h"
#include "features/identity/client.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/passkey_primitives.h"
#include "features/identity/passkey_record.h"
#include "features/identity/passkey_store.h"
#include "features/identity/second_factors.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/net/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::identity {

inline constexpr std::size_t k_challenge_bytes = 32;
inline constexpr std::size_t k_user_handle_bytes = 32;
inline constexpr std::size_t k_transports_max = 8;
inline constexpr std::size_t k_transport_bytes_max = 32;
/// What one place may show that is not taken, one after the other, before it has to wait.
inline constexpr std::int64_t k_free_passkeys = 30;

/// Which site the passkeys are of.
struct RelyingParty {
    std::string id;                    ///< "postern.example"
    std::vector<std::string> origins;  ///< "https://postern.example"
};

/// What an authenticator is told of the keys that it may have.
struct KnownCredential {
    Bytes id;
    std::vector<std::string> transports;
};
struct CreationOptions {
    Bytes challenge;
    Bytes user_handle;
    std::string account;                 ///< the person's address
    std::vector<KnownCredential> known;  ///< of which no second one is to be made
};
struct RequestOptions {
    Bytes challenge;
    std::vector<KnownCredential> known;
};

/// As the browser answered; lengths are bounded by the judges.
struct NewPasskey {
    std::string name;
    Bytes client_data_json;
    Bytes attestation_object;
    std::vector<std::string> transports;
};
struct ShownPasskey {
    Bytes credential_id;
    Bytes client_data_json;
    Bytes authenticator_data;
    Bytes signature;
    std::optional<Bytes> user_handle;
};

/// Passkeys and security keys (Web Authentication Level 3): a second factor, a fresh proof, and a
/// sign-in without a password where the authenticator has verified its user.
///
/// A key is sealed with whose it is; its id is found by a hash. A challenge is good for one
/// purpose, in the session that asked where there is one, for five minutes, and once, whatever
/// comes of it. What is not taken is one error for whoever asks, and stands with its reason in the
/// audit record. Executor: front's thread. Lifetime: outlives every coroutine that it started.
class Passkeys {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        audit::AuditLog& audit;
        Identity& identity;
    };
    explicit Passkeys(Parts parts) : parts_(parts) {}

    using Mine = Authorized<Permission::manage_own_factors>;
    using Self = Authorized<Permission::see_self>;

    async::Task<CreationOptions> creation_options(Mine who);
    /// It counts at once, and this session has shown it; every other one of this person will have
    /// to show a factor. Errors: invalid_name, invalid_passkey, too_many_factors.
    async::Task<Confirmed> add(Mine who, NewPasskey made, RelyingParty party);

    /// Of the person's passkeys, for show(). Errors: person_needed, factor_not_found.
    async::Task<RequestOptions> request_options(Self who);
    /// The session is whole and fresh, and has another text where it was not whole before. Errors:
    /// person_needed, invalid_passkey, too_many_attempts.
    async::Task<NewSession> show(Self who, ShownPasskey shown, RelyingParty party);

    /// For sign_in(), of whoever asks. Errors: too_many_attempts.
    async::Task<Bytes> sign_in_challenge(net::IpAddress from);
    struct SignIn {
        ShownPasskey shown;
        RelyingParty party;
        Client client;
        net::IpAddress from;
    };
    /// A whole session at once: the authenticator has verified who uses it, and is what they have.
    /// Errors: invalid_passkey, too_many_attempts.
    async::Task<NewSession> sign_in(SignIn ask);

private:
    /// What a shown passkey has to fit.
    struct Ask {
        ChallengePurpose purpose = ChallengePurpose::sign_in;
        std::optional<crypto::Hash> session;
        std::optional<PersonId> person;  ///< nothing: the user handle names them
    };
    struct Judgement {
        std::string refused;              ///< why, for the record; empty: it is good
        std::optional<FactorRow> factor;  ///< the one it claims to be, where there is one
        std::uint32_t sign_count = 0;
    };
    async::Task<Bytes> new_challenge(ChallengePurpose purpose, crypto::Hash asker);
    /// What the client data answers, taken; nothing: it is none of ours, or not for this.
    async::Task<std::optional<Bytes>> take_challenge(ChallengePurpose purpose,
                                                     std::optional<crypto::Hash> session,
                                                     Bytes client_data_json);
    async::Task<std::vector<KnownCredential>> known_credentials(PersonId person);
    async::Task<FactorRow> sealed_row(Mine who, NewPasskey made, RelyingParty party);
    struct Stored {
        FactorRow row;
        bool is_first = false;
    };
    async::Task<Stored> store_new(Mine who,
                                  NewPasskey made,
                                  RelyingParty party,
                                  std::vector<crypto::Hash> recovery_codes);
    async::Task<Judgement> judge(Ask ask, ShownPasskey shown, RelyingParty party);
    async::Task<PasskeyRecord> open_record(FactorRow row);
    async::Task<> count(Bytes place);
    async::Task<NewSession> prove(Actor actor, Judgement good, Bytes place);
    async::Task<NewSession> begin(Judgement good, Client client, Bytes place);
    async::Task<> note_refused(audit::Act act, PersonId person, std::string reason);
    /// A place on the network, under a key that is forgotten when the process ends.
    [[nodiscard]] crypto::Hash place_of(const net::IpAddress& from) const;

    Parts parts_;
    PasskeyPrimitives primitives_;
    Secret place_key_ = crypto::random_key();
};

}  // namespace postern::identity
