#include "platform/async/gate.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace postern::async {

struct Gate::State {
    struct Waiter {
        Waiter(const boost::asio::any_io_executor& executor, std::string what)
            : key(std::move(what)), turn_came(executor) {}
        std::string key;
        Signal turn_came;
        bool inside = false;
    };

    State(boost::asio::any_io_executor on, Limits bounds)
        : executor(std::move(on)), limits(bounds) {}

    [[nodiscard]] bool has_room(const std::string& key) const {
        const auto found = of_key.find(key);
        return inside < limits.in_all &&
               (found == of_key.end() || found->second < limits.of_one_key);
    }
    void let_in(const std::string& key) {
        ++inside;
        ++of_key[key];
    }
    void let_out(const std::string& key) {
        --inside;
        const auto found = of_key.find(key);
        if (--found->second == 0) of_key.erase(found);
        for (auto at = queue.begin(); at != queue.end() && inside < limits.in_all;) {
            const auto waiter = *at;
            if (!has_room(waiter->key)) {
                ++at;
                continue;
            }
            at = queue.erase(at);
            let_in(waiter->key);
            waiter->inside = true;
            waiter->turn_came.set();
        }
    }

    boost::asio::any_io_executor executor;
    Limits limits;
    std::size_t inside = 0;
    std::map<std::string, std::size_t> of_key;
    std::list<std::shared_ptr<Waiter>> queue;
};

/// A place in the queue that is given up however the waiting ends.
class Gate::Place {
public:
    Place(std::shared_ptr<State> state, std::string key, Turn turn)
        : state_(std::move(state)),
          waiter_(std::make_shared<State::Waiter>(state_->executor, std::move(key))) {
        if (turn == Turn::first) {
            state_->queue.push_front(waiter_);
        } else {
            state_->queue.push_back(waiter_);
        }
    }
    ~Place() {
        state_->queue.remove(waiter_);
        if (waiter_->inside) state_->let_out(waiter_->key);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    [[nodiscard]] Signal& turn_came() const { return waiter_->turn_came; }
    /// Once the turn came.
    [[nodiscard]] Pass take() {
        waiter_->inside = false;
        return {state_, waiter_->key};
    }

private:
    std::shared_ptr<State> state_;
    std::shared_ptr<State::Waiter> waiter_;
};

Gate::Pass::Pass(std::shared_ptr<State> state, std::string key)
    : state_(std::move(state)), key_(std::move(key)) {}

Gate::Pass::~Pass() {
    if (state_) state_->let_out(key_);
}

Gate::Pass::Pass(Pass&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), key_(std::move(other.key_)) {}

Gate::Pass& Gate::Pass::operator=(Pass&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(key_, other.key_);
    return *this;
}

Gate::Gate(boost::asio::any_io_executor executor, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), limits)) {}

Gate::~Gate() = default;

Task<Gate::Pass> Gate::enter(std::string key, Turn turn, Deadline deadline) {
    const auto state = state_;
    if (state->has_room(key)) {
        state->let_in(key);
        co_return Pass(state, std::move(key));
    }
    if (state->queue.size() >= state->limits.waiting) co_return fail(AsyncError::busy);
    Place place(state, std::move(key), turn);
    auto waiting = place.turn_came().wait(deadline);
    const auto waited = co_await std::move(waiting);
    if (!waited) co_return fail(waited.error());
    co_return place.take();
}

std::size_t Gate::inside() const noexcept {
    return state_->inside;
}
std::size_t Gate::waiting() const noexcept {
    return state_->queue.size();
}

}  // namespace postern::async
