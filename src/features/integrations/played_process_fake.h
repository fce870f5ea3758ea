#pragma once

#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::integrations::test {

/// What becomes of a call that is made to fail.
enum class Fault {
    refused,      ///< nothing was done
    answer_lost,  ///< it was done, and the caller is not told
};

/// Writes down what it is asked, and refuses, forgets or holds up any of it.
class PlayedProcess : public keys::test::PlayedPeer {
public:
    explicit PlayedProcess(net::test::Loop& loop)
        : PlayedPeer(loop), executor_(loop.io.get_executor()) {}

    /// The call number `at` from now on, the next being 0; with `for_good` all after it, too.
    void fail_call(int at, Fault fault, bool for_good = false) {
        calls.clear();
        fail_at_ = at;
        fault_ = fault;
        for_good_ = for_good;
        failed = 0;
    }
    /// Every call of this name.
    void fail_named(std::string name, Fault fault = Fault::refused) {
        fail_name_ = std::move(name);
        fault_ = fault;
    }
    /// The next call of this name is the last one that is heard of.
    void die_at(std::string name, Fault fault) {
        fail_named(std::move(name), fault);
        dies_ = true;
        failed = 0;
    }
    void heal() {
        fail_at_ = k_never;
        fail_name_.clear();
        dies_ = false;
    }
    /// Holds up calls of this name, before anything is done, until they are released.
    void hold(std::string name) { held_names_.insert(std::move(name)); }
    /// Holds up the answer of calls of this name, which were carried out by then.
    void hold_answer(std::string name) { held_answers_.insert(std::move(name)); }
    void release(std::string_view name) {
        const auto is_it = [&](const auto& held) { return held == name; };
        std::erase_if(held_names_, is_it);
        std::erase_if(held_answers_, is_it);
        for (const auto& [waiting, gate] : waiting_) {
            if (waiting == name) gate->set();
        }
    }
    /// The one that has waited longest; calls of its name are still held up.
    void release_first() { waiting_.front().second->set(); }
    [[nodiscard]] std::size_t holding() const { return waiting_.size(); }
    [[nodiscard]] int count(std::string_view name) const {
        int times = 0;
        for (const auto& call : calls)
            times += call == name ? 1 : 0;
        return times;
    }

    std::vector<std::string> calls;
    int failed = 0;  ///< calls that were made to fail
    /// Called with the name of every call before anything is done.
    std::function<void(std::string_view)> on_call;

protected:
    /// `function`: Result<Method::Answer>(Method&)
    template <typename Method, typename F>
    void serve(std::string name, F function) {
        router_.on<Method>([this, name = std::move(name), function](Method ask) {
            return answer<Method>(name, function, std::move(ask));
        });
    }

private:
    template <typename Method, typename F>
    async::Task<typename Method::Answer> answer(std::string name, F function, Method ask) {
        const bool fails = is_failing(static_cast<int>(calls.size()), name);
        const bool refused = fails && (fault_ == Fault::refused || (dies_ && failed > 0));
        failed += fails ? 1 : 0;
        calls.push_back(name);
        if (on_call) on_call(name);
        if (held_names_.contains(name)) co_await wait(name);
        if (refused) co_return fail(keys::KeyError::storage_failed, "played");
        auto done = function(ask);
        if (held_answers_.contains(name)) co_await wait(name);
        if (fails) co_return fail(ipc::IpcError::busy, "played");
        co_return done;
    }
    async::Job wait(std::string name) {
        const auto gate = std::make_shared<async::Signal>(executor_);
        waiting_.emplace_back(std::move(name), gate);
        (void)co_await gate->wait(net::test::soon());
        std::erase_if(waiting_, [&](const auto& entry) { return entry.second == gate; });
    }
    [[nodiscard]] bool is_failing(int number, std::string_view name) const {
        if (number == fail_at_ || (for_good_ && number > fail_at_)) return true;
        if (dies_ && failed > 0) return true;
        return !fail_name_.empty() && name == fail_name_;
    }

    static constexpr int k_never = 1 << 30;
    boost::asio::any_io_executor executor_;
    std::set<std::string> held_names_;
    std::set<std::string> held_answers_;
    std::vector<std::pair<std::string, std::shared_ptr<async::Signal>>> waiting_;
    bool dies_ = false;
    int fail_at_ = k_never;
    bool for_good_ = false;
    Fault fault_ = Fault::refused;
    std::string fail_name_;
};

}  // namespace postern::integrations::test
