#pragma once

#include "features/vault/keeper_core.h"
#include "platform/keys/operator.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace postern::vault {

/// New keys in the place of the present ones, while everything goes on: wraps are moved in small
/// batches, those under the key before stay readable until the last is moved, then that key is
/// destroyed. What was begun is in the store: run() goes on with it after a crash.
class RotationService {
public:
    static constexpr std::size_t k_batch = 32;

    explicit RotationService(std::shared_ptr<KeeperCore> core);

    async::Task<ipc::Nothing> begin(keys::BeginRotation asked);
    async::Task<keys::GetRotation::Answer> status(keys::GetRotation asked);
    /// For front, which may know whether anything is left under an ended key, and nothing else.
    async::Task<keys::CountWraps::Answer> count_wraps(keys::CountWraps asked);
    /// A new root key, on disk before anything is under it.
    async::Task<keys::PrepareRootKey::Answer> prepare_root_key(keys::PrepareRootKey asked);
    async::Task<ipc::Nothing> commit_root_key(keys::CommitRootKey asked);

    /// Works off what is under way, and what begin() adds, until cancelled.
    async::Job run();
    /// Works off what is under way.
    async::Task<> work();

private:
    struct Prepared {
        Secret root_key;
        std::string fingerprint;
    };
    async::Task<> finish_root_key(RootKeyChange change);
    /// Moves and finishes all that is under way at the moment.
    async::Task<> move_all();
    async::Task<bool> is_left();
    async::Task<> move_workspace_keys(std::uint32_t older);
    async::Task<> move_wraps(WorkspaceId workspace);
    /// The number of wraps that were moved.
    async::Task<std::size_t> move_batch(WorkspaceId workspace, std::uint32_t before);

    std::shared_ptr<KeeperCore> core_;
    async::Signal begun_;
    bool running_ = false;
    std::uint64_t moved_ = 0;
    std::string failure_;
    std::optional<Prepared> prepared_;
};

}  // namespace postern::vault
