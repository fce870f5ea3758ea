#pragma once

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/client.h"
#include "features/identity/identity_store.h"
#include "features/identity/known_clients.h"
#include "features/identity/password_rules.h"
#include "features/identity/place_budget.h"
#include "features/identity/throttle.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/password.h"
#include "platform/async/blocking_pool.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"
#include "platform/net/ip_address.h"
#include "platform/own_mail/own_mail.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::identity {

inline constexpr std::int64_t k_setup_token_s = 24 * 3600;
inline constexpr std::int64_t k_session_s = 12 * 3600;
/// Of a session that still waits for a second factor.
inline constexpr std::int64_t k_half_session_s = 600;
/// Sign-ins that wait for Argon2id; more are answered `busy`.
inline constexpr std::size_t k_sign_ins_waiting_max = 16;

struct Workspace {
    WorkspaceId id;
    std::string name;
    bool is_demo = false;
    UnixMs factors_from_ms = 0;        ///< since then a second factor is asked for; 0: it is not
    UnixMs access_reviewed_at_ms = 0;  ///< 0: never
};
/// Of somebody with several workspaces who names none.
enum class Unnamed : std::uint8_t { refused, oldest };
/// What is shown once.
struct NewToken {
    TokenId id;
    WorkspaceId workspace;
    Role role = Role::reader;
    Secret text;
};
struct NewSession {
    PersonId person;
    UnixMs expires_at_ms = 0;
    bool needs_factor = false;  ///< nothing is open to it before one is shown
    Secret text;
};
/// As its person sees it.
struct Session {
    SessionId id;
    UnixMs created_at_ms = 0;
    UnixMs seen_at_ms = 0;  ///< to the minute
    UnixMs expires_at_ms = 0;
    Client client;
    bool is_current = false;
};
struct Me {
    Workspace workspace;
    std::string email;  ///< of a person, else empty
};

/// Who may do what: workspaces, people, sessions and API tokens.
///
/// Names and addresses are sealed under their workspace's settings key; an address is found by its
/// keyed MAC; tokens are stored as SHA-256. Executor: front's thread. Lifetime: outlives every
/// coroutine it started.
class Identity {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        audit::AuditLog& audit;
        own_mail::OwnMail& mail;
        async::BlockingPool& passwords;  ///< for Argon2id; its queue bounds who waits
        crypto::Argon2Cost cost = {};    ///< 64 MiB, 3 passes; less in tests
    };
    explicit Identity(Parts parts);

    /// A one-time secret for the set-up link; the one before no longer counts. Errors: setup_done.
    async::Task<Secret> create_setup_token();
    /// Whether this text would be taken now. Errors: setup_token_invalid, setup_done.
    async::Task<> check_setup_token(std::string text);
    struct SetUp {
        std::string token;
        std::string workspace;
        std::string email;
        Secret password;
    };
    /// Makes the first owner and an API token; a workspace of that name is used if there is one.
    /// Errors: setup_token_invalid, setup_done, invalid_email, invalid_workspace_name, and those
    /// of check_new_password.
    async::Task<NewToken> set_up(SetUp ask);

    struct TokenAsk {
        std::string workspace;
        Role role = Role::owner;
        bool is_demo = false;  ///< marks the workspace where it is made now
    };
    /// For the operator's command line: makes the workspace if there is none of that name.
    async::Task<NewToken> create_token(TokenAsk ask);
    /// Of a role alone, for the moment of a trial: it opens nothing, and no record tells of it.
    async::Task<NewToken> create_token(WorkspaceId workspace, Role role);
    struct TokenWish {
        std::string name;  ///< may be empty
        Role role = Role::reader;
        Scopes scopes;
        std::vector<net::Cidr> networks;
        std::int64_t lasts_s = 0;  ///< 0: until it is deleted
    };
    struct Token {
        TokenRow row;
        std::string name;
        Secret text;  ///< of one that was made now, else empty
    };
    /// Errors: beyond_own_rights, invalid_name.
    async::Task<Token> create_token(Authorized<Permission::manage_tokens> who, TokenWish wish);
    async::Task<std::vector<Token>> tokens(WorkspaceId workspace);
    /// `by`: nothing for one of a trial. Errors: token_not_found.
    async::Task<> delete_token(WorkspaceId workspace,
                               TokenId id,
                               std::optional<audit::By> by = audit::by_host());

    /// `from`: who asks, for a token that is good in some networks only. Errors: unauthenticated.
    async::Task<Actor> authenticate_token(std::string text, net::IpAddress from = {});
    /// `workspace`: the one asked for, nothing: the person's only one.
    /// Errors: unauthenticated, no_workspace, workspace_needed.
    async::Task<Actor> authenticate_session(std::string text,
                                            std::optional<WorkspaceId> workspace,
                                            Unnamed unnamed = Unnamed::refused);
    /// Whether token or session are still good for what they were. Errors: unauthenticated.
    async::Task<> check_again(Actor actor);

    /// One answer and the same work whoever does not exist and whatever is wrong.
    /// Errors: invalid_credentials, too_many_attempts (with retry_after), AsyncError::busy.
    async::Task<NewSession> sign_in(std::string email, Secret password, Client client);
    async::Task<> sign_out(Actor actor);
    /// Of somebody who is signed in, within the budget of their codes. Errors: invalid_credentials,
    /// too_many_attempts, AsyncError::busy.
    async::Task<> check_password(PersonId person, Secret password);

    struct PasswordChange {
        Secret current;
        Secret next;
    };
    /// One's own. Ends every other session of the person; this one goes on, under the text that is
    /// answered, and for no longer than before. Wrong current passwords count as sign-ins do.
    /// Errors: invalid_credentials, too_many_attempts, AsyncError::busy, unauthenticated, and those
    /// of check_new_password.
    async::Task<NewSession> change_password(Authorized<Permission::change_own_password> asks,
                                            PasswordChange change);

    /// How often sessions or tokens have ended before their time: another number says that
    /// check_again() is worth asking.
    [[nodiscard]] std::uint64_t endings() const { return endings_; }
    /// Somebody may do less than before: who streams looks again.
    void note_ending() { ++endings_; }
    /// How many passwords Argon2id was computed for at sign-ins, whether anybody has them.
    [[nodiscard]] std::uint64_t passwords_compared() const { return passwords_compared_; }

    /// One's own that are good, newest first.
    async::Task<std::vector<Session>> sessions(Authorized<Permission::see_own_sign_in> who);
    /// Errors: session_not_found.
    async::Task<> end_session(Authorized<Permission::see_own_sign_in> who, SessionId id);
    /// All but this one.
    async::Task<> end_other_sessions(Authorized<Permission::see_own_sign_in> who);

    async::Task<Me> me(Actor actor);
    /// Errors: no_workspace.
    async::Task<Workspace> workspace(WorkspaceId id);
    /// From then on nobody works in it without a second factor; 0: that is their own choice.
    async::Task<> demand_factors(WorkspaceId id, UnixMs from_ms, audit::By by);
    /// In whose records a person's own acts stand.
    async::Task<std::vector<WorkspaceId>> workspaces_of(PersonId person);
    /// Keeper has keys for what belongs to no workspace. Done once; afterwards it costs nothing.
    async::Task<> prepare_installation();

    // For those that make people and workspaces. Nothing is stored.

    /// By what a person is found.
    async::Task<Bytes> address_token(std::string email);
    async::Task<std::string> open_address(PersonRow person);
    async::Task<PersonRow> new_person(std::string email, Secret password);
    /// As it is stored. Errors: AsyncError::busy.
    async::Task<store::SealedBytes> new_password(PersonId person, Secret password);
    /// What they are to be told of a sign-in from there.
    async::Task<ClientNews> news_of_client(PersonId person, Client client);
    /// That their second factors changed: "a passkey was added". Nothing where no mail is sent.
    async::Task<own_mail::Enclosed> enclose_notice(PersonId person, std::string what);
    /// Whether they work anywhere now.
    async::Task<bool> works_somewhere(PersonId person);
    async::Task<WorkspaceRow> new_workspace(std::string name, bool is_demo);
    async::Task<Workspace> open_workspace(WorkspaceRow row);

    async::Task<std::optional<WorkspaceId>> workspace_named(std::string name);

private:
    async::Task<std::string> workspace_name(WorkspaceRow row);
    async::Task<std::optional<WorkspaceRow>> find_workspace(std::string name);
    async::Task<NewToken> store_token(TokenRow row,
                                      std::optional<WorkspaceRow> with_workspace,
                                      std::optional<audit::By> by);
    async::Task<NewSession> try_sign_in(std::string email, Secret password, Client client);
    async::Task<> note_refused_sign_in(PersonId person, std::string from, std::int64_t pause_s);
    /// Errors: too_many_attempts.
    async::Task<std::int64_t> count(Bytes key);
    async::Task<> take_back(Bytes key);
    async::Task<std::string> password_hash(std::optional<PersonRow> person, Bytes address);
    /// Whose password was right, and how it is stored.
    struct Verified {
        PersonId person;
        store::SealedBytes password;
        std::optional<store::SealedBytes> raised;  ///< at today's cost; nothing: it costs enough
    };
    /// `key`: of the budget that the attempt was counted in.
    async::Task<Verified> verify_password(std::optional<PersonRow> person,
                                          Secret password,
                                          Bytes key);
    async::Task<std::string> hash_password(Secret password);
    async::Task<store::SealedBytes> seal_hash(PersonId person, std::string hash);
    [[nodiscard]] static Result<> keep_verified(store::Transaction& tx, const Verified& verified);
    async::Task<NewSession> store_session(Verified verified, Bytes address, Client client);

    Parts parts_;
    /// Verified for somebody who does not exist.
    std::string dummy_hash_;
    bool is_prepared_ = false;
    bool is_making_workspace_ = false;
    PlaceBudget wrong_passwords_{
        {.at_place = k_wrong_at_place_max, .stretch_s = k_wrong_stretch_s}};
    std::uint64_t endings_ = 0;
    std::uint64_t passwords_compared_ = 0;
};

/// The fixed form of what libsodium makes, with salt and hash of zeros.
[[nodiscard]] std::string dummy_password_hash(crypto::Argon2Cost cost);

}  // namespace postern::identity
