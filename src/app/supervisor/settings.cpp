#include "app/supervisor/settings.h"

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "app/config/load.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/passphrase.h"
#include "app/supervisor/root_key_file.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"

#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::app::supervisor {

namespace {

constexpr std::string_view k_root_key_credential = "postern.root-key";

/// systemd.exec(5), LoadCredential=: a file of that name in a folder that only the service sees.
std::optional<std::string> credential_file(std::string_view name) {
    const char* const folder = ::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe)
    if (folder == nullptr || *folder != '/') return std::nullopt;
    auto path = std::string(folder).append("/").append(name);
    if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
    return path;
}

}  // namespace

std::string text_of(const config::Problem& problem) {
    std::string text;
    if (problem.line != 0) text += "line " + std::to_string(problem.line) + ": ";
    if (!problem.key.empty()) text += problem.key + ": ";
    return text + problem.text + " [" + std::string(describe(problem.code).code.view()) + "]";
}

Outcome<config::Loaded> load_settings(const cli::Place& place,
                                      const std::vector<std::string>& listen) {
    auto loaded = config::load_file(place.config_file, {.listen = listen});
    if (loaded) return std::move(*loaded);
    std::string all = place.config_file;
    for (const auto& problem : loaded.error())
        all += (all.empty() ? "" : "; ") + text_of(problem);
    return refuse(SupervisorError::config_invalid, std::move(all));
}

std::string root_key_of(const cli::Place& place, const config::Config& config) {
    if (!place.root_key_file.empty()) return place.root_key_file;
    if (auto credential = credential_file(k_root_key_credential)) return std::move(*credential);
    if (!config.root_key_file.empty()) return config.root_key_file;
    return place.data + "/root.key";
}

Outcome<RootKey> open_root_key_of(const cli::Place& place, const config::Config& config) {
    RootKey key;
    key.path = root_key_of(place, config);
    auto file = open_root_key(key.path);
    if (!file) return refuse(file.error());
    key.file = std::move(*file);
    auto next = open_next_root_key(key.path);
    if (!next) return refuse(next.error());
    key.next = std::move(*next);
    const auto closed = is_under_passphrase(key.file);
    if (!closed) return refuse(closed.error());
    const auto next_closed = key.next.valid() ? is_under_passphrase(key.next) : Result<bool>(false);
    if (!next_closed) return refuse(next_closed.error());
    if (!*closed && !*next_closed) return key;
    // Nobody is asked for the next one's: what an interrupted command left stops no start. Where it
    // is the one that fits, keeper tells that it needs one.
    auto passphrase =
        *closed ? enter_passphrase(place.passphrase_fd) : given_passphrase(place.passphrase_fd);
    if (!passphrase && !*closed) passphrase = Secret();
    if (!passphrase) return std::unexpected(std::move(passphrase.error()));
    // It is not known yet which of the two fits.
    if (!passphrase->empty()) {
        key.next_passphrase =
            passphrase->with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    }
    key.passphrase = std::move(*passphrase);
    return key;
}

std::string url_of(const config::Listen& listen, std::uint16_t port) {
    if (!listen.tls) return "http://localhost:" + std::to_string(port);
    const bool is_v6 = listen.address.find(':') != std::string::npos;
    const auto host = is_v6 ? "[" + listen.address + "]" : listen.address;
    return "https://" + host + ":" + std::to_string(port);
}

std::string base_url_of(const config::Config& config, std::uint16_t port) {
    if (!config.public_url.empty()) return config.public_url;
    if (config.listen.empty()) return "http://localhost:" + std::to_string(port ? port : 8080);
    return url_of(config.listen.front(), port ? port : config.listen.front().port);
}

Outcome<> check_engine(const DataDirectory& directory, const config::Store& store) {
    const auto engine = directory.engine();
    if (!engine) return refuse(engine.error());
    if (*engine != store.engine) return refuse(SupervisorError::other_engine);
    return {};
}

}  // namespace postern::app::supervisor
