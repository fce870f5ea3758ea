#pragma once

#include "features/vault/keyring.h"
#include "features/vault/keyring_store.h"
#include "features/vault/leases.h"
#include "features/vault/links.h"
#include "features/vault/opening_ceiling.h"
#include "features/vault/revocations.h"
#include "features/vault/root_key.h"
#include "features/vault/sealing.h"
#include "features/vault/tickets.h"
#include "features/vault/turns.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/password.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

namespace postern::vault {

/// What keeper is made of. `clock` outlives it.
struct KeeperParts {
    std::unique_ptr<KeyringStore> store;
    Keyring keyring;
    std::shared_ptr<Links> links;
    const Clock* clock = nullptr;
    crypto::Argon2Cost cost;
    LeaseLimits lease_limits;
    crypto::Argon2Cost passphrase_cost = k_passphrase_cost;
};

/// A seal that was opened with a secret, and keeper's halves of it.
struct TriedSeal {
    Secret integration_key;
    HolderId holder;
    OpenShares shares;
};

/// What keeper's services share: the keyring, what is open at the moment, and the threads for what
/// blocks. Members are used on the executor's thread; only the store's calls and Argon2id leave it.
///
/// Lifetime: coroutines of the services hold it.
class KeeperCore {
public:
    KeeperCore(const boost::asio::any_io_executor& executor, KeeperParts parts);

    [[nodiscard]] UnixMs now() const { return clock_->now_ms(); }
    [[nodiscard]] KeyringStore& store() noexcept { return *store_; }

    /// Clear, or opened from its box. Errors: seal_key_changed; malformed when it is too long.
    [[nodiscard]] Result<Secret> secret_of(keys::SecretInput input, std::size_t bytes_max) const;

    /// Errors: cannot_open when there is no such workspace.
    async::Task<std::shared_ptr<const WorkspaceKeys>> workspace(WorkspaceId workspace);
    /// Nothing where keeper knows no such integration.
    async::Task<std::optional<IntegrationRow>> find(IntegrationKey key);
    /// Errors: unknown_integration, integration_cut_off, stale_epoch.
    async::Task<> require_live(IntegrationKey key, std::uint64_t epoch);
    /// Errors: stale_epoch, cannot_open; keys_rotated after some tries.
    async::Task<OpenShares> shares(IntegrationKey key, std::uint64_t epoch);

    /// Charges the attempt budgets, then tries: at one holder, or at all who may be tried.
    /// Errors: wrong_secret, too_many_attempts, busy.
    async::Task<TriedSeal> try_secret(IntegrationKey key,
                                      std::shared_ptr<const keys::Seal> seal,
                                      Secret shared_secret,
                                      std::optional<HolderId> holder = std::nullopt);
    /// Gives the halves back where the secret opens this seal at no holder. No holder's budget is
    /// charged: so that nobody guesses at another's secret with it, it is asked a few times an hour
    /// only where there are others. Errors: secret_in_use, too_many_attempts, busy.
    static constexpr int k_compared_an_hour = 10;
    async::Task<OpenShares> require_unused(IntegrationKey key,
                                           std::shared_ptr<const keys::Seal> seal,
                                           OpenShares halves,
                                           Secret shared_secret);
    /// What the lease holds open. Errors: integration_sealed.
    async::Task<TriedSeal> by_lease(IntegrationKey key, std::uint64_t epoch);
    async::Task<MadeSeal> make(NewSeal wanted);
    async::Task<MadeHolder> make(NewHolder wanted);

    struct Ended {
        std::uint32_t connections = 0;
        keys::CourierEnd courier = keys::CourierEnd::silent;
        std::int64_t took_ms = 0;
    };
    /// Has courier close what it opened under it. One that takes more than a second is ended.
    async::Task<Ended> end_uses(keys::EndUses asked);

    /// Destroys something on the store's thread; on a full disk with the room of the reserve.
    template <typename F, typename R = std::invoke_result_t<F, KeyringStore&>>
    boost::asio::awaitable<R> destroy(F work) {
        auto job = [store = store_.get(), work = std::move(work)]() -> R {
            auto done = work(*store);
            if (done || !is_disk_full(done.error())) return done;
            if (auto released = store->release_reserve(); !released) return done;
            return work(*store);
        };
        co_return co_await writes.run(std::move(job));
    }
    /// Removes what was destroyed from every file of the store, then takes the reserve back.
    async::Task<> purge();

    Keyring keyring;
    Leases leases;
    Tickets tickets;
    Revocations revocations;
    Turns turns;
    OpeningCeiling ceiling;
    const std::shared_ptr<Links> links;
    const crypto::BoxPair seal_pair;
    async::Signal lease_changed;
    const crypto::Argon2Cost passphrase_cost;

private:
    static bool is_disk_full(const Error& error);

    const Clock* clock_;
    const crypto::Argon2Cost cost_;
    std::unique_ptr<KeyringStore> store_;
    std::size_t stretching_ = 0;
    std::int64_t compared_hour_ = 0;
    std::map<IntegrationKey, int> compared_;  ///< of this hour

    template <typename T, typename F>
    async::Task<T> stretch(F work);

public:
    // Last: their threads end before what they work on.
    async::BlockingPool reads;
    async::BlockingPool writes;
    async::BlockingPool secrets;
    /// Runs what must not stop half-way when the one who asked for it goes away.
    async::TaskGroup jobs;
};

/// What any error becomes for a caller in another process.
[[nodiscard]] Error outward(Error error);

inline constexpr std::chrono::seconds k_turn_wait{30};
/// What was read before a key was rotated and is used after it is read again, so often.
inline constexpr int k_rotation_tries = 3;

}  // namespace postern::vault
