#include "app/supervisor/session.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/admin_socket.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/place_error.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/root_key_file.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/store_files.h"
#include "app/supervisor/supervisor.h"
#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/fd.h"
#include "platform/os/process.h"

#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::milliseconds k_stop_time{5000};

async::Job serve(std::shared_ptr<ipc::Peer> peer) {
    co_await peer->run();
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes(
        [](ByteView bytes) { return bytes.empty() ? Secret() : Secret::copy_of(bytes); });
}

/// Of one command: what it asks of keeper, front writes down.
constexpr std::array k_command_roles{Role::keeper, Role::front};

}  // namespace

Session::Session(const boost::asio::any_io_executor& executor)
    : executor_(executor), tasks_(executor) {}

Session::Peer Session::use(os::Fd socket) {
    auto peer =
        std::make_shared<ipc::Peer>(executor_, std::move(socket), nothing_served_.handler());
    tasks_.spawn("admin", serve(peer));
    return peer;
}

OutcomeTask<> Session::open(cli::Place place) {
    auto running = AdminSocket::connect(place.data, AdminSocket::k_front);
    if (!running) co_return refuse(running.error());
    if (!running->valid()) co_return co_await start_own(std::move(place));
    front_ = use(std::move(*running));
    co_return Outcome<>{};
}

OutcomeTask<> Session::open_noted(cli::Place place, std::vector<cli::HostAct> acts) {
    const auto data = place.data;
    auto opened = co_await open(std::move(place));
    if (!opened) co_return opened;
    if (!keeper_) {
        auto running = AdminSocket::connect(data, AdminSocket::k_keeper);
        if (!running) co_return refuse(running.error());
        if (!running->valid()) co_return refuse(SupervisorError::server_silent, data);
        keeper_ = use(std::move(*running));
    }
    cli::NoteHostActs note{std::move(acts)};
    auto noted = co_await ask(std::move(note));
    if (!noted) co_return std::unexpected(std::move(noted.error()));
    co_return Outcome<>{};
}

OutcomeTask<> Session::start_own(cli::Place place) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    auto directory = DataDirectory::open(place.data);
    // Between a server's start and its socket, or between its socket's end and its own.
    if (!directory && directory.error().is(PlaceError::in_use)) {
        co_return refuse(SupervisorError::server_silent, place.data);
    }
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    auto settled = directory_->check_not_moving();
    if (!settled) co_return refuse(settled.error());
    auto same = check_engine(*directory_, loaded->config.store);
    if (!same) co_return same;
    auto root_key = open_root_key_of(place, loaded->config);
    if (!root_key) co_return std::unexpected(std::move(root_key.error()));
    auto prepared = prepare(std::move(loaded->config), false);
    if (!prepared) co_return prepared;
    supervisor_->set_root_key(std::move(*root_key));
    co_return co_await start();
}

Outcome<> Session::prepare(config::Config config, bool create) {
    auto programs = Programs::open();
    if (!programs) return refuse(programs.error());
    programs_ = std::make_unique<Programs>(std::move(*programs));
    auto store_files = StoreFiles::read(config.store);
    if (!store_files) return std::unexpected(std::move(store_files.error()));
    SupervisorOptions options;
    options.store_files = std::move(*store_files);
    options.config = std::move(config);
    options.roles = {k_command_roles.begin(), k_command_roles.end()};
    options.offline = true;
    options.create = create;
    supervisor_ =
        std::make_unique<Supervisor>(executor_, *directory_, *programs_, std::move(options));
    return supervisor_->launch();
}

OutcomeTask<> Session::start() {
    auto ready = co_await supervisor_->start();
    if (!ready) co_return std::unexpected(std::move(ready.error()));
    for (const auto role : k_command_roles) {
        auto pair = os::socket_pair();
        if (!pair) co_return refuse(pair.error());
        co_await supervisor_->attach_admin(role, std::move(pair->second));
        (role == Role::front ? front_ : keeper_) = use(std::move(pair->first));
    }
    co_return Outcome<>{};
}

OutcomeTask<> Session::create(cli::Place place, Secret passphrase) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    auto directory = DataDirectory::create(place.data);
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    made_folder_ = place.data;
    const auto engine = loaded->config.store.engine;
    auto noted = Result<>{};
    if (engine != config::StoreEngine::sqlite) noted = directory_->set_engine(engine);
    if (!noted) co_return refuse(noted.error());
    const auto root_key = root_key_of(place, loaded->config);
    auto made = co_await make(std::move(loaded->config), root_key, std::move(passphrase));
    if (!made) co_await abandon();
    co_return made;
}

Outcome<> Session::made() const {
    const auto done = directory_->made();
    if (!done) return refuse(done.error());
    return {};
}

async::Job Session::abandon() {
    co_await close();
    directory_.reset();
    if (!made_root_key_.empty()) ::unlink(made_root_key_.c_str());
    DataDirectory::abandon(made_folder_);
}

OutcomeTask<> Session::make(config::Config config, std::string root_key, Secret passphrase) {
    auto file = NewRootKeyFile::begin(root_key);
    if (!file) co_return refuse(file.error());
    const auto engine = config.store.engine;
    auto prepared = prepare(std::move(config), true);
    if (!prepared) co_return prepared;
    // Both before either is made: files go with their folder, what lies on a server would stay,
    // bound to a root key that is gone.
    auto looked = Outcome<std::int64_t>(0);
    if (engine != config::StoreEngine::sqlite) {
        looked = co_await supervisor_->move_stores(control::MoveStep::look, engine, engine);
    }
    if (!looked) co_return std::unexpected(std::move(looked.error()));
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    control::MakeRootKey ask{std::move(*descriptor), copy_of(passphrase)};
    auto written = co_await supervisor_->make_root_key(std::move(ask));
    if (!written) co_return written;
    if (auto committed = file->commit(); !committed) co_return refuse(committed.error());
    made_root_key_ = root_key;
    auto opened = open_root_key(root_key);
    if (!opened) co_return refuse(opened.error());
    RootKey key{root_key, std::move(*opened), os::Fd(), std::move(passphrase), Secret()};
    supervisor_->set_root_key(std::move(key));
    co_return co_await start();
}

OutcomeTask<std::string> Session::recover(cli::Place place, Secret shares, Secret passphrase) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    auto directory = DataDirectory::open(place.data);
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    auto settled = directory_->check_not_moving();
    if (!settled) co_return refuse(settled.error());
    auto same = check_engine(*directory_, loaded->config.store);
    if (!same) co_return std::unexpected(std::move(same.error()));
    auto file = NewRootKeyFile::begin(root_key_of(place, loaded->config));
    if (!file) co_return refuse(file.error());
    auto prepared = prepare(std::move(loaded->config), false);
    if (!prepared) co_return std::unexpected(std::move(prepared.error()));
    auto looked = co_await supervisor_->look_at_stores();
    if (!looked) co_return std::unexpected(std::move(looked.error()));
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    control::RestoreRootKey ask{std::move(shares), std::move(*descriptor), std::move(passphrase),
                                control::StoreAccess{}};
    auto fingerprint = co_await supervisor_->restore_root_key(std::move(ask));
    if (!fingerprint) co_return fingerprint;
    if (auto committed = file->commit(); !committed) co_return refuse(committed.error());
    co_return fingerprint;
}

OutcomeTask<std::int64_t> Session::move_stores(cli::Place place, config::StoreEngine to) {
    using Engine = config::StoreEngine;
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    const auto& store = loaded->config.store;
    if (store.bulk.hosts.empty() || store.keyring.hosts.empty()) {
        co_return refuse(SupervisorError::no_target);
    }
    auto directory = DataDirectory::open(place.data);
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    const auto now = directory_->engine();
    if (!now) co_return refuse(now.error());
    const auto begun = directory_->moving();
    if (!begun) co_return refuse(begun.error());
    auto prepared = prepare(std::move(loaded->config), false);
    if (!prepared) co_return std::unexpected(std::move(prepared.error()));
    const auto other = to == Engine::sqlite ? Engine::postgresql : Engine::sqlite;
    if (*begun == other && *now == other) {
        auto settled = directory_->check_not_moving();
        co_return refuse(settled.error());
    }
    // Back to where the stores still lie: what was begun is given up.
    if (*begun == other) co_return co_await give_up(to, other);
    std::int64_t rows = 0;
    if (*now != to) {
        auto copied = co_await copy_stores(other, to);
        if (!copied) co_return copied;
        rows = *copied;
        const auto switched = directory_->set_engine(to);
        if (!switched) co_return refuse(switched.error());
    }
    auto finished = co_await supervisor_->move_stores(control::MoveStep::finish, other, to);
    if (!finished) co_return finished;
    const auto ended = directory_->end_moving();
    if (!ended) co_return refuse(ended.error());
    co_return rows;
}

OutcomeTask<std::int64_t> Session::copy_stores(config::StoreEngine from, config::StoreEngine to) {
    auto looked = co_await supervisor_->move_stores(control::MoveStep::look, from, to);
    if (!looked) co_return looked;
    const auto noted = directory_->begin_moving(to);
    if (!noted) co_return refuse(noted.error());
    auto copied = co_await supervisor_->move_stores(control::MoveStep::copy, from, to);
    if (copied) co_return copied;
    auto undone = co_await give_up(from, to);
    if (!undone) {
        copied.error().detail +=
            "; what was copied could not be taken back: " + undone.error().code + " " +
            undone.error().detail;
    }
    co_return copied;
}

OutcomeTask<std::int64_t> Session::give_up(config::StoreEngine from, config::StoreEngine to) {
    auto undone = co_await supervisor_->move_stores(control::MoveStep::abandon, from, to);
    if (!undone) co_return undone;
    const auto ended = directory_->end_moving();
    if (!ended) co_return refuse(ended.error());
    co_return 0;
}

async::Job Session::close() {
    if (front_) front_->close();
    if (keeper_) keeper_->close();
    if (supervisor_) co_await supervisor_->stop(k_stop_time);
    tasks_.cancel();
    co_await tasks_.join();
}

}  // namespace postern::app::supervisor
