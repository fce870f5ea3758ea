#pragma once

#include "features/vault/places.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"

#include <deque>
#include <map>
#include <memory>

namespace postern::vault {

/// One at a time per integration: what changes a seal or tries a secret waits for its turn, so that
/// guesses at one integration do not fill the pool that all share. Lock and cut-off do not wait.
///
/// Executor: one thread. Lifetime: outlives its turns.
class Turns {
public:
    static constexpr std::size_t k_waiting_max = 8;

    /// Held until destroyed.
    class Turn {
    public:
        Turn() = default;
        Turn(Turns& owner, const IntegrationKey& key) : owner_(&owner), key_(key) {}
        Turn(Turn&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), key_(other.key_) {}
        Turn& operator=(Turn&& other) noexcept {
            std::swap(owner_, other.owner_);
            std::swap(key_, other.key_);
            return *this;
        }
        ~Turn() {
            if (owner_ != nullptr) owner_->pass_on(key_);
        }

    private:
        Turns* owner_ = nullptr;
        IntegrationKey key_;
    };

    /// Errors: IpcError::busy when too many wait; deadline_passed, cancelled.
    async::Task<Turn> take(IntegrationKey key, Deadline deadline);

private:
    struct Waiting {
        explicit Waiting(const boost::asio::any_io_executor& executor) : signal(executor) {}
        async::Signal signal;
        bool granted = false;
    };
    using Queue = std::deque<std::shared_ptr<Waiting>>;

    void pass_on(const IntegrationKey& key);

    /// An entry stands for a turn that is held.
    std::map<IntegrationKey, Queue> queues_;
};

}  // namespace postern::vault
