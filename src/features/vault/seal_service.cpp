#include "features/vault/seal_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/revocations.h"
#include "features/vault/sealing.h"
#include "features/vault/shared_secret.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <memory>
#include <utility>

namespace postern::vault {
namespace {

using ipc::IpcError;
using keys::KeyError;

/// The secret that the new epoch is sealed under. Errors: weak_secret.
Result<Secret> new_secret(const KeeperCore& core, keys::PrepareSeal& asked) {
    if (asked.generate) return generate_shared_secret();
    auto typed = core.secret_of(std::move(asked.new_secret), k_shared_secret_bytes_max);
    if (!typed && typed.error().is(IpcError::too_large)) return fail(KeyError::weak_secret);
    if (!typed) return typed;
    if (auto strong = check_strength(*typed); !strong) return fail(strong.error());
    return canonical_shared_secret(*typed);
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

Shares wrap_shares(const WorkspaceKeys& keys,
                   const IntegrationKey& key,
                   std::uint64_t epoch,
                   const OpenShares& shares) {
    Shares wraps;
    wraps.server = crypto::seal(keys.shares, shares.server, server_share_place(key, epoch));
    for (const auto& [holder, half] : shares.holders) {
        wraps.holders.push_back(
            {holder, half.public_key,
             crypto::seal(keys.shares, half.share, holder_share_place(key, epoch, holder))});
    }
    return wraps;
}

}  // namespace

async::Task<NewSeal> SealService::plan(keys::PrepareSeal asked, Secret shared_secret) {
    const IntegrationKey key{asked.workspace, asked.integration};
    NewSeal wanted;
    wanted.key = key;
    wanted.shared_secret = std::move(shared_secret);
    if (!asked.current) {
        POSTERN_CO_TRY(const auto credential,
                       core_->secret_of(std::move(asked.credential), k_credential_bytes_max));
        wanted.content = join_content(asked.destination, credential);
        wanted.holder = HolderId::make(core_->now());
    } else {
        const auto current = std::make_shared<const keys::Seal>(std::move(*asked.current));
        POSTERN_CO_TRY(auto secret,
                       core_->secret_of(std::move(asked.secret), k_shared_secret_bytes_max));
        const auto live = co_await core_->require_live(key, current->epoch);
        if (!live) co_return fail(live.error());
        POSTERN_CO_TRY(auto tried, co_await core_->try_secret(key, current, std::move(secret)));
        POSTERN_CO_TRY(wanted.content, open_content(key, *current, tried.integration_key));
        wanted.holder = tried.holder;
        for (const auto& other : current->holders) {
            if (other.holder != tried.holder) wanted.absent.push_back(other);
        }
        wanted.absent_shares = std::move(tried.shares);
    }
    POSTERN_CO_TRY(const auto row, co_await core_->find(key));
    wanted.epoch = row.value_or(IntegrationRow()).minted_epoch + 1;
    co_return wanted;
}

async::Task<> SealService::store_pending(IntegrationKey key,
                                         std::uint64_t epoch,
                                         OpenShares shares) {
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(key.workspace));
    auto job = [store = &core_->store(), key, epoch,
                wraps = wrap_shares(*keys, key, epoch, shares)] {
        return store->put_pending(key, epoch, wraps);
    };
    co_return co_await core_->writes.run(std::move(job));
}

async::Task<keys::PrepareSeal::Answer> SealService::prepare(keys::PrepareSeal asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    if (asked.destination.size() > k_destination_bytes_max) co_return fail(IpcError::too_large);
    POSTERN_CO_TRY(auto secret, new_secret(*core_, asked));
    keys::PrepareSeal::Answer answer;
    if (asked.generate) answer.generated = copy_of(secret);

    const Revocations::Watch watch(core_->revocations, key);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    POSTERN_CO_TRY(auto wanted, co_await plan(std::move(asked), std::move(secret)));
    POSTERN_CO_TRY(auto made, co_await core_->make(std::move(wanted)));
    const auto epoch = made.seal.epoch;
    const auto stored = co_await store_pending(key, epoch, std::move(made.shares));
    if (!stored) co_return fail(stored.error());
    if (watch.cut_off()) co_return fail(KeyError::stale_epoch);
    auto integration_key = std::make_shared<const Secret>(std::move(made.integration_key));
    if (!core_->leases.hold_pending(key, epoch, std::move(integration_key), core_->now())) {
        co_return fail(Error(IpcError::busy).with_retry_after(60));
    }
    core_->lease_changed.set();
    answer.seal = std::move(made.seal);
    co_return answer;
}

async::Task<keys::Lease> SealService::commit(keys::CommitSeal asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    const Revocations::Watch watch(core_->revocations, key);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    auto job = [store = &core_->store(), key, epoch = asked.epoch] {
        return store->commit_pending(key, epoch);
    };
    const auto committed = co_await core_->writes.run(std::move(job));
    if (!committed) co_return fail(committed.error());

    const auto before = core_->leases.find(key, core_->now());
    if (before.open && before.epoch != asked.epoch) core_->leases.drop(key);
    core_->tickets.drop_other_epochs(key, asked.epoch);
    keys::EndUses all{.integration = asked.integration, .all = true, .grant = {}};
    (void)co_await core_->end_uses(all);
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());

    const auto pending = core_->leases.pending(key, asked.epoch, core_->now());
    core_->leases.drop_pending(key);
    if (pending && asked.lease_s > 0 && !watch.locked() &&
        core_->leases.open(key, asked.epoch, pending->secret, asked.lease_s, core_->now())) {
        core_->lease_changed.set();
    }
    co_return core_->leases.find(key, core_->now());
}

async::Task<ipc::Nothing> SealService::abandon(keys::AbandonSeal asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    auto job = [key, epoch = asked.epoch](KeyringStore& store) {
        return store.abandon_pending(key, epoch);
    };
    const auto abandoned = co_await core_->destroy(std::move(job));
    if (!abandoned) co_return fail(abandoned.error());
    if (core_->leases.pending(key, asked.epoch, core_->now())) core_->leases.drop_pending(key);
    core_->tickets.drop_epoch(key, asked.epoch);
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return ipc::Nothing();
}

async::Task<keys::CutOff::Answer> SealService::cut_off(keys::CutOff asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    // First, and without waiting for anything: from here on nothing new begins.
    const auto stop = [core = core_.get(), &key] {
        core->revocations.cut_off(key);
        core->leases.drop(key);
        core->leases.drop_pending(key);
        core->tickets.drop_all(key);
    };
    stop();
    auto job = [key](KeyringStore& store) { return store.cut_off(key); };
    const auto destroyed = co_await core_->destroy(std::move(job));
    // What the store had answered before the epoch rose may have come in meanwhile.
    stop();
    keys::EndUses all{.integration = asked.integration, .all = true, .grant = {}};
    const auto ended = co_await core_->end_uses(all);
    if (!destroyed) co_return fail(destroyed.error());
    if (!ended) co_return fail(ended.error());
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return keys::CutOff::Answer{.epoch = destroyed->epoch,
                                   .uses_ended_ms = ended->took_ms,
                                   .connections = ended->connections,
                                   .grants = destroyed->grants,
                                   .courier = ended->courier};
}

}  // namespace postern::vault
