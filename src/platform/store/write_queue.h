#pragma once

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/run_transaction.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace postern::store {

/// The one writing connection and the bodies that wait for it. Those that wait together share a
/// commit, each as a part that fails alone; none is answered before the commit is durable.
class WriteQueue {
public:
    /// Bodies in one commit.
    static constexpr std::size_t k_batch_max = 64;

    struct Ticket {
        TransactionBody body;
        Result<> outcome;
        bool done = false;
    };

    explicit WriteQueue(std::unique_ptr<Connection> connection)
        : connection_(std::move(connection)) {}

    /// Any thread; does not wait for the connection.
    [[nodiscard]] std::shared_ptr<Ticket> enter(TransactionBody body);
    /// Runs what waits until this ticket is done. Every ticket must be served.
    [[nodiscard]] Result<> serve(const Ticket& ticket);
    /// Runs one body in a transaction of its own, on the caller's thread.
    [[nodiscard]] Result<> run_alone(Access access, const TransactionBody& body);
    [[nodiscard]] Result<> with_connection(const std::function<Result<>(Connection&)>& use);

    /// Waits for what runs; later calls answer StoreError::closed.
    void close();

private:
    using Batch = std::vector<std::shared_ptr<Ticket>>;

    [[nodiscard]] Batch next_batch();
    void run_batch(const Batch& batch);
    /// Success means that every part which succeeded is durable.
    [[nodiscard]] Result<> run_parts(const Batch& batch);

    std::mutex waiting_mutex_;
    std::deque<std::shared_ptr<Ticket>> waiting_;
    std::mutex connection_mutex_;  // never taken while holding waiting_mutex_
    std::unique_ptr<Connection> connection_;
};

}  // namespace postern::store
