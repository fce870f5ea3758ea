#pragma once

#include "features/vault/keeper_core.h"
#include "features/vault/message_keys.h"
#include "platform/keys/message_keys.h"

#include <memory>
#include <set>
#include <vector>

namespace postern::vault {

/// Keys of stored objects, small records and MACs. Every call is bounded; what is
/// opened is counted.
class MessageKeyService {
public:
    static constexpr std::size_t k_requests_max = 1000;
    static constexpr std::size_t k_openings_max = 5000;
    static constexpr std::size_t k_record_bytes_max = 3 << 20;  // of all records of a call

    explicit MessageKeyService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<ipc::Nothing> create_workspace(keys::CreateWorkspace asked);
    async::Task<ipc::Nothing> create_subjects(keys::CreateSubjects asked);
    /// Erases them: what only their keys open is gone, in memory and in every file of the keyring.
    async::Task<ipc::Nothing> destroy_subjects(WorkspaceId workspace,
                                               std::vector<CreatorId> creators);
    async::Task<keys::SealKeys::Answer> seal_keys(keys::SealKeys asked);
    async::Task<keys::OpenKeys::Answer> open_keys(keys::OpenKeys asked);
    async::Task<keys::Records> seal_records(keys::SealRecords asked);
    async::Task<keys::Records> open_records(keys::OpenRecords asked);
    async::Task<keys::ComputeMacs::Answer> compute_macs(keys::ComputeMacs asked);
    async::Task<keys::Identify::Answer> identify(keys::Identify asked);

private:
    /// From the cache, and what is missing there from the store; those without a key are left out.
    async::Task<SubjectKeys> subjects(WorkspaceId workspace, std::set<CreatorId> wanted);

    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
