#pragma once

#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/net/ip_address.h"
#include "platform/store/database.h"

#include <optional>
#include <string_view>
#include <vector>

namespace postern::identity {

/// An identity provider of a workspace.
struct ProviderTag {
    static constexpr std::string_view k_prefix = "idp_";
};
using ProviderId = Id<ProviderTag>;

struct SetupToken {
    crypto::Hash hash{};
    UnixMs expires_at_ms = 0;
};
struct WorkspaceRow {
    WorkspaceId id;
    store::SealedBytes name;
    bool is_demo = false;
    UnixMs created_at_ms = 0;
    UnixMs factors_from_ms = 0;        ///< since then a second factor is asked for; 0: it is not
    UnixMs access_reviewed_at_ms = 0;  ///< 0: never
};
struct PersonRow {
    PersonId id;
    Bytes address_token;
    store::SealedBytes address;
    store::SealedBytes password;  ///< of somebody who is managed: of nothing
    UnixMs created_at_ms = 0;
    UnixMs signed_in_at_ms = 0;             ///< last; 0: never
    std::optional<WorkspaceId> managed_in;  ///< made by a provider of that one; has no password
};
struct Membership {
    WorkspaceId workspace;
    PersonId person;
    Role role = Role::reader;
    UnixMs created_at_ms = 0;
    UnixMs since_ms = 0;  ///< in this role, suspended or not
    bool is_suspended = false;
};
/// Who can act as one.
[[nodiscard]] inline bool is_owner(const Membership& row) {
    return row.role == Role::owner && !row.is_suspended;
}
struct SessionRow {
    crypto::Hash token_hash{};
    PersonId person;
    UnixMs created_at_ms = 0;
    UnixMs expires_at_ms = 0;
    UnixMs password_at_ms = 0;  ///< last shown
    UnixMs factor_at_ms = 0;    ///< last shown; 0: never
    SessionId id;
    store::SealedBytes client;
    UnixMs seen_at_ms = 0;               ///< to the minute
    std::optional<ProviderId> provider;  ///< that it came of
    UnixMs provider_at_ms = 0;           ///< when that one last confirmed who it is
};
/// How long a session lasts in which nothing is asked for.
inline constexpr std::int64_t k_session_idle_s = 2 * 3600;
/// How far a clock may be set back before what comes from later is taken as over: it would else
/// last for so much longer.
inline constexpr std::int64_t k_clock_set_back_max_s = 600;
[[nodiscard]] inline bool is_of_later(UnixMs at_ms, UnixMs now_ms) {
    return at_ms > now_ms + k_clock_set_back_max_s * 1000;
}
[[nodiscard]] inline bool is_over(const SessionRow& row, UnixMs now_ms) {
    return row.expires_at_ms <= now_ms || row.seen_at_ms + k_session_idle_s * 1000 <= now_ms ||
           is_of_later(row.created_at_ms, now_ms) || is_of_later(row.seen_at_ms, now_ms);
}
struct TokenRow {
    crypto::Hash token_hash{};
    TokenId id;
    WorkspaceId workspace;  ///< the one it is bound to
    Role role = Role::reader;
    UnixMs created_at_ms = 0;
    std::optional<store::SealedBytes> name;
    Scopes scopes;
    std::vector<net::Cidr> networks;  ///< from where it is good; none: from everywhere
    UnixMs expires_at_ms = 0;         ///< 0: never
    UnixMs used_at_ms = 0;            ///< to the hour; 0: never
    std::optional<PersonId> made_by;  ///< nothing: the host, or the set-up
};
[[nodiscard]] inline bool has_expired(const TokenRow& row, UnixMs now_ms) {
    return row.expires_at_ms != 0 &&
           (row.expires_at_ms <= now_ms || is_of_later(row.created_at_ms, now_ms));
}
struct Attempts {
    std::int64_t failed = 0;
    UnixMs blocked_until_ms = 0;
};

/// How many memberships, workspaces or tokens one answer lists.
inline constexpr std::int64_t k_identity_rows_max = 10'000;
/// How many sessions a person has at one time: one more ends the oldest.
inline constexpr std::int64_t k_sessions_max = 100;

/// Rows of workspaces, people, sessions and tokens. Each function is part of the caller's
/// transaction; its errors are those of the store.
namespace rows {

Result<bool> is_set_up(store::Transaction& tx);
Result<> mark_set_up(store::Transaction& tx);
Result<std::optional<SetupToken>> load_setup_token(store::Transaction& tx);
/// Takes the place of an earlier one.
Result<> store_setup_token(store::Transaction& tx, const SetupToken& token);
Result<> delete_setup_token(store::Transaction& tx);

Result<> insert_workspace(store::Transaction& tx, const WorkspaceRow& row);
Result<std::optional<WorkspaceRow>> find_workspace(store::Transaction& tx, WorkspaceId id);
Result<std::vector<WorkspaceRow>> list_workspaces(store::Transaction& tx);
Result<> set_factors_from(store::Transaction& tx, WorkspaceId id, UnixMs from_ms);
/// Whether a workspace of this person asks for a second factor now.
Result<bool> must_have_factor(store::Transaction& tx, PersonId person, UnixMs now_ms);

Result<> insert_person(store::Transaction& tx, const PersonRow& row);
Result<std::optional<PersonRow>> find_person(store::Transaction& tx, const Bytes& address_token);
Result<std::optional<PersonRow>> find_person(store::Transaction& tx, PersonId id);
/// Only where it is still what it was. The number of changed rows: 0 or 1.
struct NewPassword {
    PersonId person;
    store::SealedBytes was;
    store::SealedBytes is;
};
Result<std::int64_t> replace_password(store::Transaction& tx, const NewPassword& change);
/// They began a session.
Result<> note_sign_in(store::Transaction& tx, PersonId person, UnixMs now_ms);
Result<> insert_membership(store::Transaction& tx, const Membership& row);
/// Those that are suspended, too.
Result<std::vector<Membership>> list_memberships(store::Transaction& tx, PersonId person);

Result<> insert_session(store::Transaction& tx, const SessionRow& row);
Result<std::optional<SessionRow>> find_session(store::Transaction& tx, const crypto::Hash& hash);
/// False where it is gone. Its times of proof and its end are those of `row` from now on.
Result<bool> update_session(store::Transaction& tx, const SessionRow& row);
Result<> note_session_seen(store::Transaction& tx, const crypto::Hash& hash, UnixMs now_ms);
/// The newest ones, newest first; also those that are over and not yet deleted.
Result<std::vector<SessionRow>> list_sessions(store::Transaction& tx, PersonId person);
Result<> delete_session(store::Transaction& tx, const crypto::Hash& hash);
/// The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_session(store::Transaction& tx, PersonId person, SessionId id);
Result<> delete_sessions(store::Transaction& tx, PersonId person);
/// Of everybody who works there, but for the one of that hash.
Result<> delete_peoples_sessions(store::Transaction& tx,
                                 WorkspaceId workspace,
                                 const crypto::Hash& kept);
/// Every session of the person's but this one.
Result<> delete_other_sessions(store::Transaction& tx, PersonId person, const crypto::Hash& kept);
/// The same session under another token. The number of changed rows: 0 or 1.
struct Rotation {
    crypto::Hash from{};
    crypto::Hash to{};
};
Result<std::int64_t> rotate_session(store::Transaction& tx, const Rotation& rotation);
/// The oldest ones, so that there is room for one more below k_sessions_max.
Result<> delete_surplus_sessions(store::Transaction& tx, PersonId person);
Result<> delete_expired_sessions(store::Transaction& tx, UnixMs now_ms);

Result<> insert_token(store::Transaction& tx, const TokenRow& row);
Result<std::optional<TokenRow>> find_token(store::Transaction& tx, const crypto::Hash& hash);
Result<> note_token_used(store::Transaction& tx, const crypto::Hash& hash, UnixMs now_ms);
Result<std::vector<TokenRow>> list_tokens(store::Transaction& tx, WorkspaceId workspace);
/// The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_token(store::Transaction& tx, WorkspaceId workspace, TokenId id);

Result<Attempts> load_attempts(store::Transaction& tx, const Bytes& address_token);
Result<> store_attempts(store::Transaction& tx,
                        const Bytes& address_token,
                        const Attempts& attempts);
Result<> delete_attempts(store::Transaction& tx, const Bytes& address_token);
Result<> delete_old_attempts(store::Transaction& tx, UnixMs before_ms);

}  // namespace rows
}  // namespace postern::identity
