#include "platform/async/blocking_pool.h"

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace postern::async {

BlockingPool::BlockingPool(Options options) : queue_max_(options.queue_max) {
    threads_.reserve(options.threads);
    for (std::size_t i = 0; i < options.threads; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

BlockingPool::~BlockingPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
}

bool BlockingPool::submit(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || queue_.size() >= queue_max_) return false;
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return true;
}

void BlockingPool::work() {
    while (true) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const auto job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job();
    }
}

}  // namespace postern::async
