#pragma once

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/child_process.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/pulse.h"
#include "app/supervisor/readers.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/store_files.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::app::supervisor {

struct SupervisorOptions {
    config::Config config;
    StoreFiles store_files;
    std::vector<Role> roles;  ///< without reader
    bool offline = false;     ///< for one command: what ends is not started again
    bool create = false;
    RootKey root_key;
    os::Fd tls_certificate;
    os::Fd tls_key;
    Secret own_mail_password;
    std::string own_mail_ca;
    control::LogServerFiles log_server;
};

/// Keeps one process per role alive and connected to its partners. Never looks at what passes
/// between them. Lifecycle: launch(), perhaps make_root_key() or restore_root_key(), start(), then
/// stop(). When keeper or front ends, courier ends with it: what it held for them is void. One that
/// hangs (pulse.h) is ended, and started again like one that crashed.
///
/// Executor: one thread. Lifetime: directory and programs outlive it; stop() before it goes.
class Supervisor {
public:
    Supervisor(const boost::asio::any_io_executor& executor,
               const DataDirectory& directory,
               const Programs& programs,
               SupervisorOptions options);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    Outcome<> launch();
    OutcomeTask<> make_root_key(control::MakeRootKey asked);
    OutcomeTask<std::string> restore_root_key(control::RestoreRootKey asked);
    /// One step of keeper's move and then front's, before start(): not front's where keeper's
    /// failed, but for abandon. The rows that were copied.
    OutcomeTask<std::int64_t> move_stores(control::MoveStep step,
                                          config::StoreEngine from,
                                          config::StoreEngine to);
    void set_root_key(RootKey key) { options_.root_key = std::move(key); }
    /// Before anything else, unless the stores are made just now: the keyring, which has no way
    /// back, is migrated only where front has brought its own stores to this version. What has no
    /// front migrates no keyring.
    OutcomeTask<> look_at_stores();
    /// Settles a next root key, too.
    OutcomeTask<control::Ready> start();

    /// Hands a command line's connection to front, or to keeper.
    async::Job attach_admin(Role role, os::Fd socket);
    /// Front first, so that nobody asks for anything new; what does not end in time is killed.
    async::Job stop(std::chrono::milliseconds time);
    /// At once, also from within start(), which then refuses.
    void kill_all();

private:
    struct Slot {
        Slot(Role its_role, const boost::asio::any_io_executor& executor)
            : role(its_role), started(executor), gone(executor) {}
        Role role;
        ipc::Router router;
        std::shared_ptr<ChildProcess> child;
        std::shared_ptr<ipc::Peer> control;
        std::optional<Outcome<control::Ready>> outcome;
        bool ended_for_keeper = false;  ///< its end says nothing about how a start goes
        async::Signal started;
        async::Signal gone;  ///< for stop()
        std::vector<std::shared_ptr<async::Signal>> awaiting_end;
        Deadline::SteadyClock::time_point since;
        std::chrono::milliseconds back_off{0};

        [[nodiscard]] bool running() const { return child && child->running(); }
        [[nodiscard]] bool up() const { return running() && outcome && outcome->has_value(); }
    };

    [[nodiscard]] Slot* find(Role role);
    Outcome<> launch(Slot& slot);
    OutcomeTask<std::int64_t> move_store(Role role,
                                         control::MoveStep step,
                                         config::StoreEngine from,
                                         config::StoreEngine to);
    OutcomeTask<bool> look(Role role);
    void settle(bool next_fits);
    void take_next();
    [[nodiscard]] control::Start start_message(const Slot& slot) const;
    async::Job begin(Slot* slot);
    async::Job connect_partners(Slot* slot);
    async::Job connect(Slot* a, Slot* b);
    async::Job attach(std::shared_ptr<ipc::Peer> control, control::Partner partner, os::Fd socket);
    async::Job keep(Slot* slot);
    async::Job revive(Slot* slot);
    async::Job watch(Slot* slot);
    async::Job ping(Slot* slot, Pulse* pulse);
    void on_ended(Slot& slot, int status);
    async::Task<ipc::Nothing> end_courier();
    async::Task<control::ListProcesses::Answer> list_processes() const;
    async::Task<control::OpenAnchors::Answer> open_anchors(control::OpenAnchors asked) const;
    async::Task<ipc::Nothing> next_root_key(control::NextRootKey asked);
    async::Task<ipc::Nothing> root_key_changed();
    async::Job stop(Slot* slot, Deadline deadline);

    boost::asio::any_io_executor executor_;
    const DataDirectory& directory_;
    const Programs& programs_;
    SupervisorOptions options_;
    std::list<Slot> slots_;
    bool stopping_ = false;
    Readers readers_;
    async::TaskGroup tasks_;
};

}  // namespace postern::app::supervisor
