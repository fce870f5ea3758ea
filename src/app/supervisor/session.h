#pragma once

#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/supervisor.h"
#include "edge/cli/installation.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"

#include <chrono>
#include <memory>

namespace postern::app::supervisor {

/// How one command reaches front: over the admin socket of the running server, else over a socket
/// pair to a front and a keeper of its own. close() before it goes.
///
/// Executor: one thread.
class Session {
public:
    explicit Session(const boost::asio::any_io_executor& executor);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    OutcomeTask<> open(cli::Place place);
    /// Makes everything; the answer is the recovery text. What fails leaves nothing behind.
    OutcomeTask<Secret> create(cli::Place place);
    /// Restores the root key; the answer is its fingerprint. Front is not started.
    OutcomeTask<std::string> recover(cli::Place place, Secret share);
    async::Job close();

    template <typename Method>
    OutcomeTask<typename Method::Answer> ask(Method method) {
        const auto admin = admin_;
        auto answer =
            co_await ipc::call(admin.get(), std::move(method), Deadline::in(k_answer_time));
        if (!answer) co_return refuse(answer.error());
        co_return std::move(*answer);
    }

private:
    static constexpr std::chrono::seconds k_answer_time{30};

    OutcomeTask<> start_own(cli::Place place);
    /// Programs and processes, not yet started.
    Outcome<> prepare(config::Config config, bool create);
    OutcomeTask<> start();
    OutcomeTask<Secret> make(config::Config config, std::string root_key, bool* key_is_ours);
    void use(os::Fd socket);

    boost::asio::any_io_executor executor_;
    ipc::Router nothing_served_;
    std::unique_ptr<DataDirectory> directory_;
    std::unique_ptr<Programs> programs_;
    std::unique_ptr<Supervisor> supervisor_;
    std::shared_ptr<ipc::Peer> admin_;
    async::TaskGroup tasks_;
};

}  // namespace postern::app::supervisor
