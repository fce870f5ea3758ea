#pragma once

#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/database.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::identity {

struct LinkTag {
    static constexpr std::string_view k_prefix = "lnk_";
};
using LinkId = Id<LinkTag>;

struct ProviderRow {
    WorkspaceId workspace;
    ProviderId id;
    store::SealedBytes settings;
    store::SealedBytes client;  ///< for courier alone
    Role default_role = Role::reader;
    bool is_on = true;
};
struct LinkRow {
    WorkspaceId workspace;
    Bytes subject_token;  ///< MAC of issuer and subject
    LinkId id;
    PersonId person;
    ProviderId provider;  ///< through which it was made
};

/// What a browser was sent to a provider for.
enum class SignInPurpose : std::uint8_t { sign_in, link, proof };
/// As stored.
[[nodiscard]] std::string_view name_of(SignInPurpose purpose);

struct ProviderSignInRow {
    crypto::Hash state_hash{};
    ProviderId provider;
    SignInPurpose purpose = SignInPurpose::sign_in;
    std::optional<crypto::Hash> session;  ///< of who links, or proves
    UnixMs created_at_ms = 0;
};

inline constexpr std::int64_t k_providers_max = 20;  ///< of a workspace
/// Browsers that are away at one time; more are turned away.
inline constexpr std::int64_t k_provider_sign_ins_max = 20'000;

/// Rows of identity providers. Each function is part of the caller's transaction; its errors are
/// those of the store.
namespace rows {

Result<> insert_provider(store::Transaction& tx, const ProviderRow& row);
/// Ends the sessions that came of it where it is off. False where it is gone.
Result<bool> update_provider(store::Transaction& tx, const ProviderRow& row);
Result<std::optional<ProviderRow>> find_provider(store::Transaction& tx, ProviderId id);
/// Oldest first.
Result<std::vector<ProviderRow>> list_providers(store::Transaction& tx, WorkspaceId workspace);
/// With the sessions that came of it. The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_provider(store::Transaction& tx, WorkspaceId workspace, ProviderId id);

Result<> insert_link(store::Transaction& tx, const LinkRow& row);
Result<std::optional<LinkRow>> find_link(store::Transaction& tx,
                                         WorkspaceId workspace,
                                         const Bytes& subject_token);
/// Of somebody who no longer works in that workspace.
Result<> delete_links(store::Transaction& tx, WorkspaceId workspace, PersonId person);
/// Oldest first.
Result<std::vector<LinkRow>> list_links(store::Transaction& tx,
                                        WorkspaceId workspace,
                                        PersonId person);
/// The number of deleted rows: 0 or 1.
Result<std::int64_t> delete_link(store::Transaction& tx,
                                 WorkspaceId workspace,
                                 PersonId person,
                                 LinkId id);

/// The person's that came of its provider, but for the one that unlinks.
Result<> delete_link_sessions(store::Transaction& tx,
                              const LinkRow& link,
                              const crypto::Hash& kept);

/// Errors: those of the store, AsyncError::busy where too many are away.
Result<> insert_provider_sign_in(store::Transaction& tx, const ProviderSignInRow& row);
/// Found once: it is deleted.
Result<std::optional<ProviderSignInRow>> take_provider_sign_in(store::Transaction& tx,
                                                               const crypto::Hash& state_hash);
Result<> delete_old_provider_sign_ins(store::Transaction& tx, UnixMs before_ms);

}  // namespace rows
}  // namespace postern::identity
