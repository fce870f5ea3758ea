#pragma once

#include "features/vault/keeper_core.h"

#include <memory>

namespace postern::vault {

/// Leases: opened by a secret, ended by a person or by themselves.
class LeaseService {
public:
    static constexpr std::size_t k_status_max = 1000;

    explicit LeaseService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::Lease> unlock(keys::Unlock asked);
    async::Task<ipc::Nothing> lock(keys::Lock asked);
    async::Task<keys::SealAll::Answer> seal_all(keys::SealAll asked);
    async::Task<ipc::Nothing> touch(keys::TouchLease asked);
    async::Task<keys::GetStatus::Answer> status(keys::GetStatus asked);

    /// Ends what is over: leases, with their uses, and the keys of expired grants.
    async::Task<> sweep();
    /// Sweeps whenever something is due, until cancelled.
    async::Job run();

private:
    async::Task<> end(std::vector<Leases::Ended> ended);

    std::shared_ptr<KeeperCore> core_;
    UnixMs next_housekeeping_ms_ = 0;
};

}  // namespace postern::vault
