#pragma once

#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/identity_store.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/password.h"
#include "platform/async/blocking_pool.h"
#include "platform/ipc/link.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::identity {

inline constexpr std::int64_t k_setup_token_s = 24 * 3600;
inline constexpr std::int64_t k_session_s = 12 * 3600;
inline constexpr std::size_t k_password_bytes_min = 12;
inline constexpr std::size_t k_password_bytes_max = 1000;
inline constexpr std::size_t k_workspace_name_bytes_max = 200;
/// Sign-ins that wait for Argon2id; more are answered `busy`.
inline constexpr std::size_t k_sign_ins_waiting_max = 16;

struct Workspace {
    WorkspaceId id;
    std::string name;
    bool is_demo = false;
};
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
    Secret text;
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
    /// Errors: setup_token_invalid, setup_done, invalid_email, weak_password,
    /// invalid_workspace_name.
    async::Task<NewToken> set_up(SetUp ask);

    struct TokenAsk {
        std::string workspace;
        Role role = Role::owner;
        bool is_demo = false;  ///< marks the workspace where it is made now
    };
    /// For the operator's command line: makes the workspace if there is none of that name.
    async::Task<NewToken> create_token(TokenAsk ask);
    async::Task<NewToken> create_token(WorkspaceId workspace, Role role);
    async::Task<std::vector<TokenRow>> tokens(WorkspaceId workspace);
    /// Errors: token_not_found.
    async::Task<> delete_token(WorkspaceId workspace, TokenId id);

    /// Errors: unauthenticated.
    async::Task<Actor> authenticate_token(std::string text);
    /// `workspace`: the one asked for, nothing: the person's only one.
    /// Errors: unauthenticated, no_workspace, workspace_needed.
    async::Task<Actor> authenticate_session(std::string text, std::optional<WorkspaceId> workspace);
    /// Whether token or session are still good for what they were. Errors: unauthenticated.
    async::Task<> check_again(Actor actor);

    /// One answer and the same work whoever does not exist and whatever is wrong.
    /// Errors: invalid_credentials, too_many_attempts (with retry_after), AsyncError::busy.
    async::Task<NewSession> sign_in(std::string email, Secret password);
    async::Task<> sign_out(Actor actor);

    async::Task<Me> me(Actor actor);

private:
    async::Task<> prepare_installation();
    async::Task<std::string> workspace_name(WorkspaceRow row);
    async::Task<std::optional<WorkspaceRow>> find_workspace(std::string name);
    /// Not stored yet.
    async::Task<WorkspaceRow> new_workspace(std::string name, bool is_demo);
    async::Task<PersonRow> new_person(std::string email, Secret password);
    async::Task<NewToken> store_token(WorkspaceId workspace,
                                      Role role,
                                      std::optional<WorkspaceRow> with_workspace);
    async::Task<Bytes> address_token(std::string email);
    async::Task<> count_attempt(Bytes address);
    async::Task<> take_back_attempt(Bytes address);
    async::Task<std::string> password_hash(std::optional<PersonRow> person, Bytes address);
    async::Task<NewSession> store_session(PersonId person, Bytes address);

    Parts parts_;
    /// Verified for somebody who does not exist.
    std::string dummy_hash_;
    bool is_prepared_ = false;
    bool is_making_workspace_ = false;
};

/// The fixed form of what libsodium makes, with salt and hash of zeros.
[[nodiscard]] std::string dummy_password_hash(crypto::Argon2Cost cost);

}  // namespace postern::identity
