#include "app/supervisor/key_commands.h"

#include "app/control/control_protocol.h"
#include "app/supervisor/data_directory.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/passphrase.h"
#include "app/supervisor/root_key_file.h"
#include "app/supervisor/session.h"
#include "app/supervisor/settings.h"
#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/async/deadline.h"
#include "platform/keys/operator.h"

#include <chrono>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

constexpr std::chrono::milliseconds k_look_again{200};

/// Keeper of a running server writes to the file that it is handed: it must be the one that the
/// server will look for at its next start.
Outcome<> check_root_key(const Session& session, const cli::Place& place, const std::string& path) {
    if (!session.is_with_server()) return {};
    const auto same = DataDirectory::check_root_key(place.data, path);
    if (!same) return refuse(same.error());
    return {};
}

/// A passphrase for the new root key, where the present one is under one.
Outcome<Secret> passphrase_like(const std::string& path, int descriptor) {
    const auto file = open_root_key(path);
    if (!file) return refuse(file.error());
    const auto closed = is_under_passphrase(*file);
    if (!closed) return refuse(closed.error());
    if (!*closed) return Secret();
    return choose_passphrase(descriptor);
}

/// The new key is on disk before the keyring is put under it; a crash in between leaves both, and
/// the next start finds out which one fits.
OutcomeTask<std::string> rotate_root(Session* session, std::string path, Secret passphrase) {
    auto file = NextRootKeyFile::begin(path);
    if (!file) co_return refuse(file.error());
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    keys::PrepareRootKey ask{std::move(*descriptor), std::move(passphrase)};
    auto prepared = co_await session->ask_keeper(std::move(ask));
    auto done = prepared ? file->publish() : Result<>();
    if (!prepared || !done) {
        file->discard();
        if (!prepared) co_return std::unexpected(std::move(prepared.error()));
        co_return refuse(done.error());
    }
    keys::CommitRootKey commit{prepared->fingerprint};
    // Where the answer is lost nobody knows whether it was done: both files stay.
    auto committed = co_await session->ask_keeper(std::move(commit));
    if (!committed) co_return std::unexpected(std::move(committed.error()));
    done = file->take_over();
    if (!done) co_return refuse(done.error());
    co_return std::move(prepared->fingerprint);
}

OutcomeTask<keys::GetRotation::Answer> wait_for_rotation(Session* session) {
    while (true) {
        auto state = co_await session->ask_keeper(keys::GetRotation{});
        if (!state) co_return std::unexpected(std::move(state.error()));
        if (!state->failure.empty()) {
            co_return std::unexpected(control::Refusal{
                "rotation_failed", "The rotation does not go on; the keys before still work.",
                state->failure});
        }
        if (!state->running) co_return std::move(*state);
        (void)co_await async::wait_until(Deadline::in(k_look_again));
    }
}

OutcomeTask<cli::Rotated> rotate(Session* session,
                                 std::string path,
                                 const cli::RotateCommand* command,
                                 Secret passphrase) {
    cli::Rotated rotated;
    if (command->root) {
        auto fingerprint = co_await rotate_root(session, std::move(path), std::move(passphrase));
        if (!fingerprint) co_return std::unexpected(std::move(fingerprint.error()));
        rotated.root_key = std::move(*fingerprint);
        // What it was under is out of the files before anything else begins.
        auto purged = co_await wait_for_rotation(session);
        if (!purged) co_return std::unexpected(std::move(purged.error()));
    }
    if (command->keyring || command->workspaces) {
        keys::BeginRotation ask{command->keyring, command->workspaces};
        auto begun = co_await session->ask_keeper(ask);
        if (!begun) co_return std::unexpected(std::move(begun.error()));
        auto done = co_await wait_for_rotation(session);
        if (!done) co_return std::unexpected(std::move(done.error()));
        rotated.moved = done->moved;
    }
    co_return rotated;
}

/// The same root key under another passphrase or none: a new file takes the old one's place.
OutcomeTask<std::string> rewrap(Session* session, std::string path, Secret passphrase) {
    auto file = NextRootKeyFile::begin(path);
    if (!file) co_return refuse(file.error());
    auto descriptor = file->descriptor();
    if (!descriptor) co_return refuse(descriptor.error());
    keys::RewrapRootKey ask{std::move(*descriptor), std::move(passphrase)};
    auto rewrapped = co_await session->ask_keeper(std::move(ask));
    if (!rewrapped) {
        file->discard();
        co_return std::unexpected(std::move(rewrapped.error()));
    }
    auto done = file->publish();
    if (!done) file->discard();
    if (done) done = file->take_over();
    if (!done) co_return refuse(done.error());
    co_return std::move(rewrapped->fingerprint);
}

}  // namespace

OutcomeTask<keys::MakeRecoveryKit::Answer> make_kit_once(boost::asio::any_io_executor executor,
                                                         cli::Place place,
                                                         keys::MakeRecoveryKit wanted) {
    Session session(executor);
    std::vector<cli::HostAct> acts{cli::HostAct::recovery_kit};
    auto opened = co_await session.open_noted(std::move(place), std::move(acts));
    Outcome<keys::MakeRecoveryKit::Answer> kit = std::unexpected(control::Refusal{});
    if (opened) {
        kit = co_await session.ask_keeper(wanted);
    } else {
        kit = std::unexpected(std::move(opened.error()));
    }
    co_await session.close();
    co_return std::move(kit);
}

OutcomeTask<std::string> rewrap_once(boost::asio::any_io_executor executor,
                                     cli::Place place,
                                     Secret passphrase) {
    const auto loaded = load_settings(place);
    if (!loaded) co_return std::unexpected(loaded.error());
    const auto path = root_key_of(place, loaded->config);
    Session session(executor);
    std::vector<cli::HostAct> acts{cli::HostAct::passphrase};
    auto opened = co_await session.open_noted(place, std::move(acts));
    if (opened) opened = check_root_key(session, place, path);
    Outcome<std::string> done = std::unexpected(control::Refusal{});
    if (opened) {
        done = co_await rewrap(&session, path, std::move(passphrase));
    } else {
        done = std::unexpected(std::move(opened.error()));
    }
    co_await session.close();
    co_return std::move(done);
}

OutcomeTask<cli::Rotated> rotate_once(boost::asio::any_io_executor executor,
                                      cli::RotateCommand command) {
    const auto loaded = load_settings(command.place);
    if (!loaded) co_return std::unexpected(loaded.error());
    const auto path = root_key_of(command.place, loaded->config);
    Outcome<Secret> passphrase = Secret();
    if (command.root) passphrase = passphrase_like(path, command.new_passphrase_fd);
    if (!passphrase) co_return std::unexpected(std::move(passphrase.error()));
    Session session(executor);
    std::vector<cli::HostAct> acts;
    if (command.root) acts.push_back(cli::HostAct::root_rotation);
    if (command.keyring) acts.push_back(cli::HostAct::keyring_rotation);
    if (command.workspaces) acts.push_back(cli::HostAct::workspace_rotation);
    auto opened = co_await session.open_noted(command.place, std::move(acts));
    if (opened && command.root) opened = check_root_key(session, command.place, path);
    Outcome<cli::Rotated> done = std::unexpected(control::Refusal{});
    if (opened) {
        done = co_await rotate(&session, path, &command, std::move(*passphrase));
    } else {
        done = std::unexpected(std::move(opened.error()));
    }
    co_await session.close();
    co_return std::move(done);
}

}  // namespace postern::app::supervisor
