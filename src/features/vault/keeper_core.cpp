#include "features/vault/keeper_core.h"

#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/sealing.h"
#include "features/vault/shared_secret.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/crypto_error.h"
#include "foundation/crypto/keypair.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/store_error.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace postern::vault {
namespace {

using keys::KeyError;

constexpr std::size_t k_pool_queue_max = 1000;
constexpr std::size_t k_stretching_threads = 2;
constexpr std::size_t k_stretching_max = 16;
constexpr std::chrono::seconds k_end_uses_time{1};
constexpr int k_purge_tries = 3;

/// Counts one Argon2id run from before it is paid for until it is over.
class Stretching {
public:
    explicit Stretching(std::size_t& count) : count_(count) { ++count_; }
    ~Stretching() { --count_; }
    Stretching(const Stretching&) = delete;
    Stretching& operator=(const Stretching&) = delete;

private:
    std::size_t& count_;
};

Error busy() {
    return Error(ipc::IpcError::busy).with_retry_after(1);
}

}  // namespace

Error outward(Error error) {
    if (error.as<KeyError>() || error.as<ipc::IpcError>()) return error;
    if (error.is(store::StoreError::disk_full)) return {KeyError::disk_full, error.detail()};
    if (error.is(store::StoreError::busy) || error.is(async::AsyncError::busy) ||
        error.is(async::AsyncError::deadline_passed) ||
        error.is(crypto::CryptoError::out_of_memory)) {
        return busy();
    }
    if (error.is(async::AsyncError::cancelled)) return ipc::IpcError::closed;
    if (error.as<crypto::CryptoError>()) return KeyError::cannot_open;
    return {KeyError::storage_failed, std::string(error.code()) + ": " + error.detail()};
}

KeeperCore::KeeperCore(const boost::asio::any_io_executor& executor, KeeperParts parts)
    : keyring(std::move(parts.keyring)),
      leases(parts.lease_limits),
      links(std::move(parts.links)),
      seal_pair(crypto::make_box_pair()),
      lease_changed(executor),
      clock_(parts.clock),
      cost_(parts.cost),
      store_(std::move(parts.store)),
      reads({.threads = 1, .queue_max = k_pool_queue_max}),
      writes({.threads = 1, .queue_max = k_pool_queue_max}),
      secrets({.threads = k_stretching_threads, .queue_max = k_stretching_max}),
      jobs(executor) {}

bool KeeperCore::is_disk_full(const Error& error) {
    return error.is(store::StoreError::disk_full);
}

Result<Secret> KeeperCore::secret_of(keys::SecretInput input, std::size_t bytes_max) const {
    auto secret = std::move(input.clear);
    if (!input.boxed.empty()) {
        auto opened = crypto::box_open(seal_pair, input.boxed);
        if (!opened) return fail(KeyError::seal_key_changed);
        secret = std::move(*opened);
    }
    if (secret.size() > bytes_max) return fail(ipc::IpcError::too_large);
    return secret;
}

async::Task<std::shared_ptr<const WorkspaceKeys>> KeeperCore::workspace(WorkspaceId workspace) {
    if (auto known = keyring.workspace(workspace)) co_return known;
    auto job = [store = store_.get(), workspace] { return store->workspace_key(workspace); };
    POSTERN_CO_TRY(const auto row, co_await reads.run(std::move(job)));
    if (!row) co_return fail(KeyError::cannot_open, "no such workspace");
    if (auto admitted = keyring.admit(*row); !admitted) co_return fail(admitted.error());
    co_return keyring.workspace(workspace);
}

async::Task<std::optional<IntegrationRow>> KeeperCore::find(IntegrationKey key) {
    auto job = [store = store_.get(), key] {
        return store->integrations(key.workspace, {key.integration});
    };
    POSTERN_CO_TRY(const auto rows, co_await reads.run(std::move(job)));
    co_return rows.at(0);
}

async::Task<> KeeperCore::require_live(IntegrationKey key, std::uint64_t epoch) {
    POSTERN_CO_TRY(const auto row, co_await find(key));
    if (!row || row->state == IntegrationState::fresh) {
        co_return fail(KeyError::unknown_integration);
    }
    if (row->state == IntegrationState::cut_off) co_return fail(KeyError::integration_cut_off);
    if (row->epoch != epoch) co_return fail(KeyError::stale_epoch);
    co_return Result<>();
}

async::Task<OpenShares> KeeperCore::shares(IntegrationKey key, std::uint64_t epoch) {
    POSTERN_CO_TRY(const auto keys, co_await workspace(key.workspace));
    auto job = [store = store_.get(), key, epoch] { return store->shares(key, epoch); };
    POSTERN_CO_TRY(const auto wraps, co_await reads.run(std::move(job)));
    OpenShares open;
    POSTERN_CO_TRY(open.server,
                   crypto::open_secret(keys->shares, wraps.server, server_share_place(key, epoch)));
    for (const auto& row : wraps.holders) {
        POSTERN_CO_TRY(auto share, crypto::open_secret(keys->shares, row.wrap,
                                                       holder_share_place(key, epoch, row.holder)));
        open.holders[row.holder] = {row.public_key, std::move(share)};
    }
    co_return open;
}

async::Task<TriedSeal> KeeperCore::try_secret(IntegrationKey key,
                                              std::shared_ptr<const keys::Seal> seal,
                                              Secret shared_secret) {
    if (stretching_ >= k_stretching_max) co_return fail(busy());
    const Stretching counted(stretching_);
    POSTERN_CO_TRY(auto halves, co_await shares(key, seal->epoch));

    auto charge_job = [store = store_.get(), key, at = now()] {
        return store->charge_attempt(key, at);
    };
    POSTERN_CO_TRY(const auto wait_s, co_await writes.run(std::move(charge_job)));
    if (wait_s > 0) {
        co_return fail(Error(KeyError::too_many_attempts).with_retry_after(wait_s));
    }

    auto try_job = [key, seal, halves = std::move(halves),
                    secret =
                        canonical_shared_secret(shared_secret)]() mutable -> Result<TriedSeal> {
        POSTERN_TRY(auto opened, open_seal(key, *seal, halves, secret));
        return TriedSeal{std::move(opened.integration_key), opened.holder, std::move(halves)};
    };
    POSTERN_CO_TRY(auto tried, co_await secrets.run(std::move(try_job)));

    auto clear_job = [store = store_.get(), key] { return store->clear_attempts(key); };
    const auto cleared = co_await writes.run(std::move(clear_job));
    if (!cleared) log(LogLevel::warning, "attempts_not_cleared", {{"error", cleared.error()}});
    co_return tried;
}

async::Task<MadeSeal> KeeperCore::make(NewSeal wanted) {
    if (stretching_ >= k_stretching_max) co_return fail(busy());
    const Stretching counted(stretching_);
    wanted.cost = cost_;
    auto job = [wanted = std::move(wanted)]() mutable { return make_seal(std::move(wanted)); };
    co_return co_await secrets.run(std::move(job));
}

async::Task<KeeperCore::Ended> KeeperCore::end_uses(keys::EndUses asked) {
    const auto start = std::chrono::steady_clock::now();
    auto answer = co_await links->end_uses(asked, Deadline::in(k_end_uses_time));
    Ended ended;
    const auto took = std::chrono::steady_clock::now() - start;
    ended.took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    if (answer) {
        ended.connections = answer->connections;
        ended.courier = keys::CourierEnd::closed;
    } else if (answer.error().is(ipc::IpcError::closed)) {
        ended.courier = keys::CourierEnd::gone;
    } else {
        log(LogLevel::warning, "courier_did_not_end_uses",
            {{"integration", asked.integration}, {"error", answer.error()}});
    }
    co_return ended;
}

async::Task<> KeeperCore::purge() {
    auto purging = [](KeyringStore& keyring_store) -> Result<> {
        auto done = keyring_store.purge();
        for (int tries = 1; !done && tries < k_purge_tries; ++tries)
            done = keyring_store.purge();
        return done;
    };
    auto purged = co_await destroy(std::move(purging));
    if (!purged) co_return fail(std::move(purged.error()));
    auto restoring = [store = store_.get()] { return store->restore_reserve(); };
    const auto restored = co_await writes.run(std::move(restoring));
    if (!restored) log(LogLevel::warning, "reserve_not_restored", {{"error", restored.error()}});
    co_return Result<>();
}

}  // namespace postern::vault
