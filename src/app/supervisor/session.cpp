#include "app/supervisor/session.h"

#include "app/supervisor/admin_socket.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/root_key_file.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/supervisor.h"
#include "edge/cli/installation.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/fd.h"
#include "platform/os/process.h"

#include <unistd.h>
#include <chrono>
#include <expected>
#include <memory>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::milliseconds k_stop_time{5000};

async::Job serve(std::shared_ptr<ipc::Peer> peer) {
    co_await peer->run();
}

}  // namespace

Session::Session(const boost::asio::any_io_executor& executor)
    : executor_(executor), tasks_(executor) {}

void Session::use(os::Fd socket) {
    admin_ = std::make_shared<ipc::Peer>(executor_, std::move(socket), nothing_served_.handler());
    tasks_.spawn("admin", serve(admin_));
}

OutcomeTask<> Session::open(cli::Place place) {
    auto running = AdminSocket::connect(place.data);
    if (!running) co_return refuse(running.error());
    if (!running->valid()) co_return co_await start_own(std::move(place));
    use(std::move(*running));
    co_return Outcome<>{};
}

OutcomeTask<> Session::start_own(cli::Place place) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    auto directory = DataDirectory::open(place.data);
    // Between a server's start and its socket, or between its socket's end and its own.
    if (!directory && directory.error().is(SupervisorError::in_use)) {
        co_return refuse(SupervisorError::server_silent, place.data);
    }
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    auto root_key = open_root_key(root_key_of(place, loaded->config));
    if (!root_key) co_return refuse(root_key.error());
    auto prepared = prepare(std::move(loaded->config), false);
    if (!prepared) co_return prepared;
    supervisor_->set_root_key(std::move(*root_key));
    co_return co_await start();
}

Outcome<> Session::prepare(config::Config config, bool create) {
    auto programs = Programs::open();
    if (!programs) return refuse(programs.error());
    programs_ = std::make_unique<Programs>(std::move(*programs));
    SupervisorOptions options;
    options.config = std::move(config);
    options.roles = {Role::keeper, Role::front};
    options.offline = true;
    options.create = create;
    supervisor_ =
        std::make_unique<Supervisor>(executor_, *directory_, *programs_, std::move(options));
    return supervisor_->launch();
}

OutcomeTask<> Session::start() {
    auto ready = co_await supervisor_->start();
    if (!ready) co_return std::unexpected(std::move(ready.error()));
    auto pair = os::socket_pair();
    if (!pair) co_return refuse(pair.error());
    co_await supervisor_->attach_admin(std::move(pair->second));
    use(std::move(pair->first));
    co_return Outcome<>{};
}

OutcomeTask<Secret> Session::create(cli::Place place) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    const auto root_key = root_key_of(place, loaded->config);
    auto directory = DataDirectory::create(place.data);
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    bool key_is_ours = false;
    auto made = co_await make(std::move(loaded->config), root_key, &key_is_ours);
    if (made) co_return made;
    co_await close();
    directory_.reset();
    if (key_is_ours) ::unlink(root_key.c_str());
    DataDirectory::abandon(place.data);
    co_return made;
}

OutcomeTask<Secret> Session::make(config::Config config, std::string root_key, bool* key_is_ours) {
    auto file = NewRootKeyFile::begin(root_key);
    if (!file) co_return refuse(file.error());
    auto prepared = prepare(std::move(config), true);
    if (!prepared) co_return std::unexpected(std::move(prepared.error()));
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    auto recovery = co_await supervisor_->make_root_key(std::move(*descriptor));
    if (!recovery) co_return recovery;
    if (auto committed = file->commit(); !committed) co_return refuse(committed.error());
    *key_is_ours = true;
    auto opened = open_root_key(root_key);
    if (!opened) co_return refuse(opened.error());
    supervisor_->set_root_key(std::move(*opened));
    auto started = co_await start();
    if (!started) co_return std::unexpected(std::move(started.error()));
    co_return recovery;
}

OutcomeTask<std::string> Session::recover(cli::Place place, Secret share) {
    auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(std::move(loaded.error()));
    auto directory = DataDirectory::open(place.data);
    if (!directory) co_return refuse(directory.error());
    directory_ = std::make_unique<DataDirectory>(std::move(*directory));
    auto file = NewRootKeyFile::begin(root_key_of(place, loaded->config));
    if (!file) co_return refuse(file.error());
    auto prepared = prepare(std::move(loaded->config), false);
    if (!prepared) co_return std::unexpected(std::move(prepared.error()));
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    auto fingerprint =
        co_await supervisor_->restore_root_key(std::move(share), std::move(*descriptor));
    if (!fingerprint) co_return fingerprint;
    if (auto committed = file->commit(); !committed) co_return refuse(committed.error());
    co_return fingerprint;
}

async::Job Session::close() {
    if (admin_) admin_->close();
    if (supervisor_) co_await supervisor_->stop(k_stop_time);
    tasks_.cancel();
    co_await tasks_.join();
}

}  // namespace postern::app::supervisor
