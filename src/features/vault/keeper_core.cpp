#include "features/vault/keeper_core.h"

#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/places.h"
#include "features/vault/sealing.h"
#include "features/vault/shared_secret.h"
#include "features/vault/workspace_keys.h"
#include "foundation/base/bytes.h"
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
#include <vector>

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

/// Errors: cannot_open; keys_rotated when a wrap is under a key that is not among `keys`.
Result<OpenShares> open_shares(const WorkspaceKeys& keys,
                               const IntegrationKey& key,
                               std::uint64_t epoch,
                               const Shares& wraps) {
    const auto* under = keys.under(wraps.generation);
    if (under == nullptr) return fail(KeyError::keys_rotated);
    OpenShares open;
    POSTERN_TRY(open.server,
                crypto::open_secret(under->shares, wraps.server, server_share_place(key, epoch)));
    for (const auto& row : wraps.holders) {
        under = keys.under(row.generation);
        if (under == nullptr) return fail(KeyError::keys_rotated);
        POSTERN_TRY(auto share, crypto::open_secret(under->shares, row.wrap,
                                                    holder_share_place(key, epoch, row.holder)));
        open.holders[row.holder] = {row.public_key, std::move(share)};
    }
    return open;
}

/// Those that keeper knows, too: nothing is counted for one that somebody made up.
std::vector<HolderId> holders_to_try(const keys::Seal& seal,
                                     const OpenShares& halves,
                                     std::optional<HolderId> holder) {
    std::vector<HolderId> all;
    for (const auto& each : seal.holders) {
        if (holder && each.holder != *holder) continue;
        if (halves.holders.contains(each.holder)) all.push_back(each.holder);
    }
    return all;
}

Error busy() {
    return Error(ipc::IpcError::busy).with_retry_after(1);
}

}  // namespace

Error outward(Error error) {
    if (error.is(KeyError::keys_rotated)) return busy();
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
      passphrase_cost(parts.passphrase_cost),
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
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        if (auto known = keyring.workspace(workspace)) co_return known;
        const auto rotations = keyring.rotations();
        auto job = [store = store_.get(), workspace] { return store->workspace_keys(workspace); };
        POSTERN_CO_TRY(const auto rows, co_await reads.run(std::move(job)));
        if (!rows) co_return fail(KeyError::cannot_open, "no such workspace");
        if (keyring.rotations() != rotations) continue;
        if (auto admitted = keyring.admit(*rows); !admitted) co_return fail(admitted.error());
        co_return keyring.workspace(workspace);
    }
    co_return fail(KeyError::keys_rotated);
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
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        auto job = [store = store_.get(), key, epoch] { return store->shares(key, epoch); };
        POSTERN_CO_TRY(const auto wraps, co_await reads.run(std::move(job)));
        // After the wraps: these are then not older than they are.
        POSTERN_CO_TRY(const auto keys, co_await workspace(key.workspace));
        auto opened = open_shares(*keys, key, epoch, wraps);
        if (!opened && opened.error().is(KeyError::keys_rotated)) continue;
        co_return opened;
    }
    co_return fail(KeyError::keys_rotated);
}

async::Task<TriedSeal> KeeperCore::try_secret(IntegrationKey key,
                                              std::shared_ptr<const keys::Seal> seal,
                                              Secret shared_secret,
                                              std::optional<HolderId> holder) {
    if (stretching_ >= k_stretching_max) co_return fail(busy());
    const Stretching counted(stretching_);
    // What is not of our making is not counted at anybody.
    if (!is_sound(*seal)) co_return fail(KeyError::wrong_secret);
    POSTERN_CO_TRY(auto halves, co_await shares(key, seal->epoch));

    const auto whom = holders_to_try(*seal, halves, holder);
    if (whom.empty()) co_return fail(KeyError::wrong_secret);
    auto charge_job = [store = store_.get(), key, whom, at = now()] {
        return store->charge_attempts(key, whom, at);
    };
    POSTERN_CO_TRY(auto charged, co_await writes.run(std::move(charge_job)));
    if (charged.holders.empty() && charged.retry_after_s > 0) {
        co_return fail(Error(KeyError::too_many_attempts).with_retry_after(charged.retry_after_s));
    }

    auto try_job = [key, seal, halves = std::move(halves), charged,
                    secret =
                        canonical_shared_secret(shared_secret)]() mutable -> Result<TriedSeal> {
        const auto may_try = [&](HolderId id) { return charged.allows(id); };
        POSTERN_TRY(auto opened, open_seal(key, *seal, halves, secret, may_try));
        return TriedSeal{std::move(opened.integration_key), opened.holder, std::move(halves)};
    };
    POSTERN_CO_TRY(auto tried, co_await secrets.run(std::move(try_job)));

    auto settle_job = [store = store_.get(), key, opened = tried.holder,
                       charged = std::move(charged)] {
        return store->settle_attempts(key, opened, charged);
    };
    const auto settled = co_await writes.run(std::move(settle_job));
    if (!settled) log(LogLevel::warning, "attempts_not_cleared", {{"error", settled.error()}});
    co_return tried;
}

async::Task<TriedSeal> KeeperCore::by_lease(IntegrationKey key, std::uint64_t epoch) {
    POSTERN_CO_TRY(auto halves, co_await shares(key, epoch));
    const auto leased = leases.secret(key, epoch, now());
    if (!leased) co_return fail(KeyError::integration_sealed);
    auto copy = leased->with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    co_return TriedSeal{std::move(copy), {}, std::move(halves)};
}

template <typename T, typename F>
async::Task<T> KeeperCore::stretch(F work) {
    if (stretching_ >= k_stretching_max) co_return fail(busy());
    const Stretching counted(stretching_);
    co_return co_await secrets.run(std::move(work));
}

async::Task<OpenShares> KeeperCore::require_unused(IntegrationKey key,
                                                   std::shared_ptr<const keys::Seal> seal,
                                                   OpenShares halves,
                                                   Secret shared_secret) {
    constexpr std::int64_t k_hour_ms = 3'600'000;
    if (seal->holders.size() > 1) {
        const auto hour = now() / k_hour_ms;
        if (std::exchange(compared_hour_, hour) != hour) compared_.clear();
        if (++compared_[key] > k_compared_an_hour) {
            co_return fail(Error(KeyError::too_many_attempts).with_retry_after(k_hour_ms / 1000));
        }
    }
    auto job = [key, seal, halves = std::move(halves),
                secret = std::move(shared_secret)]() mutable -> Result<OpenShares> {
        const auto opened =
            open_seal(key, *seal, halves, secret, [](HolderId /*holder*/) { return true; });
        if (opened) return fail(KeyError::secret_in_use);
        if (!opened.error().is(KeyError::wrong_secret)) return fail(opened.error());
        return std::move(halves);
    };
    co_return co_await stretch<OpenShares>(std::move(job));
}

async::Task<MadeSeal> KeeperCore::make(NewSeal wanted) {
    wanted.cost = cost_;
    auto job = [wanted = std::move(wanted)]() mutable { return make_seal(std::move(wanted)); };
    co_return co_await stretch<MadeSeal>(std::move(job));
}

async::Task<MadeHolder> KeeperCore::make(NewHolder wanted) {
    wanted.cost = cost_;
    auto job = [wanted = std::move(wanted)] { return make_holder(wanted); };
    co_return co_await stretch<MadeHolder>(std::move(job));
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
        // Who waits for somebody else does not wait here, where every write waits as well: the
        // operation's row brings the purge back within the minute.
        for (int tries = 1; !done && tries < k_purge_tries; ++tries) {
            if (done.error().is(store::StoreError::busy)) break;
            done = keyring_store.purge();
        }
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
