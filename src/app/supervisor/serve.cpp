#include "app/supervisor/serve.h"

#include "app/config/config.h"
#include "app/config/load.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/admin_socket.h"
#include "app/supervisor/alone.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/service_manager.h"
#include "app/supervisor/settings.h"
#include "app/supervisor/signals.h"
#include "app/supervisor/store_files.h"
#include "app/supervisor/supervisor.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <chrono>
#include <csignal>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::milliseconds k_stop_time{6000};
constexpr std::size_t k_pem_bytes_max = 1U << 20U;
constexpr std::size_t k_password_bytes_max = 1024;

/// Into memory that front may read although it may not read the file.
Outcome<os::Fd> memory_copy(const std::string& path) {
    auto text = os::read_file(path, k_pem_bytes_max);
    if (!text) return refuse(SupervisorError::certificate_unreadable, text.error().detail());
    auto file = os::make_memory_file(as_bytes(*text));
    wipe(text->data(), text->size());
    if (!file) return refuse(file.error());
    return std::move(*file);
}

/// What only courier is given.
Outcome<> read_own_mail(const config::Smtp& smtp, SupervisorOptions& options) {
    if (!smtp.password_file.empty()) {
        auto text = os::read_file(smtp.password_file, k_password_bytes_max);
        if (!text) return refuse(SupervisorError::own_mail_unreadable, text.error().detail());
        while (text->ends_with('\n') || text->ends_with('\r'))
            text->pop_back();
        options.own_mail_password = Secret::take(*text);
    }
    if (smtp.ca_file.empty()) return {};
    auto text = os::read_file(smtp.ca_file, k_pem_bytes_max);
    if (!text) return refuse(SupervisorError::own_mail_unreadable, text.error().detail());
    options.own_mail_ca = std::move(*text);
    return {};
}

/// What only courier is given. No path: nothing.
Outcome<std::string> read_log_server_file(const std::string& path) {
    if (path.empty()) return std::string();
    auto text = os::read_file(path, k_pem_bytes_max);
    if (!text) return refuse(SupervisorError::log_server_unreadable, text.error().detail());
    return std::move(*text);
}

Outcome<control::LogServerFiles> read_log_server(const config::LogServer& server) {
    control::LogServerFiles files;
    auto ca = read_log_server_file(server.ca_file);
    if (!ca) return std::unexpected(std::move(ca.error()));
    auto certificate = read_log_server_file(server.certificate_file);
    if (!certificate) return std::unexpected(std::move(certificate.error()));
    auto key = read_log_server_file(server.key_file);
    if (!key) return std::unexpected(std::move(key.error()));
    files.ca = std::move(*ca);
    files.certificate = std::move(*certificate);
    files.key = Secret::take(*key);
    return files;
}

Outcome<SupervisorOptions> options_of(const cli::Place& place, config::Config config) {
    SupervisorOptions options;
    options.roles = {Role::keeper, Role::front, Role::courier};
    auto root_key = open_root_key_of(place, config);
    if (!root_key) return std::unexpected(std::move(root_key.error()));
    options.root_key = std::move(*root_key);
    auto store_files = StoreFiles::read(config.store);
    if (!store_files) return std::unexpected(std::move(store_files.error()));
    options.store_files = std::move(*store_files);
    if (config.tls) {
        auto certificate = memory_copy(config.tls->certificate_file);
        if (!certificate) return std::unexpected(std::move(certificate.error()));
        auto key = memory_copy(config.tls->key_file);
        if (!key) return std::unexpected(std::move(key.error()));
        options.tls_certificate = std::move(*certificate);
        options.tls_key = std::move(*key);
    }
    if (config.smtp) {
        auto read = read_own_mail(*config.smtp, options);
        if (!read) return std::unexpected(std::move(read.error()));
    }
    if (config.audit.anchor_syslog) {
        auto files = read_log_server(*config.audit.anchor_syslog);
        if (!files) return std::unexpected(std::move(files.error()));
        options.log_server = std::move(*files);
    }
    options.config = std::move(config);
    return options;
}

void log_start(const config::Loaded& loaded) {
    const auto missing = missing_isolation(loaded.config);
    if (!missing.empty()) {
        log(LogLevel::warning, "not_isolated", {LogField::sanitised("reason", missing)});
    }
    for (const auto& name : loaded.not_acted_on) {
        log(LogLevel::warning, "setting_without_effect", {LogField::sanitised("setting", name)});
    }
}

cli::Serving serving_of(const config::Config& config, control::Ready ready) {
    cli::Serving serving{url_of(config.listen.front(), ready.port), ""};
    if (ready.metrics_port != 0 && !config.metrics_listen.empty()) {
        const auto& listen = config.metrics_listen.front();
        serving.metrics_url = url_of(listen, ready.metrics_port);
    }
    return serving;
}

/// One running server.
class Server {
public:
    Server(const boost::asio::any_io_executor& executor,
           const DataDirectory& directory,
           const Programs& programs,
           SupervisorOptions options)
        : executor_(executor),
          directory_(directory),
          config_(options.config),
          root_key_(options.root_key.path),
          supervisor_(executor, directory, programs, std::move(options)),
          tasks_(executor) {}

    OutcomeTask<> run(std::function<void(const cli::Serving&)> announce) {
        auto signals = Signals::block(executor_);
        if (!signals) co_return refuse(signals.error());
        tasks_.spawn("signals", obey(std::move(*signals)));
        auto launched = supervisor_.launch();
        if (!launched) co_return launched;
        // Before the first answer of readyz, so that whoever waits for it finds the socket, too.
        auto ended = open_sockets();
        if (ended) ended = co_await serve_until_stopped(std::move(announce));
        co_await supervisor_.stop(k_stop_time);
        tasks_.cancel();
        co_await tasks_.join();
        co_return ended;
    }

private:
    OutcomeTask<> serve_until_stopped(std::function<void(const cli::Serving&)> announce) {
        auto ready = co_await supervisor_.start();
        if (is_stopping_) co_return refuse(SupervisorError::interrupted);
        if (!ready) co_return std::unexpected(std::move(ready.error()));
        is_ready_ = true;
        announce(serving_of(config_, *ready));
        tell_service_manager("READY=1");
        while (!is_stopping_)
            (void)co_await stop_.wait(Deadline::in(std::chrono::hours(24)));
        log(LogLevel::info, "stopping");
        tell_service_manager("STOPPING=1");
        co_return Outcome<>{};
    }

    Outcome<> open_sockets() {
        const auto pointed = directory_.point_at_root_key(root_key_);
        if (!pointed) return refuse(pointed.error());
        for (const auto& [name, role] : {std::pair(AdminSocket::k_front, Role::front),
                                         std::pair(AdminSocket::k_keeper, Role::keeper)}) {
            auto socket = AdminSocket::listen(executor_, directory_.run(), name);
            if (!socket) return refuse(socket.error());
            tasks_.spawn("admin_socket", admit(role, std::move(*socket)));
        }
        return {};
    }

    async::Job admit(Role role, std::unique_ptr<AdminSocket> socket) {
        while (true) {
            auto connection = co_await socket->accept();
            if (!connection) co_return;
            co_await supervisor_.attach_admin(role, std::move(*connection));
        }
    }

    async::Job obey(std::unique_ptr<Signals> signals) {
        while (true) {
            const auto number = co_await signals->wait();
            if (!number) co_return;
            if (*number == SIGHUP) continue;
            is_stopping_ = true;
            stop_.set();
            if (!is_ready_) supervisor_.kill_all();
        }
    }

    boost::asio::any_io_executor executor_;
    const DataDirectory& directory_;
    config::Config config_;
    std::string root_key_;
    Supervisor supervisor_;
    async::Signal stop_{executor_};
    bool is_ready_ = false;
    bool is_stopping_ = false;
    async::TaskGroup tasks_;
};

OutcomeTask<> run_server(boost::asio::any_io_executor executor,
                         const DataDirectory* directory,
                         const Programs* programs,
                         SupervisorOptions options,
                         std::function<void(const cli::Serving&)> announce) {
    Server server(executor, *directory, *programs, std::move(options));
    co_return co_await server.run(std::move(announce));
}

}  // namespace

Outcome<> serve(const cli::Place& place,
                const std::vector<std::string>& listen,
                const std::function<void(const cli::Serving&)>& announce) {
    set_log_process("supervisor");
    auto loaded = load_settings(place, listen);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    if (const auto level = parse_log_level(loaded->config.log_level)) set_log_level(*level);
    const auto directory = DataDirectory::open(place.data);
    if (!directory) return refuse(directory.error());
    if (auto settled = directory->check_not_moving(); !settled) return refuse(settled.error());
    if (auto same = check_engine(*directory, loaded->config.store); !same) return same;
    const auto programs = Programs::open();
    if (!programs) return refuse(programs.error());
    log_start(*loaded);
    auto options = options_of(place, std::move(loaded->config));
    if (!options) return std::unexpected(std::move(options.error()));
    return run_alone<void>([&](const boost::asio::any_io_executor& executor) {
        return run_server(executor, &*directory, &*programs, std::move(*options), announce);
    });
}

}  // namespace postern::app::supervisor
