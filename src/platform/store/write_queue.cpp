#include "platform/store/write_queue.h"

#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/run_transaction.h"
#include "platform/store/store_error.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace postern::store {

std::shared_ptr<WriteQueue::Ticket> WriteQueue::enter(TransactionBody body) {
    auto ticket = std::make_shared<Ticket>(Ticket{.body = std::move(body), .outcome = {}});
    const std::lock_guard lock(waiting_mutex_);
    waiting_.push_back(ticket);
    return ticket;
}

WriteQueue::Batch WriteQueue::next_batch() {
    const std::lock_guard lock(waiting_mutex_);
    const auto size = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), k_batch_max));
    Batch batch(waiting_.begin(), waiting_.begin() + size);
    waiting_.erase(waiting_.begin(), waiting_.begin() + size);
    return batch;
}

Result<> WriteQueue::serve(const Ticket& ticket) {
    const std::lock_guard lock(connection_mutex_);
    while (!ticket.done)
        run_batch(next_batch());
    return ticket.outcome;
}

namespace {

/// Why the parts before this one are lost with it: the disk, but never the body's own answer.
Error cause_of_loss(const Result<>& outcome) {
    if (!outcome && outcome.error().as<StoreError>()) return outcome.error();
    return {StoreError::io_failed, "the transaction was given up"};
}

}  // namespace

Result<> WriteQueue::run_parts(const Batch& batch) {
    if (auto begun = connection_->begin(Access::write); !begun) return begun;
    for (const auto& ticket : batch) {
        ticket->outcome = run_part(*connection_, ticket->body);
        // A full disk ends the whole transaction.
        if (!connection_->in_transaction()) {
            return fail(cause_of_loss(ticket->outcome));
        }
    }
    return connection_->commit();
}

void WriteQueue::run_batch(const Batch& batch) {
    Result<> together;
    if (!connection_) {
        together = fail(StoreError::closed);
    } else if (batch.size() == 1) {
        batch[0]->outcome = run_transaction(*connection_, Access::write, batch[0]->body);
    } else {
        together = run_parts(batch);
        for (int repetition = 1; had_no_effect(together) && repetition < k_transaction_tries;
             ++repetition) {
            pause_before_repetition(repetition);
            together = run_parts(batch);
        }
    }
    for (const auto& ticket : batch) {
        if (!together && ticket->outcome) ticket->outcome = together;
        ticket->body = nullptr;
        ticket->done = true;
    }
}

Result<> WriteQueue::run_alone(Access access, const TransactionBody& body) {
    const std::lock_guard lock(connection_mutex_);
    if (!connection_) return fail(StoreError::closed);
    return run_transaction(*connection_, access, body);
}

Result<> WriteQueue::with_connection(const std::function<Result<>(Connection&)>& use) {
    const std::lock_guard lock(connection_mutex_);
    if (!connection_) return fail(StoreError::closed);
    return use(*connection_);
}

void WriteQueue::close() {
    const std::lock_guard lock(connection_mutex_);
    connection_.reset();
}

}  // namespace postern::store
