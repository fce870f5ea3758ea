#pragma once

#include "features/identity/actor.h"
#include "features/identity/client.h"
#include "features/identity/identity.h"
#include "features/identity/provider_keys.h"
#include "features/identity/provider_store.h"
#include "features/identity/providers.h"
#include "features/identity/throttle.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "foundation/codec/jose/id_token.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::identity {

/// How long a browser may be away at a provider.
inline constexpr std::int64_t k_away_s = 600;

/// A browser on its way to a provider.
struct SentAway {
    std::string url;
    Secret browser;  ///< what the browser keeps, and comes back with: good for k_away_s
};
/// What it came back with.
struct CameBack {
    std::string browser;
    std::string state;
    std::string code;
    std::string issuer;      ///< "iss" (RFC 9207); empty: it was not said
    bool has_error = false;  ///< the provider's own words are nobody's
    std::string redirect_uri;
    Client client;
};
struct SignedIn {
    SignInPurpose purpose = SignInPurpose::sign_in;
    NewSession session;  ///< of a sign-in
};

/// Sign-in with OpenID Connect: the code flow with PKCE, state and nonce (Core 1.0 section 3.1, RFC
/// 7636, RFC 9207, RFC 9700).
///
/// What binds it all is one random text that the browser keeps: verifier and nonce are derived from
/// it and the state, and a row is found under the hash of both, once. Nothing that is stored or
/// that stands in an address is enough to finish a sign-in.
///
/// Whom a subject is follows from a link alone, never from an address. People who come for the
/// first time are made where the provider has verified an address of a domain that is named for it;
/// they have no password, and are that workspace's alone.
///
/// Executor: front's thread. Lifetime: outlives every coroutine that it started.
class ProviderSignIn {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        ipc::Link& courier;
        const Clock& clock;
        audit::AuditLog& audit;
        Identity& identity;
        Providers& providers;
    };
    explicit ProviderSignIn(Parts parts) : parts_(parts), keys_(parts.courier, parts.clock) {}

    using Mine = Authorized<Permission::manage_own_factors>;
    using See = Authorized<Permission::see_own_sign_in>;

    /// For anybody. Errors: ProviderError::not_found, also for one that is off; AsyncError::busy.
    async::Task<SentAway> begin(ProviderId id, std::string redirect_uri);
    /// One's account there becomes a way in here. Errors: not_found, busy.
    async::Task<SentAway> begin_link(Mine who, ProviderId id, std::string redirect_uri);
    /// The provider confirms once more who this is, and asks for the sign-in there anew. Errors:
    /// not_by_provider, IdentityError::second_factor_needed where there is one, not_found, busy.
    async::Task<SentAway> begin_proof(See who, std::string redirect_uri);

    /// Errors: ProviderError from sign_in_unknown on; those of fetch::FetchError and of the store.
    async::Task<SignedIn> finish(CameBack back);

    struct Link {
        LinkRow row;
        std::string provider;  ///< its name; empty: it is gone
    };
    async::Task<std::vector<Link>> links(See who);
    /// Ends the other sessions that came of its provider. Errors: link_not_found, last_way_in.
    async::Task<> remove_link(Mine who, LinkId id);

private:
    async::Task<SignedIn> try_finish(CameBack back);
    /// A sign-in on its way back, as far as it is known.
    struct Arrival {
        ProviderSignInRow row;
        Provider provider;
        jose::IdToken token;
        Bytes subject;  ///< the link's key
    };

    async::Task<SentAway> send_away(Provider provider,
                                    SignInPurpose purpose,
                                    std::optional<crypto::Hash> session,
                                    std::string redirect_uri);
    async::Task<ProviderSignInRow> take(const CameBack* back);
    async::Task<jose::IdToken> exchange(const Arrival* arrival, const CameBack* back);
    async::Task<Bytes> subject_token(const Arrival* arrival);
    async::Task<SignedIn> arrive(Arrival* arrival, CameBack back);
    async::Task<PersonId> known_or_new(const Arrival* arrival, std::string from);
    async::Task<PersonId> make_person(const Arrival* arrival, std::string from);
    async::Task<NewSession> start_session(const Arrival* arrival, PersonId person, Client client);
    async::Task<> link(const Arrival* arrival, std::string from);
    async::Task<> prove(const Arrival* arrival, std::string from);
    async::Task<> note_refused(const Arrival* arrival, std::string reason, std::string from);

    Parts parts_;
    ProviderKeys keys_;
    PlaceBudget refused_{{.at_place = k_wrong_at_place_max, .stretch_s = k_wrong_stretch_s}};
};

}  // namespace postern::identity
