#pragma once

#include "platform/store/connection.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace postern::store {

/// The connections for reading; each is lent to one thread at a time.
class ConnectionPool {
public:
    struct GiveBack {
        ConnectionPool* pool;
        void operator()(Connection* connection) const noexcept { pool->give_back(connection); }
    };
    using Lent = std::unique_ptr<Connection, GiveBack>;

    void add(std::unique_ptr<Connection> connection);
    /// Waits for a free one; null once closed.
    [[nodiscard]] Lent borrow();
    /// Waits until all are back, and closes them.
    void close();

private:
    void give_back(Connection* connection) noexcept;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> all_;
    std::vector<Connection*> free_;
    bool closed_ = false;
};

}  // namespace postern::store
