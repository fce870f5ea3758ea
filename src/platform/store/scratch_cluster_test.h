#pragma once

#include "foundation/base/check.h"
#include "platform/store/pause.h"
#include "platform/store/server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::store {

/// A private PostgreSQL on a socket in a folder of its own, gone with it. It refuses to run as
/// root: then it is the user `postgres` that runs it.
class ScratchCluster {
public:
    /// Settings as on PostgreSQL's command line: {"autovacuum=off", ...}.
    explicit ScratchCluster(std::vector<std::string> settings) : settings_(std::move(settings)) {
        make_folder();
        run({"initdb", "-D", data(), "-U", "postern", "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync"});
        start();
    }
    struct Follows {
        const ScratchCluster& primary;
    };
    /// A standby.
    explicit ScratchCluster(Follows follows) {
        make_folder();
        run({"pg_basebackup", "-h", follows.primary.folder_, "-U", "postern", "-D", data(), "-R",
             "-X", "stream", "--no-sync", "-c", "fast"});
        start();
    }
    ~ScratchCluster() {
        stop(SIGQUIT);
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    ScratchCluster(const ScratchCluster&) = delete;
    ScratchCluster& operator=(const ScratchCluster&) = delete;

    /// Makes a folder the property of the cluster's user.
    void give(const std::string& path) const {
        if (user_ != nullptr)
            POSTERN_CHECK(::chown(path.c_str(), user_->pw_uid, user_->pw_gid) == 0);
    }

    void start() {
        std::vector<std::string> command = {"postgres", "-D", data(), "-k", folder_};
        command.insert(command.end(), {"-c", "listen_addresses=", "-c", "logging_collector=off"});
        for (const auto& setting : settings_)
            command.insert(command.end(), {"-c", setting});
        server_ = spawn(command);
        const auto file = data() + "/postmaster.pid";
        const auto is_up = [this, &file] {
            const auto text = content_of_file(file);
            // An older one may have left the file behind.
            if (!text.starts_with(std::to_string(server_) + "\n")) return false;
            return text.find("ready") != text.npos || text.find("standby") != text.npos;
        };
        while (!is_up()) {
            POSTERN_CHECK(::waitpid(server_, nullptr, WNOHANG) == 0);
            pause(std::chrono::milliseconds(2));
        }
    }
    /// SIGINT: sessions are ended, all is written back. SIGQUIT: as in a crash.
    void stop(int signal) {
        if (server_ <= 0) return;
        ::kill(server_, signal);
        ::waitpid(std::exchange(server_, -1), nullptr, 0);
    }
    void restart(int signal) {
        stop(signal);
        start();
    }
    [[nodiscard]] bool running() const { return server_ > 0; }

    /// Runs SQL as the superuser and returns what it prints, one row a line.
    std::string sql(const std::vector<std::string>& commands,
                    const std::string& database = "postgres") {
        std::vector<std::string> command = {
            "psql", "-X",    "-q", "-A",      "-t", "-v",    "ON_ERROR_STOP=1",
            "-h",   folder_, "-U", "postern", "-d", database};
        for (const auto& text : commands)
            command.insert(command.end(), {"-c", text});
        return run(command);
    }

    [[nodiscard]] Server server(const std::string& database) const {
        Server server;
        server.addresses = {{folder_, 5432}};
        server.database = database;
        server.user = "postern";
        return server;
    }
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] std::string data() const { return folder_ + "/data"; }

    /// In large steps: tests look through whole clusters.
    static std::string content_of_file(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        std::string content;
        std::vector<char> chunk(std::size_t{1} << 20U);
        do {
            in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
            content.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
        } while (in);
        return content;
    }

private:
    /// In memory where there is room: it syncs all that it writes.
    static std::filesystem::path place() {
        constexpr std::uintmax_t k_room = std::uintmax_t{512} << 20U;
        const std::filesystem::path memory = "/dev/shm";
        std::error_code error;
        const auto space = std::filesystem::space(memory, error);
        const bool fits = !error && space.available != static_cast<std::uintmax_t>(-1) &&
                          space.available >= k_room;
        return fits ? memory : std::filesystem::temp_directory_path();
    }
    void make_folder() {
        std::string name = (place() / "postern-pg-XXXXXX");
        POSTERN_CHECK(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        if (::geteuid() == 0) {
            user_ = ::getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe): before any thread
            POSTERN_CHECK(user_ != nullptr);
        }
        give(folder_);
    }
    /// In the child: the user, the end with its parent, no words on the terminal.
    [[noreturn]] void become(const std::vector<std::string>& command) const {
        if (user_ != nullptr) {
            const bool dropped = ::setgroups(0, nullptr) == 0 && ::setgid(user_->pw_gid) == 0 &&
                                 ::setuid(user_->pw_uid) == 0;
            if (!dropped) ::_exit(126);
        }
        ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
        if (::chdir(folder_.c_str()) != 0) ::_exit(126);
        const std::string program = "/usr/lib/postgresql/15/bin/" + command[0];
        // They look for each other beside the path they are told.
        std::vector<char*> argv = {const_cast<char*>(program.c_str())};
        for (auto word = command.begin() + 1; word != command.end(); ++word)
            argv.push_back(const_cast<char*>(word->c_str()));
        argv.push_back(nullptr);
        char* environment[] = {const_cast<char*>("LC_ALL=C"), nullptr};
        ::execve(program.c_str(), argv.data(), environment);
        ::_exit(127);
    }
    pid_t spawn(const std::vector<std::string>& command, int out = -1) const {
        const pid_t child = ::fork();
        if (child != 0) return child;
        const int log = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(log, 0);
        ::dup2(out >= 0 ? out : log, 1);
        // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
        if (std::getenv("POSTERN_TEST_VERBOSE") == nullptr) ::dup2(log, 2);
        become(command);
    }
    std::string run(const std::vector<std::string>& command) const {
        int ends[2];
        POSTERN_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
        const pid_t child = spawn(command, ends[1]);
        ::close(ends[1]);
        std::string text;
        char buffer[4096];
        for (auto size = ::read(ends[0], buffer, sizeof buffer); size > 0;
             size = ::read(ends[0], buffer, sizeof buffer)) {
            text.append(buffer, static_cast<std::size_t>(size));
        }
        ::close(ends[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        POSTERN_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return text;
    }

    std::vector<std::string> settings_;
    std::string folder_;
    const struct passwd* user_ = nullptr;
    pid_t server_ = -1;
};

/// Whether this run of the tests is the one on PostgreSQL.
inline bool tests_on_postgres() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables
    const char* const engine = std::getenv("POSTERN_TEST_STORE");
    return engine != nullptr && std::string(engine) == "postgresql";
}

/// The one cluster of a test program; what its tests look at is not whether a disk was synced.
inline ScratchCluster& shared_cluster() {
    static ScratchCluster cluster({"full_page_writes=off", "synchronous_commit=off",
                                   "max_wal_size=256MB", "autovacuum=off", "wal_recycle=off"});
    return cluster;
}

/// One database for each file that a test names; those of folders that are gone are dropped.
class ScratchDatabases {
public:
    static ScratchDatabases& instance() {
        static ScratchDatabases all;
        return all;
    }
    [[nodiscard]] Server of(const std::string& file, const std::string& origin) {
        for (const auto& known : known_) {
            if (known.file == file) return shared_cluster().server(known.database);
        }
        std::vector<std::string> commands;
        std::erase_if(known_, [&commands](const Known& known) {
            if (std::filesystem::exists(known.folder)) return false;
            commands.push_back("DROP DATABASE " + known.database + " WITH (FORCE)");
            return true;
        });
        const auto name = "t" + std::to_string(++count_);
        commands.push_back("CREATE DATABASE " + name + " TEMPLATE " + origin +
                           " STRATEGY file_copy");
        shared_cluster().sql(commands);
        known_.push_back({file, std::filesystem::path(file).parent_path(), name});
        return shared_cluster().server(name);
    }

private:
    struct Known {
        std::string file;
        std::filesystem::path folder;
        std::string database;
    };
    std::vector<Known> known_;
    int count_ = 0;
};

}  // namespace postern::store
