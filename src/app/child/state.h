#pragma once

#include "app/child/child_main.h"
#include "app/child/runtime.h"
#include "platform/async/loop.h"
#include "platform/async/signal.h"
#include "platform/ipc/peer.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace postern::app::child {

/// What the runtime and the control connection share. Internal to app/child.
struct Runtime::State {
    State(async::Loop& on, const Role& its_role);

    async::Loop& loop;
    const Role& role;
    SystemClock clock;
    boost::asio::any_io_executor executor;
    Runtime runtime{*this};
    ipc::Router router;
    std::shared_ptr<ipc::Peer> control;
    int exit_status = 1;

    control::Start start;
    bool is_fenced = false;
    bool is_started = false;
    std::string missing_isolation;
    control::Start::Answer answer;
    async::Signal answered;
    async::Signal stopping;
    bool is_ready = false;
    bool is_stopping = false;
    Deadline stop_deadline = Deadline::in(std::chrono::seconds(5));

    std::map<control::Partner, std::function<void(os::Fd)>> link_functions;
    std::map<control::Partner, std::vector<os::Fd>> waiting_links;

    async::TaskGroup tasks;  ///< the role's
    async::TaskGroup own;    ///< run() and the control connection

    Result<> enter_fence(const config::Config& config);
    async::Task<control::Look::Answer> on_look(control::Look asked);
    async::Task<control::Start::Answer> on_start(control::Start asked);
    async::Task<ipc::Nothing> on_attach(control::Attach asked);
    async::Task<ipc::Nothing> on_ping();
    async::Task<ipc::Nothing> on_stop(control::Stop asked);
    async::Job run_role();
    async::Job run_control();
    void refuse(const Error& error);
    void end(int status);
};

}  // namespace postern::app::child
