#pragma once

#include "app/config/load.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "edge/cli/installation.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <string>
#include <vector>

namespace postern::app::supervisor {

/// The configuration of a place. Errors: config_invalid, its detail names every problem.
[[nodiscard]] Outcome<config::Loaded> load_settings(const cli::Place& place,
                                                    const std::vector<std::string>& listen = {});
[[nodiscard]] std::string text_of(const config::Problem& problem);

[[nodiscard]] std::string root_key_of(const cli::Place& place, const config::Config& config);
/// What keeper is started with. Nobody here reads the key.
struct RootKey {
    std::string path;
    os::Fd file;
    os::Fd next;        ///< left by a rotation that was interrupted
    Secret passphrase;  ///< empty: it is under none
    Secret next_passphrase;
};
/// Asks for the passphrase where there is one. Errors: root_key_missing, root_key_unsafe, and those
/// of enter_passphrase().
[[nodiscard]] Outcome<RootKey> open_root_key_of(const cli::Place& place,
                                                const config::Config& config);
/// Where people reach the server: public_url, else the first listener.
/// `port`: where it listens now; 0: where it is to.
[[nodiscard]] std::string base_url_of(const config::Config& config, std::uint16_t port = 0);
/// Where a listener is reached at the port it really has.
[[nodiscard]] std::string url_of(const config::Listen& listen, std::uint16_t port);

/// Errors: other_engine when the stores lie elsewhere than the configuration says.
[[nodiscard]] Outcome<> check_engine(const DataDirectory& directory, const config::Store& store);

}  // namespace postern::app::supervisor
