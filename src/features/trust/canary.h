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
    /// Another holder of it, with a generated secret of their own.
    async::Task<> add_holder();
    /// Whoever was there first is no holder of the next epoch. The other one is not asked.
    async::Task<> first_leaves();
    /// `right`: the first holder's secret; `second`: that of the one who was added.
    enum class Key { none, wrong, right, second };
    /// Whether keeper opens it: with a secret for a lease, without one for a use. A lease is locked
    /// again. Errors: those that are no refusal.
    async::Task<bool> opens(Key key);
    /// The same with the first holder's secret and the seal that add_holder() made.
    async::Task<bool> opens_as_before();
    async::Task<> cut_off();
    /// Whether the credential that seal() made stands in the seal that came of it: as it is, in
    /// hexadecimal or in base64.
    [[nodiscard]] bool stands_in_clear() const;
    /// Whether that is found in each of these forms where it is put into the seal.
    [[nodiscard]] bool would_be_found_in_clear() const;

    static constexpr IntegrationId k_id{
        {'p', 'o', 's', 't', 'e', 'r', 'n', ' ', 'c', 'a', 'n', 'a', 'r', 'y', ' ', '1'}};

private:
    [[nodiscard]] Secret secret_for(Key key) const;
    async::Task<> commit();
    async::Task<bool> unlocks(Secret secret, keys::Seal seal);
    async::Task<bool> used();

    ipc::Link& keeper_;
    keys::Seal seal_;
    keys::Seal seal_before_;
    Secret credential_;
    Secret secret_;
    Secret second_secret_;
};

}  // namespace postern::trust
