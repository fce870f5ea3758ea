#include "platform/store/connection_pool.h"

#include "platform/store/connection.h"

#include <memory>
#include <mutex>
#include <utility>

namespace postern::store {

void ConnectionPool::add(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    free_.reserve(all_.size() + 1);
    free_.push_back(connection.get());
    all_.push_back(std::move(connection));
}

ConnectionPool::Lent ConnectionPool::borrow() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !free_.empty(); });
    if (closed_) return Lent(nullptr, GiveBack{this});
    Connection* const connection = free_.back();
    free_.pop_back();
    return {connection, GiveBack{this}};
}

void ConnectionPool::give_back(Connection* connection) noexcept {
    const std::lock_guard lock(mutex_);
    free_.push_back(connection);
    changed_.notify_all();
}

void ConnectionPool::close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return free_.size() == all_.size(); });
    free_.clear();
    all_.clear();
}

}  // namespace postern::store
