#include "app/supervisor/supervisor.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/anchor_files.h"
#include "app/supervisor/child_process.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/root_key_file.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/secret.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/os/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <expected>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::seconds k_attach_time{10};
constexpr std::chrono::hours k_start_time{24};

control::Partner partner_of(Role role) {
    switch (role) {
        case Role::front: return control::Partner::front;
        case Role::keeper: return control::Partner::keeper;
        case Role::courier: return control::Partner::courier;
        case Role::reader: break;
    }
    return control::Partner::admin;
}

os::Fd copy_of(const os::Fd& file) {
    return os::Fd(file.valid() ? ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0) : -1);
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes(
        [](ByteView bytes) { return bytes.empty() ? Secret() : Secret::copy_of(bytes); });
}

async::Job serve(std::shared_ptr<ipc::Peer> peer) {
    co_await peer->run();
}

std::unexpected<control::Refusal> child_failed(Role role, const Error& error) {
    return refuse(
        SupervisorError::child_failed,
        std::string(name_of(role)) + ": " + std::string(error.code()) + " " + error.detail());
}

}  // namespace

Supervisor::Supervisor(const boost::asio::any_io_executor& executor,
                       const DataDirectory& directory,
                       const Programs& programs,
                       SupervisorOptions options)
    : executor_(executor),
      directory_(directory),
      programs_(programs),
      options_(std::move(options)),
      readers_(executor,
               programs.of(Role::reader),
               directory.path(),
               options_.config.isolation.only_log),
      tasks_(executor) {
    for (const auto role : options_.roles) {
        auto& slot = slots_.emplace_back(role, executor_);
        if (role == Role::front) {
            slot.router.on<control::StartReader>(
                [this](control::StartReader) { return readers_.start(); });
            slot.router.on<control::EndReader>(
                [this](control::EndReader asked) { return readers_.end(asked.number); });
            slot.router.on<control::ListProcesses>(
                [this](control::ListProcesses) { return list_processes(); });
            slot.router.on<control::OpenAnchors>(
                [this](control::OpenAnchors asked) { return open_anchors(asked); });
        }
        if (role == Role::keeper) {
            slot.router.on<control::EndCourier>(
                [this](control::EndCourier) { return end_courier(); });
            slot.router.on<control::NextRootKey>(
                [this](control::NextRootKey asked) { return next_root_key(std::move(asked)); });
            slot.router.on<control::RootKeyChanged>(
                [this](control::RootKeyChanged) { return root_key_changed(); });
        }
    }
}

Supervisor::~Supervisor() = default;

Supervisor::Slot* Supervisor::find(Role role) {
    const auto found = std::ranges::find(slots_, role, &Slot::role);
    return found == slots_.end() ? nullptr : &*found;
}

Outcome<> Supervisor::launch() {
    for (auto& slot : slots_) {
        if (auto launched = launch(slot); !launched) return launched;
        tasks_.spawn("keep", keep(&slot));
        tasks_.spawn("watch", watch(&slot));
    }
    return {};
}

Outcome<> Supervisor::launch(Slot& slot) {
    auto pair = os::socket_pair();
    if (!pair) return refuse(pair.error());
    ChildSettings settings{.role = slot.role,
                           .program = programs_.of(slot.role),
                           .directory = -1,
                           .instance = directory_.path()};
    if (slot.role == Role::front) settings.directory = directory_.store();
    if (slot.role == Role::keeper) settings.directory = directory_.keyring();
    auto started = ChildProcess::start(executor_, settings, std::move(pair->second));
    if (!started) return refuse(started.error());
    slot.child = std::move(*started);
    slot.control =
        std::make_shared<ipc::Peer>(executor_, std::move(pair->first), slot.router.handler());
    slot.outcome.reset();
    slot.since = Deadline::SteadyClock::now();
    tasks_.spawn("control", serve(slot.control));
    return {};
}

OutcomeTask<> Supervisor::make_root_key(control::MakeRootKey asked) {
    const auto control = find(Role::keeper)->control;
    auto answer = co_await ipc::call(control.get(), std::move(asked), Deadline::in(k_attach_time));
    if (!answer) co_return child_failed(Role::keeper, answer.error());
    if (!answer->refused.code.empty()) co_return std::unexpected(std::move(answer->refused));
    co_return Outcome<>{};
}

OutcomeTask<std::int64_t> Supervisor::move_store(Role role,
                                                 control::MoveStep step,
                                                 config::StoreEngine from,
                                                 config::StoreEngine to) {
    const auto control = find(role)->control;
    control::MoveStore ask{step, options_.store_files.access(role, from),
                           options_.store_files.access(role, to)};
    auto answer = co_await ipc::call(control.get(), std::move(ask), Deadline::in(k_start_time));
    if (!answer) co_return child_failed(role, answer.error());
    if (!answer->refused.code.empty()) co_return std::unexpected(std::move(answer->refused));
    co_return answer->rows;
}

OutcomeTask<std::int64_t> Supervisor::move_stores(control::MoveStep step,
                                                  config::StoreEngine from,
                                                  config::StoreEngine to) {
    Outcome<std::int64_t> all = 0;
    for (const auto role : {Role::keeper, Role::front}) {
        auto moved = co_await move_store(role, step, from, to);
        if (moved && all) *all += *moved;
        if (!moved && all) all = std::unexpected(std::move(moved.error()));
        // As much as can be is taken back.
        if (!all && step != control::MoveStep::abandon) break;
    }
    co_return all;
}

OutcomeTask<std::string> Supervisor::restore_root_key(control::RestoreRootKey asked) {
    const auto control = find(Role::keeper)->control;
    asked.store = options_.store_files.access(Role::keeper, options_.config.store.engine);
    auto answer = co_await ipc::call(control.get(), std::move(asked), Deadline::in(k_attach_time));
    if (!answer) co_return child_failed(Role::keeper, answer.error());
    if (!answer->refused.code.empty()) co_return std::unexpected(std::move(answer->refused));
    co_return std::move(answer->fingerprint);
}

control::Start Supervisor::start_message(const Slot& slot) const {
    control::Start message;
    message.config = options_.config;
    message.offline = options_.offline;
    message.create = options_.create;
    message.store = options_.store_files.access(slot.role, options_.config.store.engine);
    if (slot.role == Role::keeper) {
        const auto& key = options_.root_key;
        message.root_key = copy_of(key.file);
        message.next_root_key = copy_of(key.next);
        message.passphrase = copy_of(key.passphrase);
        message.next_passphrase = copy_of(key.next_passphrase);
    }
    if (slot.role == Role::front) {
        message.tls_certificate = copy_of(options_.tls_certificate);
        message.tls_key = copy_of(options_.tls_key);
    }
    if (slot.role == Role::courier) {
        message.own_mail_password = copy_of(options_.own_mail_password);
        message.own_mail_ca = options_.own_mail_ca;
        message.log_server.ca = options_.log_server.ca;
        message.log_server.certificate = options_.log_server.certificate;
        message.log_server.key = copy_of(options_.log_server.key);
    }
    return message;
}

async::Job Supervisor::begin(Slot* slot) {
    const auto control = slot->control;
    auto message = start_message(*slot);
    auto answer = co_await ipc::call(control.get(), std::move(message), Deadline::in(k_start_time));
    // Another one is started in its place, and answers for it.
    if (!answer && slot->ended_for_keeper) co_return;
    if (!answer) {
        slot->outcome.emplace(child_failed(slot->role, answer.error()));
    } else if (!answer->refused.code.empty()) {
        slot->outcome.emplace(std::unexpected(std::move(answer->refused)));
    } else {
        slot->outcome.emplace(answer->ready);
    }
    slot->started.set();
}

OutcomeTask<bool> Supervisor::look(Role role) {
    const auto control = find(role)->control;
    control::Look ask{options_.config,
                      options_.store_files.access(role, options_.config.store.engine)};
    auto answer = co_await ipc::call(control.get(), std::move(ask), Deadline::in(k_start_time));
    if (!answer) co_return child_failed(role, answer.error());
    if (!answer->refused.code.empty()) co_return std::unexpected(std::move(answer->refused));
    co_return answer->behind;
}

OutcomeTask<> Supervisor::look_at_stores() {
    auto behind = co_await look(Role::keeper);
    if (!behind) co_return std::unexpected(std::move(behind.error()));
    if (!*behind) co_return Outcome<>{};
    auto migrated = co_await look(Role::front);
    if (!migrated) co_return std::unexpected(std::move(migrated.error()));
    co_return Outcome<>{};
}

OutcomeTask<control::Ready> Supervisor::start() {
    if (!options_.create) {
        auto looked = co_await look_at_stores();
        if (!looked) {
            kill_all();
            co_return std::unexpected(std::move(looked.error()));
        }
    }
    for (auto a = slots_.begin(); a != slots_.end(); ++a) {
        for (auto b = std::next(a); b != slots_.end(); ++b)
            co_await connect(&*a, &*b);
    }
    for (auto& slot : slots_)
        tasks_.spawn("begin", begin(&slot));
    control::Ready ready;
    // In the order of options_.roles: keeper's reason is the one that explains front's.
    for (auto& slot : slots_) {
        while (!slot.outcome)
            (void)co_await slot.started.wait(Deadline::in(k_start_time));
        if (!*slot.outcome) {
            auto why = slot.outcome->error();
            kill_all();
            co_return std::unexpected(std::move(why));
        }
        if (slot.role == Role::front) ready = **slot.outcome;
        if (slot.role == Role::keeper) settle((*slot.outcome)->next_root_key);
    }
    co_return ready;
}

void Supervisor::settle(bool next_fits) {
    auto& key = options_.root_key;
    auto settled = remove_unfinished_root_key(key.path);
    if (key.next.valid()) settled = settle_root_key(key.path, next_fits);
    if (!settled) log(LogLevel::error, "root_key_not_settled", {{"error", settled.error()}});
    if (!key.next.valid()) return;
    if (next_fits) take_next();
    key.next = os::Fd();
    key.next_passphrase = Secret();
}

void Supervisor::take_next() {
    auto& key = options_.root_key;
    key.file = std::exchange(key.next, os::Fd());
    key.passphrase = std::exchange(key.next_passphrase, Secret());
}

async::Task<control::OpenAnchors::Answer> Supervisor::open_anchors(
    control::OpenAnchors asked) const {
    control::OpenAnchors::Answer answer;
    auto files = open_anchor_files(options_.config.audit.anchor_file, asked.step);
    if (files) {
        answer.present = std::move(files->present);
        answer.before = std::move(files->before);
    } else {
        answer.refused = control::refusal_of(files.error());
    }
    co_return answer;
}

async::Task<ipc::Nothing> Supervisor::next_root_key(control::NextRootKey asked) {
    options_.root_key.next = std::move(asked.file);
    options_.root_key.next_passphrase = std::move(asked.passphrase);
    co_return ipc::Nothing{};
}

async::Task<ipc::Nothing> Supervisor::root_key_changed() {
    if (options_.root_key.next.valid()) take_next();
    co_return ipc::Nothing{};
}

async::Job Supervisor::attach(std::shared_ptr<ipc::Peer> control,
                              control::Partner partner,
                              os::Fd socket) {
    control::Attach ask{partner, std::move(socket)};
    auto attached = co_await ipc::call(control.get(), std::move(ask), Deadline::in(k_attach_time));
    // It ended meanwhile: whoever starts it again connects it.
    if (!attached) log(LogLevel::debug, "attach_failed", {{"error", attached.error()}});
}

async::Job Supervisor::connect(Slot* a, Slot* b) {
    if (!a->running() || !b->running()) co_return;
    auto pair = os::socket_pair();
    if (!pair) {
        log(LogLevel::error, "no_socket_pair", {{"error", pair.error()}});
        co_return;
    }
    co_await attach(a->control, partner_of(b->role), std::move(pair->first));
    co_await attach(b->control, partner_of(a->role), std::move(pair->second));
}

async::Job Supervisor::connect_partners(Slot* slot) {
    for (auto& other : slots_) {
        // Courier is started after both of its partners, and connected then.
        if (&other != slot && (slot->role == Role::courier || other.role != Role::courier)) {
            co_await connect(slot, &other);
        }
    }
}

async::Job Supervisor::attach_admin(Role role, os::Fd socket) {
    const auto* slot = find(role);
    if (slot == nullptr || !slot->running()) co_return;
    const auto control = slot->control;
    co_await attach(control, control::Partner::admin, std::move(socket));
}

}  // namespace postern::app::supervisor
