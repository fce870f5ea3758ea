#pragma once

#include "features/trust/claim.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/seals.h"

namespace postern::trust {

/// An integration of nobody's in the real keyring, whose credential is random bytes: what keeper
/// refuses and grants to it is what it refuses and grants to every other.
///
/// The same id each time, sealed anew; it stays cut off in between. Executor: front's thread.
class Canary {
public:
    /// Lifetime: the link outlives the canary.
    explicit Canary(ipc::Link& keeper) : keeper_(keeper) {}

    /// A fresh credential under a generated secret, sealed.
    async::Task<> seal();
    enum class Key { none, wrong, right };
    /// Whether keeper opens it: with a secret for a lease, without one for a use. A lease is locked
    /// again. Errors: those that are no refusal.
    async::Task<bool> opens(Key key);
    async::Task<> cut_off();

    static constexpr IntegrationId k_id{
        {'p', 'o', 's', 't', 'e', 'r', 'n', ' ', 'c', 'a', 'n', 'a', 'r', 'y', ' ', '1'}};

private:
    async::Task<bool> unlocks(Secret secret);
    async::Task<bool> used();

    ipc::Link& keeper_;
    keys::Seal seal_;
    Secret secret_;
};

}  // namespace postern::trust
