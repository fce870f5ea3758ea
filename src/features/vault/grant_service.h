#pragma once

#include "features/vault/grants.h"
#include "features/vault/keeper_core.h"

#include <memory>

namespace postern::vault {

/// Grants, and the tickets by which courier gets a credential for one use.
class GrantService {
public:
    explicit GrantService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::GrantSeal> make(keys::MakeGrant asked);
    async::Task<ipc::Nothing> revoke(keys::RevokeGrant asked);
    async::Task<keys::MintTicket::Answer> mint(keys::MintTicket asked);
    async::Task<keys::Redeem::Answer> redeem(keys::Redeem asked);

private:
    /// The integration's key and the server share, by the secret or by the lease.
    async::Task<TriedSeal> open(IntegrationKey key,
                                std::shared_ptr<const keys::Seal> seal,
                                keys::SecretInput secret,
                                bool with_lease);
    /// Lifetime: what is pointed to outlives the task.
    async::Task<> store_key(IntegrationKey key,
                            const keys::GrantSeal* grant,
                            const Secret* grant_key);
    async::Task<> destroy_key(IntegrationKey key, GrantId grant);
    Result<TicketUse> by_seal(const IntegrationKey& key, const keys::MintTicket& asked) const;
    async::Task<TicketUse> by_grants(IntegrationKey key,
                                     keys::Verb verb,
                                     std::vector<keys::GrantSeal> grants);
    async::Task<TicketUse> by_grant(IntegrationKey key, keys::GrantSeal grant);

    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
