#include "app/supervisor/doctor.h"

#include "app/config/config.h"
#include "app/supervisor/admin_socket.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/roles.h"
#include "app/supervisor/root_key_file.h"
#include "app/supervisor/settings.h"
#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/password.h"
#include "platform/os/files.h"
#include "platform/os/landlock.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

using cli::DoctorCheck;
using cli::Verdict;

constexpr std::uint64_t k_disk_free_good = std::uint64_t{1} << 30U;
constexpr std::uint64_t k_disk_free_least = std::uint64_t{64} << 20U;
constexpr rlim_t k_locked_least = rlim_t{8} << 20U;
constexpr UnixMs k_earliest = 1'735'689'600'000;  // 2025: nobody ran this before
constexpr std::size_t k_files_max = 10'000;

std::string first_line(const std::string& path) {
    auto text = os::read_file(path, 4096);
    if (!text) return "";
    return text->substr(0, text->find('\n'));
}

/// Of what is started here; a running server's front knows better and says so itself.
DoctorCheck isolation(const config::Config& config) {
    const auto missing = missing_isolation(config);
    if (!missing.empty()) {
        return {cli::k_isolation, Verdict::warning, "not isolated: " + missing};
    }
    std::string text = "system-call filters, Landlock " + std::to_string(os::landlock_version()) +
                       ", and a uid for every process:";
    for (const auto role : k_roles) {
        text += " " + std::string(name_of(role)) + " " + std::to_string(uid_of(role).value_or(0));
    }
    return {cli::k_isolation, Verdict::good, text};
}

DoctorCheck tracing() {
    const auto scope = first_line("/proc/sys/kernel/yama/ptrace_scope");
    if (scope.empty() || scope == "0") {
        return {"ptrace scope", Verdict::warning,
                "kernel.yama.ptrace_scope is not set; our processes refuse to be traced by "
                "themselves, set it to 1 or more for the rest of the machine"};
    }
    return {"ptrace scope", Verdict::good, "kernel.yama.ptrace_scope = " + scope};
}

DoctorCheck cores() {
    struct rlimit limit{};
    const bool off = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0;
    return {"core files", off ? Verdict::good : Verdict::bad,
            off ? "a crash leaves none: limit 0, and no process is dumpable"
                : "the limit could not be set to 0"};
}

DoctorCheck locked_memory() {
    struct rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < k_locked_least) {
        return {"memory lock limit", Verdict::warning,
                std::to_string(limit.rlim_cur >> 10U) +
                    " KiB: keys may be swapped out; raise it (ulimit -l, LimitMEMLOCK=)"};
    }
    return {"memory lock limit", Verdict::good, "room for keys that are never swapped out"};
}

std::optional<dev_t> volume_of(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return status.st_dev;
}

DoctorCheck volumes(const std::string& data, const std::string& root_key) {
    const auto key = volume_of(root_key);
    const auto keyring = volume_of(data + "/keyring");
    const auto store = volume_of(data + "/store");
    if (!key || !keyring || !store) {
        return {"root key", Verdict::bad, "root key, keyring or store is missing: " + root_key};
    }
    if (*key == *keyring || *key == *store) {
        return {"root key", Verdict::warning,
                "root key and data lie on one volume: whoever copies or snapshots it has both; "
                "keep the root key elsewhere (root_key in the configuration)"};
    }
    if (*keyring == *store) {
        return {"root key", Verdict::warning,
                "keyring and store lie on one volume: a snapshot of it keeps what a cut-off "
                "destroys"};
    }
    return {"root key", Verdict::good, "root key, keyring and store lie on volumes of their own"};
}

DoctorCheck root_key_apart(const std::string& data, const std::string& root_key) {
    const auto key = volume_of(root_key);
    if (!key) return {"root key", Verdict::bad, "the root key is missing: " + root_key};
    if (key == volume_of(data)) {
        return {"root key", Verdict::warning,
                "root key and data directory lie on one volume; keep the root key elsewhere "
                "(root_key in the configuration)"};
    }
    return {"root key", Verdict::good, "on a volume of its own"};
}

std::string text_of(const config::DatabaseServer& server) {
    std::string text;
    for (const auto& host : server.hosts)
        text += (text.empty() ? "" : ", ") + host.name + " port " + std::to_string(host.port);
    return text;
}

DoctorCheck clusters(const config::Store& store) {
    const auto text = "bulk on " + text_of(store.bulk) + "; keyring on " + text_of(store.keyring);
    if (store.keyring_beside_bulk) {
        return {"PostgreSQL", Verdict::warning,
                text +
                    "; keyring_cluster = \"shared\": the log, the replicas and the backups of "
                    "the bulk keep what a cut-off destroys"};
    }
    return {"PostgreSQL", Verdict::good, text};
}

/// A change of the root key that was interrupted, and that no start could bring to its end.
std::optional<DoctorCheck> unsettled(const std::string& root_key) {
    const auto left = unsettled_root_key(root_key);
    if (left.empty()) return std::nullopt;
    return DoctorCheck{"change of the root key", Verdict::bad,
                       left +
                           " is left of one that was interrupted, and may be the key in force: "
                           "do not delete it; restart the server, which keeps the one that "
                           "fits and must be able to write there"};
}

/// The running server's, else the one that a start with these settings would take.
std::string root_key_in_force(const cli::Place& place, const config::Config& config) {
    const auto running = AdminSocket::connect(place.data, AdminSocket::k_front);
    if (running && running->valid()) {
        if (auto in_use = DataDirectory::root_key_in_use(place.data)) return std::move(*in_use);
    }
    return root_key_of(place, config);
}

DoctorCheck modes(const std::string& data, const std::string& root_key) {
    std::error_code error;
    std::string open;
    std::size_t seen = 0;
    const auto look = [&open](const std::filesystem::path& path) {
        struct stat status{};
        if (::lstat(path.c_str(), &status) == 0 && !S_ISLNK(status.st_mode) &&
            (status.st_mode & 077U) != 0 && open.empty()) {
            open = path;
        }
    };
    look(data);
    look(root_key);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data, error)) {
        look(entry.path());
        if (++seen == k_files_max) break;
    }
    if (error) return {"file modes", Verdict::bad, data + ": " + error.message()};
    if (open.empty()) return {"file modes", Verdict::good, "nobody else may read any file"};
    return {"file modes", Verdict::bad, "others may read " + open + "; chmod go-rwx"};
}

DoctorCheck disk(const std::string& data) {
    struct statvfs status{};
    if (::statvfs(data.c_str(), &status) != 0) {
        return {"disk", Verdict::bad, "the data directory cannot be looked at: " + data};
    }
    const auto free = std::uint64_t{status.f_bavail} * status.f_frsize;
    const auto text = std::to_string(free >> 20U) + " MiB free";
    if (free < k_disk_free_least) return {"disk", Verdict::bad, text};
    return {"disk", free < k_disk_free_good ? Verdict::warning : Verdict::good, text};
}

DoctorCheck clock_sanity() {
    if (SystemClock().now_ms() < k_earliest) {
        return {"clock", Verdict::bad, "it stands in the past: leases and grants would not end"};
    }
    struct timex status{};
    if (::adjtimex(&status) == TIME_ERROR) {
        return {"clock", Verdict::warning, "the system says that it is not synchronised (NTP)"};
    }
    return {"clock", Verdict::good, "synchronised"};
}

/// Argon2id takes as long here as for somebody who guesses; what is too long, people wait for.
DoctorCheck sign_in_cost(const config::SignIn& setting) {
    constexpr std::chrono::milliseconds k_good{1000};
    const crypto::Argon2Cost cost{setting.argon2_passes, setting.argon2_memory_kib};
    const auto begun = std::chrono::steady_clock::now();
    const auto hash = crypto::hash_password(Secret::copy_of(as_bytes("of whatever length")), cost);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begun);
    const auto with = std::to_string(cost.memory_kib >> 10U) + " MiB and " +
                      std::to_string(cost.passes) + " passes";
    if (!hash) return {"sign-in", Verdict::bad, "there is no memory for a password hash: " + with};
    const auto text =
        "a password hash takes " + std::to_string(took.count()) + " ms here, with " + with;
    if (took <= k_good) return {"sign-in", Verdict::good, text};
    return {"sign-in", Verdict::warning, text + "; see [sign_in] in the configuration"};
}

}  // namespace

std::vector<DoctorCheck> look_around(const cli::Place& place) {
    std::vector<DoctorCheck> checks;
    const auto loaded = load_settings(place);
    if (!loaded) {
        checks.push_back({"configuration", Verdict::bad, loaded.error().detail});
    } else if (loaded->not_acted_on.empty()) {
        checks.push_back({"configuration", Verdict::good, "every setting has its effect"});
    }
    if (loaded) {
        for (const auto& name : loaded->not_acted_on)
            checks.push_back({"configuration", Verdict::warning, name + " has no effect yet"});
    }
    const auto root_key = root_key_in_force(place, loaded ? loaded->config : config::Config{});
    checks.push_back(isolation(loaded ? loaded->config : config::Config{}));
    checks.push_back(cores());
    checks.push_back(tracing());
    checks.push_back(locked_memory());
    if (loaded && loaded->config.store.engine == config::StoreEngine::postgresql) {
        checks.push_back(root_key_apart(place.data, root_key));
        checks.push_back(clusters(loaded->config.store));
    } else {
        checks.push_back(volumes(place.data, root_key));
    }
    if (auto left = unsettled(root_key)) checks.push_back(std::move(*left));
    checks.push_back(modes(place.data, root_key));
    checks.push_back(disk(place.data));
    checks.push_back(clock_sanity());
    checks.push_back(sign_in_cost(loaded ? loaded->config.sign_in : config::SignIn{}));
    return checks;
}

}  // namespace postern::app::supervisor
