#pragma once

#include "features/vault/keeper_core.h"
#include "platform/keys/destined.h"

#include <memory>
#include <utility>

namespace postern::vault {

/// Secrets with the one place where they may be sent, under the workspace's settings key. What is
/// sealed here lies at a place of its own: as an ordinary record it does not open.
class DestinedService {
public:
    explicit DestinedService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::SealDestined::Answer> seal(keys::SealDestined asked);
    async::Task<keys::OpenDestined::Answer> open(keys::OpenDestined asked);

private:
    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
