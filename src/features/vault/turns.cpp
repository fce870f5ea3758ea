#include "features/vault/turns.h"

#include "features/vault/places.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"

#include <memory>
#include <utility>
#include <vector>

namespace postern::vault {

async::Task<Turns::Turn> Turns::take(IntegrationKey key, Deadline deadline) {
    const auto [place, first] = queues_.try_emplace(key);
    if (first) co_return Turn(*this, key);
    if (place->second.size() >= k_waiting_max) {
        co_return fail(Error(ipc::IpcError::busy).with_retry_after(1));
    }
    const auto waiting = std::make_shared<Waiting>(co_await boost::asio::this_coro::executor);
    queues_[key].push_back(waiting);
    auto waited = co_await waiting->signal.wait(deadline);
    if (waiting->granted) co_return Turn(*this, key);
    const auto queue = queues_.find(key);
    if (queue != queues_.end()) std::erase(queue->second, waiting);
    co_return fail(std::move(waited.error()));
}

void Turns::pass_on(const IntegrationKey& key) {
    const auto queue = queues_.find(key);
    if (queue->second.empty()) {
        queues_.erase(queue);
        return;
    }
    const auto next = queue->second.front();
    queue->second.pop_front();
    next->granted = true;
    next->signal.set();
}

}  // namespace postern::vault
