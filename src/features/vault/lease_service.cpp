#include "features/vault/lease_service.h"

#include "features/vault/keeper_core.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/revocations.h"
#include "features/vault/shared_secret.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using keys::KeyError;

constexpr UnixMs k_housekeeping_ms = 3'600'000;
/// The wall clock may be set while we wait: it is looked at again at least this often.
constexpr UnixMs k_wait_ms_max = 10'000;

}  // namespace

async::Task<keys::Lease> LeaseService::unlock(keys::Unlock asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    POSTERN_CO_TRY(auto secret,
                   core_->secret_of(std::move(asked.secret), k_shared_secret_bytes_max));
    const auto seal = std::make_shared<const keys::Seal>(std::move(asked.seal));
    const Revocations::Watch watch(core_->revocations, key);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    const auto live = co_await core_->require_live(key, seal->epoch);
    if (!live) co_return fail(live.error());
    POSTERN_CO_TRY(auto tried,
                   co_await core_->try_secret(key, seal, std::move(secret), asked.holder));
    // From here to the lease nothing is waited for.
    if (watch.cut_off()) co_return fail(KeyError::integration_cut_off);
    if (watch.locked()) co_return fail(KeyError::integration_sealed);
    auto integration_key = std::make_shared<const Secret>(std::move(tried.integration_key));
    if (!core_->leases.open(key, seal->epoch, std::move(integration_key), asked.lease_s,
                            core_->now())) {
        co_return fail(Error(ipc::IpcError::busy).with_retry_after(60));
    }
    core_->lease_changed.set();
    co_return core_->leases.find(key, core_->now());
}

async::Task<ipc::Nothing> LeaseService::lock(keys::Lock asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    core_->revocations.lock(key);
    core_->leases.drop(key);
    core_->tickets.drop_of_lease(key);
    // Courier knows connections by integration alone: those of somebody else's are not touched.
    const auto row = co_await core_->find(key);
    if (row && !row->has_value()) co_return ipc::Nothing();
    keys::EndUses of_lease{.integration = asked.integration, .all = false, .grant = {}};
    const auto ended = co_await core_->end_uses(of_lease);
    if (!ended) co_return fail(ended.error());
    co_return ipc::Nothing();
}

async::Task<keys::SealAll::Answer> LeaseService::seal_all(keys::SealAll asked) {
    keys::SealAll::Answer answer;
    // First, and without waiting for anything: from here on nothing new begins.
    core_->revocations.seal_all(asked.workspace);
    auto ended = core_->leases.drop_all(asked.workspace);
    answer.leases = static_cast<std::uint32_t>(ended.size());
    core_->tickets.drop_workspace(asked.workspace);
    Result<std::vector<IntegrationKey>> granted = std::vector<IntegrationKey>();
    if (asked.grants) {
        auto job = [workspace = asked.workspace](KeyringStore& store) {
            return store.destroy_all_grants(workspace);
        };
        granted = co_await core_->destroy(std::move(job));
        // Those minted while the store was at work.
        core_->tickets.drop_workspace(asked.workspace);
        if (granted) {
            answer.grants = static_cast<std::uint32_t>(granted->size());
            ended.insert(ended.end(), granted->begin(), granted->end());
        }
    }
    std::ranges::sort(ended);
    const auto [first, last] = std::ranges::unique(ended);
    ended.erase(first, last);
    for (const auto& key : ended) {
        keys::EndUses ask{.integration = key.integration, .all = asked.grants, .grant = {}};
        const auto closed = co_await core_->end_uses(ask);
        if (!closed) co_return fail(closed.error());
        answer.connections += closed->connections;
        answer.confirmed = answer.confirmed && closed->courier != keys::CourierEnd::silent;
        answer.ended.push_back({key.workspace, key.integration});
    }
    if (!granted) co_return fail(std::move(granted.error()));
    if (answer.grants > 0) {
        const auto purged = co_await core_->purge();
        if (!purged) co_return fail(purged.error());
    }
    co_return answer;
}

async::Task<ipc::Nothing> LeaseService::touch(keys::TouchLease asked) {
    core_->leases.touch({asked.workspace, asked.integration}, core_->now());
    core_->lease_changed.set();
    co_return ipc::Nothing();
}

async::Task<keys::GetStatus::Answer> LeaseService::status(keys::GetStatus asked) {
    if (asked.integrations.size() > k_status_max) co_return fail(ipc::IpcError::too_large);
    auto job = [store = &core_->store(), workspace = asked.workspace, ids = asked.integrations,
                planted = asked.planted] { return store->standings(workspace, ids, planted); };
    auto& pool = asked.planted ? core_->writes : core_->reads;
    POSTERN_CO_TRY(auto standings, co_await pool.run(std::move(job)));
    keys::GetStatus::Answer answer;
    for (std::size_t i = 0; i < standings.size(); ++i) {
        keys::IntegrationStatus item;
        item.integration = asked.integrations[i];
        item.keys = standings[i].keys;
        item.grants = std::move(standings[i].grants);
        if (const auto& row = standings[i].row; row.has_value()) {
            item.known = true;
            item.cut_off = row->state == IntegrationState::cut_off;
            item.epoch = row->epoch;
            item.pending_epoch = row->pending_epoch;
            item.lease = core_->leases.find({asked.workspace, item.integration}, core_->now());
        }
        answer.items.push_back(std::move(item));
    }
    co_return answer;
}

async::Task<> LeaseService::end(std::vector<Leases::Ended> ended) {
    for (const auto& each : ended) {
        core_->tickets.drop_of_lease(each.key);
        keys::EndUses of_lease{.integration = each.key.integration, .all = false, .grant = {}};
        (void)co_await core_->end_uses(of_lease);
        core_->links->lease_ended({each.key.workspace, each.key.integration, each.idle});
    }
    co_return Result<>();
}

async::Task<> LeaseService::sweep() {
    auto ended = core_->leases.expire(core_->now());
    (void)co_await end(std::move(ended));
    const auto now = core_->now();
    if (now < next_housekeeping_ms_ && next_housekeeping_ms_ - now <= k_housekeeping_ms) {
        co_return Result<>();
    }
    next_housekeeping_ms_ = now + k_housekeeping_ms;
    auto job = [now](KeyringStore& store) { return store.destroy_expired_grants(now); };
    POSTERN_CO_TRY(const auto destroyed, co_await core_->destroy(std::move(job)));
    if (destroyed > 0) co_return co_await core_->purge();
    auto restoring = [store = &core_->store()] { return store->restore_reserve(); };
    co_return co_await core_->writes.run(std::move(restoring));
}

async::Job LeaseService::run() {
    while (true) {
        const auto swept = co_await sweep();
        if (!swept) log(LogLevel::warning, "keyring_sweep_failed", {{"error", swept.error()}});
        const auto now = core_->now();
        const auto next = core_->leases.next_expiry().value_or(now + k_wait_ms_max);
        const auto wait_ms = std::clamp<UnixMs>(next - now, 1, k_wait_ms_max);
        const auto waited =
            co_await core_->lease_changed.wait(Deadline::in(std::chrono::milliseconds(wait_ms)));
        if (!waited && waited.error().is(async::AsyncError::cancelled)) co_return;
    }
}

}  // namespace postern::vault
