#pragma once

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/os/fd.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace postern::app::child {

/// What a role's run() finds: its settings, its connections to the other processes and its end.
///
///     async::Task<> run(child::Runtime& runtime) {
///         ... open, serve ...               // an error here is why the server does not start
///         runtime.on_link(control::Partner::keeper, [&](os::Fd s) { keeper.attach(std::move(s));
///         }); runtime.ready({.port = ...}); co_await runtime.stop_requested();
///         ... end until runtime.stop_deadline(), then return ...
///     }
///
/// Executor: one thread, the loop's. Lifetime: outlives run() and every job of tasks().
class Runtime {
public:
    struct State;
    explicit Runtime(State& state) : state_(state) {}
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    [[nodiscard]] const config::Config& config() const noexcept;
    /// For one command only: no listeners, no jobs; serve the admin link.
    [[nodiscard]] bool offline() const noexcept;
    /// The store is to be made.
    [[nodiscard]] bool create() const noexcept;
    /// fence::missing_isolation() as it was before the fence closed.
    [[nodiscard]] const std::string& missing_isolation() const noexcept;
    [[nodiscard]] const Clock& clock() const noexcept;
    [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept;
    /// Cancelled and joined after run().
    [[nodiscard]] async::TaskGroup& tasks() noexcept;

    /// Keeper's; each once.
    [[nodiscard]] os::Fd take_root_key() noexcept;
    /// Front's and keeper's. Lifetime: the runtime's.
    [[nodiscard]] control::StoreAccess& store_access() noexcept;
    [[nodiscard]] os::Fd take_next_root_key() noexcept;
    [[nodiscard]] Secret take_passphrase() noexcept;
    [[nodiscard]] Secret take_next_passphrase() noexcept;
    /// Courier's, of the server's own mail.
    [[nodiscard]] Secret take_own_mail_password() noexcept;
    [[nodiscard]] const std::string& own_mail_ca() const noexcept;
    /// Courier's; once.
    [[nodiscard]] control::LogServerFiles take_log_server_files() noexcept;
    /// Paths at which this process can read the operator's certificate and key, whoever owns them.
    [[nodiscard]] std::optional<config::Tls> tls() const;

    /// Calls `function` with every new connection to `partner`: those that came already at once.
    void on_link(control::Partner partner, std::function<void(os::Fd)> function);
    /// Front's: a connection to a fresh reader, which ends when it is closed; tell end_reader()
    /// then. Errors: ControlError::too_many_readers, no_reader, IpcError.
    async::Task<control::StartReader::Answer> start_reader(Deadline deadline);
    void end_reader(std::uint64_t number);
    /// Front's: what the kernel tells of every process of ours. Errors: IpcError, deadline_passed.
    async::Task<control::ListProcesses::Answer> list_processes(Deadline deadline);
    /// Front's: see control::OpenAnchors. Errors: IpcError, deadline_passed.
    async::Task<control::OpenAnchors::Answer> open_anchors(control::AnchorStep step,
                                                           Deadline deadline);
    /// Keeper's: ends the process that is courier now, with every connection it has.
    /// Errors: IpcError, deadline_passed.
    async::Task<> end_courier(Deadline deadline);

    /// Keeper's: see control::NextRootKey. Errors: IpcError, deadline_passed.
    async::Task<> next_root_key(os::Fd file, Secret passphrase, Deadline deadline);
    async::Task<> root_key_changed(Deadline deadline);

    /// What is served; call it once.
    void ready(control::Ready ready);
    /// Ends the role as if the supervisor had asked, which then starts it anew.
    void ask_to_stop();
    /// Resumes when the supervisor asks to stop.
    async::Job stop_requested();
    /// Soon after the start of the stop; past it this process is killed.
    [[nodiscard]] Deadline stop_deadline() const noexcept;

private:
    State& state_;
};

}  // namespace postern::app::child
