#include "features/vault/seal_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/revocations.h"
#include "features/vault/sealing.h"
#include "features/vault/shared_secret.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/secret_sharing.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using ipc::IpcError;
using keys::KeyError;

/// A new secret, and how it is told to the one who is to keep it.
struct Chosen {
    Secret secret;  ///< canonical
    Secret told;
    std::vector<Secret> told_shares;
};

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

bool same(const Secret& a, const Secret& b) {
    return a.with_bytes([&](ByteView left) {
        return b.with_bytes(
            [&](ByteView right) { return crypto::equal_in_constant_time(left, right); });
    });
}

/// Errors: bad_scheme.
Result<Chosen> generate(const keys::ShareScheme& shares) {
    Chosen chosen{generate_shared_secret(), {}, {}};
    if (shares.shares == 0 && shares.threshold == 0) {
        chosen.told = copy_of(chosen.secret);
        return chosen;
    }
    const crypto::SharingScheme scheme{.shares = shares.shares, .threshold = shares.threshold};
    if (!crypto::is_sound(scheme) || scheme.threshold < 2 || scheme.shares > k_secret_shares_max) {
        return fail(KeyError::bad_scheme);
    }
    chosen.told_shares = split_shared_secret(chosen.secret, scheme);
    return chosen;
}

/// The secret that the new epoch is sealed under, or a new holder has. Errors: weak_secret,
/// bad_scheme.
template <typename Asked>
Result<Chosen> new_secret(const KeeperCore& core, Asked& asked) {
    if (asked.generate) return generate(asked.shares);
    auto typed = core.secret_of(std::move(asked.new_secret), k_shared_secret_bytes_max);
    if (!typed && typed.error().is(IpcError::too_large)) return fail(KeyError::weak_secret);
    if (!typed) return fail(std::move(typed.error()));
    if (auto strong = check_strength(*typed); !strong) return fail(strong.error());
    return Chosen{canonical_shared_secret(*typed), {}, {}};
}

bool is_of(const keys::Seal& seal, HolderId holder) {
    return std::ranges::find(seal.holders, holder, &keys::HolderSeal::holder) != seal.holders.end();
}

/// Errors: unknown_holder, last_holder.
Result<> can_leave(const keys::Seal& seal, const std::optional<HolderId>& leaving) {
    if (!leaving) return {};
    if (!is_of(seal, *leaving)) return fail(KeyError::unknown_holder);
    if (seal.holders.size() == 1) return fail(KeyError::last_holder);
    return {};
}

Shares wrap_shares(const WorkspaceKeys& keys,
                   const IntegrationKey& key,
                   std::uint64_t epoch,
                   const OpenShares& shares) {
    Shares wraps;
    const auto& wrap_key = keys.newest.shares;
    wraps.generation = keys.newest.generation;
    wraps.server = crypto::seal(wrap_key, shares.server, server_share_place(key, epoch));
    for (const auto& [holder, half] : shares.holders) {
        wraps.holders.push_back(
            {holder, half.public_key,
             crypto::seal(wrap_key, half.share, holder_share_place(key, epoch, holder)),
             wraps.generation});
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
        if (auto can = can_leave(*current, asked.leaving); !can) co_return fail(can.error());
        Result<TriedSeal> tried;
        if (asked.with_lease && asked.leaving) {
            tried = co_await core_->by_lease(key, current->epoch);
        } else {
            tried = co_await core_->try_secret(key, current, std::move(secret));
        }
        if (!tried) co_return fail(std::move(tried.error()));
        POSTERN_CO_TRY(wanted.content, open_content(key, *current, tried->integration_key));
        if (!asked.leaving && !asked.generate) {
            auto fresh = copy_of(wanted.shared_secret);
            POSTERN_CO_TRY(tried->shares,
                           co_await core_->require_unused(key, current, std::move(tried->shares),
                                                          std::move(fresh)));
        }
        // Whoever leaves is replaced by nobody; all others keep their secrets and need not be
        // there.
        const auto replaced = asked.leaving.value_or(tried->holder);
        if (!asked.leaving) wanted.holder = tried->holder;
        for (const auto& other : current->holders) {
            if (other.holder != replaced) wanted.absent.push_back(other);
        }
        wanted.absent_shares = std::move(tried->shares);
    }
    POSTERN_CO_TRY(const auto row, co_await core_->find(key));
    wanted.epoch = row.value_or(IntegrationRow()).minted_epoch + 1;
    co_return wanted;
}

async::Task<> SealService::store_pending(IntegrationKey key,
                                         std::uint64_t epoch,
                                         OpenShares shares) {
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        POSTERN_CO_TRY(const auto keys, co_await core_->workspace(key.workspace));
        auto job = [store = &core_->store(), key, epoch,
                    wraps = wrap_shares(*keys, key, epoch, shares)] {
            return store->put_pending(key, epoch, wraps);
        };
        auto put = co_await core_->writes.run(std::move(job));
        if (!put && put.error().is(KeyError::keys_rotated)) continue;
        co_return put;
    }
    co_return fail(KeyError::keys_rotated);
}

async::Task<keys::PrepareSeal::Answer> SealService::prepare(keys::PrepareSeal asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    if (asked.destination.size() > k_destination_bytes_max) co_return fail(IpcError::too_large);
    keys::PrepareSeal::Answer answer;
    Secret secret;
    if (!asked.leaving) {
        POSTERN_CO_TRY(auto chosen, new_secret(*core_, asked));
        secret = std::move(chosen.secret);
        answer.generated = std::move(chosen.told);
        answer.generated_shares = std::move(chosen.told_shares);
    }

    const Revocations::Watch watch(core_->revocations, key);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    POSTERN_CO_TRY(auto wanted, co_await plan(std::move(asked), std::move(secret)));
    POSTERN_CO_TRY(auto made, co_await core_->make(std::move(wanted)));
    const auto epoch = made.seal.epoch;
    const auto stored = co_await store_pending(key, epoch, std::move(made.shares));
    if (!stored) co_return fail(stored.error());
    if (watch.cut_off()) co_return fail(KeyError::stale_epoch);
    // Its commit would open a lease with it.
    if (watch.all_sealed()) co_return fail(KeyError::integration_sealed);
    auto integration_key = std::make_shared<const Secret>(std::move(made.integration_key));
    if (!core_->leases.hold_pending(key, epoch, std::move(integration_key), core_->now())) {
        co_return fail(Error(IpcError::busy).with_retry_after(60));
    }
    core_->lease_changed.set();
    answer.seal = std::move(made.seal);
    co_return answer;
}

async::Task<keys::AddHolder::Answer> SealService::add_holder(keys::AddHolder asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    POSTERN_CO_TRY(auto chosen, new_secret(*core_, asked));
    POSTERN_CO_TRY(auto given,
                   core_->secret_of(std::move(asked.secret), k_shared_secret_bytes_max));
    const auto seal = std::make_shared<const keys::Seal>(std::move(asked.seal));
    if (seal->holders.size() >= k_holders_max) co_return fail(KeyError::too_many_holders);
    const auto holder = asked.holder.value_or(HolderId::make(core_->now()));
    // The share of one who is there is not replaced.
    if (holder.is_null() || is_of(*seal, holder)) co_return fail(IpcError::malformed);
    // Two holders of one secret would be one who cannot leave.
    if (same(chosen.secret, canonical_shared_secret(given))) co_return fail(KeyError::weak_secret);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    const auto live = co_await core_->require_live(key, seal->epoch);
    if (!live) co_return fail(live.error());
    POSTERN_CO_TRY(auto tried, co_await core_->try_secret(key, seal, std::move(given)));
    // Whoever leaves would still open it with the secret of one who stays.
    if (!asked.generate) {
        auto fresh = copy_of(chosen.secret);
        POSTERN_CO_TRY(tried.shares, co_await core_->require_unused(
                                         key, seal, std::move(tried.shares), std::move(fresh)));
    }
    NewHolder wanted;
    wanted.key = key;
    wanted.epoch = seal->epoch;
    wanted.holder = holder;
    wanted.shared_secret = std::move(chosen.secret);
    wanted.integration_key = std::move(tried.integration_key);
    wanted.server_share = std::move(tried.shares.server);
    POSTERN_CO_TRY(auto made, co_await core_->make(std::move(wanted)));
    auto stored = co_await store_holder(key, seal->epoch, &made);
    if (!stored) co_return fail(std::move(stored.error()));
    co_return keys::AddHolder::Answer{std::move(made.seal), std::move(chosen.told),
                                      std::move(chosen.told_shares)};
}

async::Task<> SealService::store_holder(IntegrationKey key,
                                        std::uint64_t epoch,
                                        const MadeHolder* made) {
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        POSTERN_CO_TRY(const auto keys, co_await core_->workspace(key.workspace));
        const auto place = holder_share_place(key, epoch, made->seal.holder);
        HolderShareRow row{made->seal.holder, made->seal.public_key,
                           crypto::seal(keys->newest.shares, made->share, place),
                           keys->newest.generation};
        auto job = [store = &core_->store(), key, epoch, row = std::move(row)] {
            return store->add_holder(key, epoch, row);
        };
        auto added = co_await core_->writes.run(std::move(job));
        if (!added && added.error().is(KeyError::keys_rotated)) continue;
        co_return added;
    }
    co_return fail(KeyError::keys_rotated);
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
