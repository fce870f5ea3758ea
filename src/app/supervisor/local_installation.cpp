#include "app/supervisor/local_installation.h"

#include "app/config/config.h"
#include "app/config/load.h"
#include "app/control/control_protocol.h"
#include "app/supervisor/alone.h"
#include "app/supervisor/doctor.h"
#include "app/supervisor/key_commands.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/passphrase.h"
#include "app/supervisor/serve.h"
#include "app/supervisor/session.h"
#include "app/supervisor/settings.h"
#include "edge/cli/admin_protocol.h"
#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/keys/operator.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/os/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <expected>
#include <functional>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern::app::supervisor {
namespace {

/// Leases, message keys and secrets in flight of a large installation.
constexpr rlim_t k_locked_bytes = rlim_t{256} << 20U;

template <typename T>
cli::Outcome<T> outward(Outcome<T> outcome) {
    if (outcome) {
        if constexpr (std::is_void_v<T>) {
            return {};
        } else {
            return std::move(*outcome);
        }
    }
    auto& refused = outcome.error();
    return std::unexpected(
        cli::Refusal{std::move(refused.code), std::move(refused.text), std::move(refused.detail)});
}

template <typename Method>
using Answer = typename Method::Answer;

template <typename Method>
OutcomeTask<Answer<Method>> ask_once(boost::asio::any_io_executor executor,
                                     cli::Place place,
                                     Method method) {
    Session session(executor);
    auto opened = co_await session.open(std::move(place));
    Outcome<Answer<Method>> answer = std::unexpected(control::Refusal{});
    if (opened) {
        answer = co_await session.ask(std::move(method));
    } else {
        answer = std::unexpected(std::move(opened.error()));
    }
    co_await session.close();
    co_return std::move(answer);
}

template <typename Method>
Outcome<Answer<Method>> ask(const cli::Place& place, Method method) {
    return run_alone<Answer<Method>>([&](const boost::asio::any_io_executor& executor) {
        return ask_once(executor, place, std::move(method));
    });
}

struct Fresh {
    keys::MakeRecoveryKit::Answer kit;
    Secret setup_token;
};

/// What belongs to a new installation beside its files.
OutcomeTask<Fresh> first_asks(Session* session, keys::MakeRecoveryKit wanted) {
    Fresh fresh;
    cli::NoteHostActs note{{cli::HostAct::recovery_kit}};
    auto noted = co_await session->ask(std::move(note));
    if (!noted) co_return std::unexpected(std::move(noted.error()));
    auto kit = co_await session->ask_keeper(wanted);
    if (!kit) co_return std::unexpected(std::move(kit.error()));
    fresh.kit = std::move(*kit);
    auto link = co_await session->ask(cli::SetupLink{});
    if (!link) co_return std::unexpected(std::move(link.error()));
    fresh.setup_token = std::move(link->token);
    co_return std::move(fresh);
}

OutcomeTask<Fresh> make_fresh(boost::asio::any_io_executor executor,
                              cli::Place place,
                              keys::MakeRecoveryKit wanted,
                              Secret passphrase) {
    Session session(executor);
    auto created = co_await session.create(std::move(place), std::move(passphrase));
    if (!created) co_return std::unexpected(std::move(created.error()));
    auto fresh = co_await first_asks(&session, wanted);
    const auto made = fresh ? session.made() : Outcome<>();
    if (!made) fresh = std::unexpected(made.error());
    if (fresh) {
        co_await session.close();
    } else {
        co_await session.abandon();
    }
    co_return std::move(fresh);
}

keys::MakeRecoveryKit wire_of(const cli::KitScheme& scheme) {
    return {.shares = scheme.shares, .threshold = scheme.threshold};
}

cli::Kit kit_of(keys::MakeRecoveryKit::Answer answer, const cli::KitScheme& scheme) {
    return {std::move(answer.shares), scheme, std::move(answer.fingerprint)};
}

OutcomeTask<std::string> recover_once(boost::asio::any_io_executor executor,
                                      cli::Place place,
                                      Secret shares,
                                      Secret passphrase) {
    Session session(executor);
    auto recovered =
        co_await session.recover(std::move(place), std::move(shares), std::move(passphrase));
    co_await session.close();
    co_return std::move(recovered);
}

/// One session for all of them: without a running server it starts processes of its own.
OutcomeTask<> prove_in(Session* session, std::string id, const cli::Installation::TellProof* tell) {
    auto known = co_await session->ask(cli::ListClaims{});
    if (!known) co_return std::unexpected(std::move(known.error()));
    bool found = false;
    for (const auto& claim : known->claims) {
        if (!id.empty() && claim.id != id) continue;
        found = true;
        cli::ProveClaim ask{claim.id};
        auto proof = co_await session->ask(std::move(ask));
        if (!proof) co_return std::unexpected(std::move(proof.error()));
        (*tell)(claim, *proof);
    }
    if (!found) co_return refuse(cli::AdminError::unknown_claim, id);
    co_return Outcome<>{};
}

OutcomeTask<> prove_once(boost::asio::any_io_executor executor,
                         cli::Place place,
                         std::string id,
                         const cli::Installation::TellProof* tell) {
    Session session(executor);
    auto proven = co_await session.open(std::move(place));
    if (proven) proven = co_await prove_in(&session, std::move(id), tell);
    co_await session.close();
    co_return std::move(proven);
}

OutcomeTask<> export_in(Session* session,
                        std::string workspace,
                        const cli::Installation::TellLines* tell) {
    std::int64_t last = 0;
    while (true) {
        cli::ExportAudit ask{workspace, last};
        auto page = co_await session->ask(std::move(ask));
        if (!page) co_return std::unexpected(std::move(page.error()));
        if (page->lines.empty()) co_return Outcome<>{};
        (*tell)(page->lines);
        last = page->last;
    }
}

OutcomeTask<> export_once(boost::asio::any_io_executor executor,
                          cli::Place place,
                          std::string workspace,
                          const cli::Installation::TellLines* tell) {
    Session session(executor);
    auto told = co_await session.open(std::move(place));
    if (told) told = co_await export_in(&session, std::move(workspace), tell);
    co_await session.close();
    co_return std::move(told);
}

OutcomeTask<std::int64_t> move_once(boost::asio::any_io_executor executor,
                                    cli::Place place,
                                    config::StoreEngine to) {
    Session session(executor);
    auto moved = co_await session.move_stores(std::move(place), to);
    co_await session.close();
    co_return moved;
}

Outcome<Secret> new_passphrase(bool wanted, int descriptor) {
    if (!wanted) return Secret();
    return choose_passphrase(descriptor);
}

cli::Outcome<Secret> chosen(bool wanted, int descriptor) {
    return outward(new_passphrase(wanted, descriptor));
}

std::string base_url(const cli::Place& place, std::uint16_t port) {
    const auto loaded = load_settings(place);
    return base_url_of(loaded ? loaded->config : config::Config{}, port);
}

/// Read here, by whoever may: front's fence names no path outside its folder.
Result<os::Fd> open_log(const std::string& path) {
    os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) return fail(os::errno_error(path));
    if (!S_ISREG(status.st_mode)) return fail(os::OsError::no_permission, path + " is no file");
    return file;
}

}  // namespace

cli::Outcome<cli::Made> LocalInstallation::init(const cli::InitCommand& command) {
    const auto& place = command.place;
    auto passphrase = chosen(command.under_passphrase, place.passphrase_fd);
    if (!passphrase) return std::unexpected(std::move(passphrase.error()));
    auto fresh = outward(run_alone<Fresh>([&](const boost::asio::any_io_executor& executor) {
        return make_fresh(executor, place, wire_of(command.kit), std::move(*passphrase));
    }));
    if (!fresh) return std::unexpected(std::move(fresh.error()));
    const auto loaded = load_settings(place);
    const auto config = loaded ? loaded->config : config::Config{};
    return cli::Made{.kit = kit_of(std::move(fresh->kit), command.kit),
                     .setup_token = std::move(fresh->setup_token),
                     .base_url = base_url_of(config),
                     .root_key_file = root_key_of(place, config)};
}

cli::Outcome<cli::Kit> LocalInstallation::make_kit(const cli::MakeKitCommand& command) {
    auto made = outward(
        run_alone<keys::MakeRecoveryKit::Answer>([&](const boost::asio::any_io_executor& executor) {
            return make_kit_once(executor, command.place, wire_of(command.kit));
        }));
    if (!made) return std::unexpected(std::move(made.error()));
    return kit_of(std::move(*made), command.kit);
}

cli::Outcome<std::string> LocalInstallation::recover(const cli::RecoverCommand& command,
                                                     Secret shares) {
    auto passphrase = chosen(command.under_passphrase, command.place.passphrase_fd);
    if (!passphrase) return std::unexpected(std::move(passphrase.error()));
    return outward(run_alone<std::string>([&](const boost::asio::any_io_executor& executor) {
        return recover_once(executor, command.place, std::move(shares), std::move(*passphrase));
    }));
}

cli::Outcome<std::string> LocalInstallation::change_passphrase(
    const cli::PassphraseCommand& command) {
    auto passphrase = chosen(!command.remove, command.new_passphrase_fd);
    if (!passphrase) return std::unexpected(std::move(passphrase.error()));
    return outward(run_alone<std::string>([&](const boost::asio::any_io_executor& executor) {
        return rewrap_once(executor, command.place, std::move(*passphrase));
    }));
}

cli::Outcome<cli::Rotated> LocalInstallation::rotate(const cli::RotateCommand& command) {
    return outward(run_alone<cli::Rotated>([&](const boost::asio::any_io_executor& executor) {
        return rotate_once(executor, command);
    }));
}

cli::Outcome<> LocalInstallation::serve(const cli::Place& place,
                                        const std::vector<std::string>& listen,
                                        const std::function<void(const cli::Serving&)>& announce) {
    return outward(supervisor::serve(place, listen, announce));
}

std::vector<std::string> LocalInstallation::config_problems(const std::string& config_file) {
    std::vector<std::string> texts;
    const auto loaded = config::load_file(config_file);
    if (loaded) {
        // What serve would find out as well.
        const auto& tls = loaded->config.tls;
        const auto& store = loaded->config.store;
        std::vector files{store.bulk.password_file, store.bulk.ca_file, store.keyring.password_file,
                          store.keyring.ca_file};
        if (tls) files.insert(files.end(), {tls->certificate_file, tls->key_file});
        for (const auto& file : files) {
            if (file.empty() || ::access(file.c_str(), R_OK) == 0) continue;
            std::string text = config_file;
            text.append(": ").append(file).append(" cannot be read");
            texts.push_back(std::move(text));
        }
        return texts;
    }
    for (const auto& problem : loaded.error())
        texts.push_back(config_file + ": " + text_of(problem));
    return texts;
}

cli::Outcome<cli::SetupToken> LocalInstallation::setup_token(const cli::Place& place) {
    auto answer = outward(ask(place, cli::SetupLink{}));
    if (!answer) return std::unexpected(std::move(answer.error()));
    return cli::SetupToken{std::move(answer->token), base_url(place, answer->port)};
}

cli::Outcome<cli::SetupToken> LocalInstallation::recover_person(const cli::Place& place,
                                                                const std::string& email) {
    auto answer = outward(ask(place, cli::RecoverPerson{email}));
    if (!answer) return std::unexpected(std::move(answer.error()));
    return cli::SetupToken{std::move(answer->token), base_url(place, answer->port)};
}

cli::Outcome<Secret> LocalInstallation::create_token(const cli::CreateTokenCommand& command) {
    cli::CreateToken wanted{command.workspace, command.role, command.demo};
    auto answer = outward(ask(command.place, std::move(wanted)));
    if (!answer) return std::unexpected(std::move(answer.error()));
    return std::move(answer->token);
}

cli::Outcome<cli::SealAll::Answer> LocalInstallation::seal_all(const cli::SealAllCommand& command) {
    return outward(ask(command.place, cli::SealAll{command.grants}));
}

cli::Outcome<cli::VerifyAudit::Answer> LocalInstallation::verify_audit(
    const cli::VerifyAuditCommand& command) {
    cli::VerifyAudit asked;
    if (!command.log_file.empty()) {
        auto file = open_log(command.log_file);
        if (!file) return outward(Outcome<cli::VerifyAudit::Answer>(refuse(file.error())));
        asked.log = std::move(*file);
    }
    return outward(ask(command.place, std::move(asked)));
}

cli::Outcome<> LocalInstallation::accept_anchors(const cli::Place& place) {
    auto accepted = outward(ask(place, cli::AcceptAnchors{}));
    if (!accepted) return std::unexpected(std::move(accepted.error()));
    return {};
}

cli::Outcome<> LocalInstallation::export_audit(const cli::Place& place,
                                               const std::string& workspace,
                                               const TellLines& tell) {
    return outward(run_alone<void>([&](const boost::asio::any_io_executor& executor) {
        return export_once(executor, place, workspace, &tell);
    }));
}

cli::Outcome<Bytes> LocalInstallation::receipt_key(const cli::Place& place) {
    auto answer = outward(ask(place, cli::Identify{}));
    if (!answer) return std::unexpected(std::move(answer.error()));
    return std::move(answer->receipt_key);
}

cli::Outcome<cli::Moved> LocalInstallation::migrate_store(const cli::Place& place,
                                                          const std::string& to) {
    const auto engine =
        to == "postgresql" ? config::StoreEngine::postgresql : config::StoreEngine::sqlite;
    cli::NoteHostActs note{{cli::HostAct::migration}};
    auto noted = outward(ask(place, std::move(note)));
    // One that was begun, or is done, stands there already.
    constexpr auto k_moving = describe(SupervisorError::move_unfinished).code.view();
    constexpr auto k_other = describe(SupervisorError::other_engine).code.view();
    if (!noted && noted.error().code != k_moving && noted.error().code != k_other) {
        return std::unexpected(std::move(noted.error()));
    }
    auto rows = outward(run_alone<std::int64_t>([&](const boost::asio::any_io_executor& executor) {
        return move_once(executor, place, engine);
    }));
    if (!rows) return std::unexpected(std::move(rows.error()));
    return cli::Moved{*rows};
}

std::vector<cli::DoctorCheck> LocalInstallation::doctor(const cli::Place& place) {
    auto checks = look_around(place);
    auto answer = ask(place, cli::Doctor{});
    if (answer) {
        // What the running server says of itself stands for what would be here.
        for (const auto& told : answer->checks) {
            std::erase_if(checks, [&](const auto& own) { return own.name == told.name; });
        }
        std::ranges::move(answer->checks, std::back_inserter(checks));
    } else {
        const auto& why = answer.error();
        checks.push_back({"processes", cli::Verdict::bad, why.text + " " + why.detail});
    }
    return checks;
}

cli::Outcome<> LocalInstallation::prove_claims(const cli::Place& place,
                                               const std::string& id,
                                               const TellProof& tell) {
    return outward(run_alone<void>([&](const boost::asio::any_io_executor& executor) {
        return prove_once(executor, place, id, &tell);
    }));
}

Result<> prepare_supervisor() {
    set_log_process("postern");
    ::umask(077);
    // A closed standard output or peer is an error of a write, not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    const struct rlimit locked{k_locked_bytes, k_locked_bytes};
    // A root without CAP_SYS_RESOURCE keeps the limit it has; doctor says when that is too little.
    if (::geteuid() == 0) (void)::setrlimit(RLIMIT_MEMLOCK, &locked);
    return os::harden_process();
}

}  // namespace postern::app::supervisor
