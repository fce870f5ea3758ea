#pragma once

#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/supervisor.h"
#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace postern::app::supervisor {

/// How one command reaches front, or keeper: over the socket of the running server, else over a
/// socket pair to processes of its own. close() before it goes.
///
/// Executor: one thread.
class Session {
public:
    explicit Session(const boost::asio::any_io_executor& executor);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// For ask(): to front.
    OutcomeTask<> open(cli::Place place);
    /// For both, after front has written down what is asked of keeper.
    OutcomeTask<> open_noted(cli::Place place, std::vector<cli::HostAct> acts);
    /// Makes everything; both can be asked then. What fails leaves nothing behind.
    OutcomeTask<> create(cli::Place place, Secret passphrase);
    /// After create(), when all else is there that belongs to it.
    [[nodiscard]] Outcome<> made() const;
    /// Undoes create(), after what else belongs to it has failed.
    async::Job abandon();
    /// Restores the root key; the answer is its fingerprint. Front is not started.
    OutcomeTask<std::string> recover(cli::Place place, Secret shares, Secret passphrase);
    /// Moves the stores to another engine; the answer is the number of rows. Until the data
    /// directory names the new engine the old stores are the ones in use, and a copy that fails is
    /// destroyed; afterwards the old stores are. What stops in between is done by the next call,
    /// and until then nothing else opens the stores.
    OutcomeTask<std::int64_t> move_stores(cli::Place place, config::StoreEngine to);
    async::Job close();

    /// Whether what was opened is the running server's.
    [[nodiscard]] bool is_with_server() const noexcept { return !directory_; }

    template <typename Method>
    OutcomeTask<typename Method::Answer> ask(Method method) {
        co_return co_await ask(front_, std::move(method));
    }
    template <typename Method>
    OutcomeTask<typename Method::Answer> ask_keeper(Method method) {
        co_return co_await ask(keeper_, std::move(method));
    }

private:
    /// A method that takes longer says so itself.
    template <typename Method>
    static constexpr std::chrono::seconds answer_time() {
        if constexpr (requires { Method::k_answer_time; }) {
            return Method::k_answer_time;
        } else {
            return std::chrono::seconds(30);
        }
    }

    using Peer = std::shared_ptr<ipc::Peer>;

    template <typename Method>
    static OutcomeTask<typename Method::Answer> ask(Peer peer, Method method) {
        auto answer =
            co_await ipc::call(peer.get(), std::move(method), Deadline::in(answer_time<Method>()));
        if (!answer) co_return refuse(answer.error());
        co_return std::move(*answer);
    }

    OutcomeTask<> start_own(cli::Place place);
    /// Programs and processes, not yet started.
    Outcome<> prepare(config::Config config, bool create);
    OutcomeTask<> start();
    OutcomeTask<std::int64_t> copy_stores(config::StoreEngine from, config::StoreEngine to);
    OutcomeTask<std::int64_t> give_up(config::StoreEngine from, config::StoreEngine to);
    OutcomeTask<> make(config::Config config, std::string root_key, Secret passphrase);
    Peer use(os::Fd socket);

    boost::asio::any_io_executor executor_;
    ipc::Router nothing_served_;
    std::unique_ptr<DataDirectory> directory_;
    std::unique_ptr<Programs> programs_;
    std::unique_ptr<Supervisor> supervisor_;
    Peer front_;
    Peer keeper_;
    std::string made_folder_;    ///< of create()
    std::string made_root_key_;  ///< of create()
    async::TaskGroup tasks_;
};

}  // namespace postern::app::supervisor
