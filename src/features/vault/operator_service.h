#pragma once

#include "features/vault/keeper_core.h"
#include "platform/keys/operator.h"

#include <memory>

namespace postern::vault {

/// What the operator asks of keeper itself. Front has no way to it.
class OperatorService {
public:
    explicit OperatorService(std::shared_ptr<KeeperCore> core) : core_(std::move(core)) {}

    async::Task<keys::MakeRecoveryKit::Answer> make_recovery_kit(keys::MakeRecoveryKit asked);
    async::Task<keys::RewrapRootKey::Answer> rewrap_root_key(keys::RewrapRootKey asked);

private:
    std::shared_ptr<KeeperCore> core_;
};

}  // namespace postern::vault
