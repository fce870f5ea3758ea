#pragma once

#include "features/mail/courier/credential_source.h"
#include "platform/ipc/link.h"

namespace postern::app::courier {

/// Redeems tickets at keeper. Lifetime: the link outlives it.
class KeeperCredentials final : public mail::courier::CredentialSource {
public:
    explicit KeeperCredentials(ipc::Link& keeper) : keeper_(keeper) {}
    async::Task<mail::courier::OpenedUse> redeem(Bytes ticket,
                                                 mail::courier::UseFor purpose) override;

private:
    ipc::Link& keeper_;
};

}  // namespace postern::app::courier
