#pragma once

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/provider_metadata.h"
#include "features/identity/provider_store.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace postern::identity {

inline constexpr std::size_t k_provider_domains_max = 50;

/// What is known of a provider but its secret. Sealed under the workspace's settings key.
struct ProviderSettings {
    static constexpr std::uint8_t k_version = 1;
    std::string name;
    std::string issuer;
    std::string client_id;
    std::vector<std::string> domains;  ///< whose people are made when they come; none: nobody's
    std::string ca_pem;                ///< its own authorities; empty: the system's
    std::string authorization_url;     ///< these as it said when it was looked at
    std::string token_url;
    std::string keys_url;
    bool says_issuer = false;
    bool has_secret = false;
    auto wire() {
        return std::tie(name, issuer, client_id, domains, ca_pem, authorization_url, token_url,
                        keys_url, says_issuer, has_secret);
    }
};

struct Provider {
    ProviderRow row;
    ProviderSettings settings;
};

/// The identity providers of workspaces: who they are and whom they bring. What a provider can do
/// is read from it when it is added, and when somebody asks to look again; a secret of its client
/// goes to keeper, which opens it for courier alone, and for the token address of that day.
///
/// Executor: front's thread. Lifetime: outlives every coroutine that it started.
class Providers {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        ipc::Link& courier;
        const Clock& clock;
        audit::AuditLog& audit;
        Identity& identity;
    };
    explicit Providers(Parts parts) : parts_(parts) {}

    using Manage = Authorized<Permission::manage_workspace>;

    struct Wish {
        std::string name;
        std::string issuer;
        std::string client_id;
        keys::SecretInput secret;  ///< empty: a public client
        std::vector<std::string> domains;
        std::string ca_pem;
        Role default_role = Role::reader;  ///< never owner
        bool is_on = true;
    };
    /// Errors: too_many_providers, unsuitable, those of fetch::FetchError, seal_key_changed.
    async::Task<Provider> add(Manage who, Wish wish);
    struct Change {
        std::optional<std::string> name;
        std::optional<keys::SecretInput> secret;
        std::optional<std::vector<std::string>> domains;
        std::optional<Role> default_role;
        std::optional<bool> is_on;
        bool look_again = false;  ///< a new secret does, too
    };
    /// One that is turned off ends the sessions that came of it. Errors: not_found, secret_needed,
    /// and, where it is looked at again, those of add().
    async::Task<Provider> change(Manage who, ProviderId id, Change change);
    /// With the sessions that came of it. Who is linked stays so for another one of that issuer.
    /// Errors: not_found.
    async::Task<> remove(Manage who, ProviderId id);
    async::Task<std::vector<Provider>> list(WorkspaceId workspace);
    /// Of any workspace, also one that is off. Errors: not_found.
    async::Task<Provider> find(ProviderId id);

private:
    async::Task<ProviderMetadata> look(std::string issuer, std::string ca_pem, bool has_secret);
    async::Task<store::SealedBytes> seal_settings(const ProviderRow* row,
                                                  ProviderSettings settings);
    async::Task<store::SealedBytes> seal_client(const ProviderRow* row,
                                                const ProviderSettings* settings,
                                                fetch::ClientAuth auth,
                                                keys::SecretInput secret);
    async::Task<Provider> open(ProviderRow row);
    /// What it says of itself now, with another secret or the one that there is.
    async::Task<> renew(Provider* provider, std::optional<keys::SecretInput> secret);

    Parts parts_;
};

}  // namespace postern::identity
