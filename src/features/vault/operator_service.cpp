#include "features/vault/operator_service.h"

#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/recovery_kit.h"
#include "foundation/base/result.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/operator.h"

#include <utility>

namespace postern::vault {

using keys::KeyError;

async::Task<keys::MakeRecoveryKit::Answer> OperatorService::make_recovery_kit(
    keys::MakeRecoveryKit asked) {
    const crypto::SharingScheme scheme{.shares = asked.shares, .threshold = asked.threshold};
    if (!crypto::is_sound(scheme) || scheme.shares > k_kit_shares_max) {
        co_return fail(KeyError::bad_scheme);
    }
    auto kit = vault::make_recovery_kit(scheme);
    auto job = [store = &core_->store(),
                row = core_->keyring.box_root_key(kit.public_key, scheme)] {
        return store->put_recovery_kit(row);
    };
    const auto stored = co_await core_->writes.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    // The root key must not lie about boxed to the kit before.
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return keys::MakeRecoveryKit::Answer{std::move(kit.shares), core_->keyring.fingerprint()};
}

}  // namespace postern::vault
