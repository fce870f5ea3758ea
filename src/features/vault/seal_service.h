#pragma once

#include "features/vault/keeper_core.h"

#include <memory>

namespace postern::vault {

/// New epochs of a seal: prepared, tried, committed or abandoned; and the end of all of them.
class SealService {
public:
    explicit SealService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::PrepareSeal::Answer> prepare(keys::PrepareSeal asked);
    async::Task<keys::AddHolder::Answer> add_holder(keys::AddHolder asked);
    async::Task<keys::Lease> commit(keys::CommitSeal asked);
    async::Task<ipc::Nothing> abandon(keys::AbandonSeal asked);
    async::Task<keys::CutOff::Answer> cut_off(keys::CutOff asked);

private:
    /// What the new epoch is to hold: what was given, or what the present seal holds.
    async::Task<NewSeal> plan(keys::PrepareSeal asked, Secret shared_secret);
    /// Lifetime: `made` outlives the task.
    async::Task<> store_holder(IntegrationKey key, std::uint64_t epoch, const MadeHolder* made);
    async::Task<> store_pending(IntegrationKey key, std::uint64_t epoch, OpenShares shares);

    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
