#include "features/vault/operator_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/recovery_kit.h"
#include "features/vault/root_key.h"
#include "foundation/base/clock.h"
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
    // A root key that is being changed is boxed to one kit, the one before or this one.
    const auto deadline = Deadline::in(k_turn_wait);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(IntegrationKey(), deadline));
    auto kit = vault::make_recovery_kit(scheme);
    auto job = [store = &core_->store(), row = core_->keyring.box_root_key(kit.public_key, scheme),
                under = core_->keyring.fingerprint()] {
        return store->put_recovery_kit(row, under);
    };
    const auto stored = co_await core_->writes.run(std::move(job));
    if (!stored) co_return fail(stored.error());
    // The root key must not lie about boxed to the kit before.
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return keys::MakeRecoveryKit::Answer{std::move(kit.shares), core_->keyring.fingerprint()};
}

async::Task<keys::RewrapRootKey::Answer> OperatorService::rewrap_root_key(
    keys::RewrapRootKey asked) {
    auto job = [file = std::move(asked.file), passphrase = std::move(asked.passphrase),
                root_key = core_->keyring.copy_root_key(), cost = core_->passphrase_cost] {
        return write_root_key(file.get(), root_key, passphrase, cost);
    };
    const auto written = co_await core_->secrets.run(std::move(job));
    if (!written) co_return fail(written.error());
    co_return keys::RewrapRootKey::Answer{core_->keyring.fingerprint()};
}

}  // namespace postern::vault
