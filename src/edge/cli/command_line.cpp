#include "edge/cli/command_line.h"

#include "edge/cli/installation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <expected>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::cli {
namespace {

const std::vector<std::string> k_engines{"sqlite", "postgresql"};
const std::vector<std::string> k_roles{"owner",   "manager",  "reader",
                                       "privacy", "operator", "auditor"};
constexpr int k_kit_shares_max = 16;

void add_place(CLI::App& command, Place& place, bool required) {
    auto* data = command.add_option("--data", place.data, "data directory");
    if (required) data->required();
    command.add_option("--config", place.config_file, "configuration file (TOML)");
    command
        .add_option("--root-key", place.root_key_file,
                    "root key file (default: the configuration's, else DATA/root.key)")
        ->transform([](const std::string& path) {
            return std::filesystem::absolute(path).lexically_normal().string();
        });
    command
        .add_option("--passphrase-fd", place.passphrase_fd,
                    "descriptor to read the root key's passphrase from (default: systemd "
                    "credential postern-passphrase, else the terminal)")
        ->check(CLI::NonNegativeNumber);
}

void add_kit(CLI::App& command,
             KitScheme& kit,
             std::string& print_file,
             const std::string& prefix) {
    command.add_option(prefix + "shares", kit.shares, "how many shares the recovery kit has")
        ->check(CLI::Range(1, k_kit_shares_max))
        ->capture_default_str();
    command
        .add_option(prefix + "threshold", kit.threshold, "how many of them restore the root key")
        ->check(CLI::Range(1, k_kit_shares_max))
        ->capture_default_str();
    command
        .add_option("--print", print_file,
                    "a new file for the kit, FILE.html or FILE.svg, instead of the terminal: "
                    "one share a page, with QR codes")
        ->check([](const std::string& path) {
            return path.ends_with(".html") || path.ends_with(".svg") ? std::string()
                                                                     : "must end in .html or .svg";
        });
}

void add_new_passphrase(CLI::App& command, int& descriptor) {
    command
        .add_option("--new-passphrase-fd", descriptor,
                    "descriptor to read the new passphrase from (default: the terminal)")
        ->check(CLI::NonNegativeNumber);
}

void add_passphrase(CLI::App& command, bool& under_passphrase) {
    command.add_flag("--root-key-passphrase", under_passphrase,
                     "put the root key under a passphrase, which every start then asks for");
}

/// Everything that options write to; CLI11 keeps references.
struct Parsed {
    Place place;
    std::vector<std::string> listen;
    std::string workspace;
    std::string role;
    std::string email;
    bool demo = false;
    KitScheme kit;
    std::string print_file;
    bool under_passphrase = false;
    bool remove = false;
    int new_passphrase_fd = -1;
    RotateCommand rotate;
    bool grants = false;
    std::string receipt_file;
    std::string engine;
    std::string config_file;
    std::string claim;
    std::string log_file;
    bool json = false;
};

struct Tree {
    Tree(Parsed& parsed, const std::string& version);

    CLI::App app{"Postern: writes to creators from your own mailboxes, and can be cut off.",
                 "postern"};
    CLI::App* init = nullptr;
    CLI::App* keyring_kit = nullptr;
    CLI::App* keyring_passphrase = nullptr;
    CLI::App* keyring_rotate = nullptr;
    CLI::App* serve = nullptr;
    CLI::App* recover = nullptr;
    CLI::App* setup_link = nullptr;
    CLI::App* person_recover = nullptr;
    CLI::App* token_create = nullptr;
    CLI::App* seal_all = nullptr;
    CLI::App* check_config = nullptr;
    CLI::App* doctor = nullptr;
    CLI::App* migrate_store = nullptr;
    CLI::App* receipt_verify = nullptr;
    CLI::App* trust_check = nullptr;
    CLI::App* audit_verify = nullptr;
    CLI::App* audit_accept = nullptr;
    CLI::App* audit_export = nullptr;

private:
    /// The commands that show whether something is as it should be.
    void add_evidence(Parsed& parsed);
};

Tree::Tree(Parsed& parsed, const std::string& version) {
    app.require_subcommand(1);
    app.set_version_flag("--version", "postern " + version);
    init = app.add_subcommand("init", "make an installation; prints set-up link and recovery kit");
    add_place(*init, parsed.place, true);
    add_kit(*init, parsed.kit, parsed.print_file, "--recovery-");
    add_passphrase(*init, parsed.under_passphrase);
    auto* keyring = app.add_subcommand("keyring", "root key and keyring")->require_subcommand(1);
    keyring_kit =
        keyring->add_subcommand("recovery-kit", "a new recovery kit; the one before is void");
    add_place(*keyring_kit, parsed.place, true);
    add_kit(*keyring_kit, parsed.kit, parsed.print_file, "--");
    keyring_passphrase = keyring->add_subcommand(
        "passphrase", "put the root key under a passphrase, or under another one");
    add_place(*keyring_passphrase, parsed.place, true);
    keyring_passphrase->add_flag("--remove", parsed.remove, "leave it in its file as it is");
    add_new_passphrase(*keyring_passphrase, parsed.new_passphrase_fd);
    keyring_rotate = keyring->add_subcommand(
        "rotate", "new keys in the place of the present ones; all, unless some are named");
    add_place(*keyring_rotate, parsed.place, true);
    keyring_rotate->add_flag("--root", parsed.rotate.root, "the root key");
    keyring_rotate->add_flag("--keyring", parsed.rotate.keyring, "the keyring key");
    keyring_rotate->add_flag("--workspaces", parsed.rotate.workspaces, "every workspace's key");
    add_new_passphrase(*keyring_rotate, parsed.new_passphrase_fd);
    serve = app.add_subcommand("serve", "run the server");
    add_place(*serve, parsed.place, true);
    serve->add_option("--listen", parsed.listen, "ADDRESS:PORT or localhost:PORT; repeatable")
        ->take_all();
    recover = app.add_subcommand("recover",
                                 "restore the root key from recovery shares on standard input");
    add_place(*recover, parsed.place, true);
    add_passphrase(*recover, parsed.under_passphrase);
    setup_link = app.add_subcommand("setup-link", "a fresh set-up link for the first owner");
    add_place(*setup_link, parsed.place, true);
    auto* person = app.add_subcommand("person", "people who sign in")->require_subcommand(1);
    person_recover = person->add_subcommand(
        "recover", "a link to a new password, without second factors; every owner is told");
    add_place(*person_recover, parsed.place, true);
    person_recover->add_option("--email", parsed.email, "their address")->required();
    auto* token = app.add_subcommand("token", "API tokens")->require_subcommand(1);
    token_create = token->add_subcommand("create", "make one; it is printed alone");
    add_place(*token_create, parsed.place, true);
    token_create->add_option("--workspace", parsed.workspace, "its name; made if there is none")
        ->required();
    token_create->add_option("--role", parsed.role, "what the token may do")
        ->required()
        ->check(CLI::IsMember(k_roles));
    token_create->add_flag("--demo", parsed.demo, "mark a workspace that is made as sample data");
    seal_all =
        app.add_subcommand("seal-all", "end every lease and connection of all workspaces, at once");
    add_place(*seal_all, parsed.place, true);
    seal_all->add_flag("--grants", parsed.grants, "and every grant");
    check_config = app.add_subcommand("check-config", "say what is wrong with a configuration");
    check_config->add_option("--config", parsed.config_file, "configuration file")->required();
    migrate_store = app.add_subcommand(
        "migrate-store", "move the stopped installation to PostgreSQL, or back to files");
    add_place(*migrate_store, parsed.place, true);
    migrate_store->add_option("--to", parsed.engine, "the engine to move to")
        ->required()
        ->check(CLI::IsMember(k_engines));
    doctor = app.add_subcommand("doctor", "look at the installation and its surroundings");
    add_place(*doctor, parsed.place, true);
    add_evidence(parsed);
}

void Tree::add_evidence(Parsed& parsed) {
    auto* receipt = app.add_subcommand("receipt", "receipts")->require_subcommand(1);
    receipt_verify = receipt->add_subcommand("verify", "check a receipt's signature");
    add_place(*receipt_verify, parsed.place, false);
    receipt_verify->add_option("file", parsed.receipt_file, "the receipt, as JSON")->required();
    auto* trust =
        app.add_subcommand("trust", "what this installation claims")->require_subcommand(1);
    trust_check = trust->add_subcommand("check", "prove every claim, now, or say that it fails");
    add_place(*trust_check, parsed.place, true);
    trust_check->add_option("--claim", parsed.claim, "only this one, such as P1.sealed");
    trust_check->add_flag("--json", parsed.json, "one JSON object a line");
    auto* audit = app.add_subcommand("audit", "who did what")->require_subcommand(1);
    audit_verify = audit->add_subcommand("verify", "go through every record: is each as written?");
    add_place(*audit_verify, parsed.place, true);
    audit_verify->add_option("--anchors", parsed.log_file,
                             "compare with a log that was fetched from the log server, too");
    audit_accept = audit->add_subcommand(
        "accept", "what differs from the second place is as it should be: begin anew there");
    add_place(*audit_accept, parsed.place, true);
    audit_export = audit->add_subcommand("export", "a workspace's whole record as JSON lines");
    add_place(*audit_export, parsed.place, true);
    audit_export->add_option("--workspace", parsed.workspace, "its name or id, or \"installation\"")
        ->required();
}

Command command_of(const Tree& tree, Parsed parsed) {
    auto& place = parsed.place;
    if (tree.init->parsed()) {
        return InitCommand{std::move(place), parsed.kit, std::move(parsed.print_file),
                           parsed.under_passphrase};
    }
    if (tree.keyring_rotate->parsed()) {
        auto& rotate = parsed.rotate;
        const bool all = !rotate.root && !rotate.keyring && !rotate.workspaces;
        return RotateCommand{std::move(place), rotate.root || all, rotate.keyring || all,
                             rotate.workspaces || all, parsed.new_passphrase_fd};
    }
    if (tree.keyring_kit->parsed()) {
        return MakeKitCommand{std::move(place), parsed.kit, std::move(parsed.print_file)};
    }
    if (tree.serve->parsed()) return ServeCommand{std::move(place), std::move(parsed.listen)};
    if (tree.recover->parsed()) {
        return RecoverCommand{std::move(place), parsed.under_passphrase};
    }
    if (tree.keyring_passphrase->parsed()) {
        return PassphraseCommand{std::move(place), parsed.remove, parsed.new_passphrase_fd};
    }
    if (tree.setup_link->parsed()) return SetupLinkCommand{std::move(place)};
    if (tree.person_recover->parsed()) {
        return RecoverPersonCommand{std::move(place), std::move(parsed.email)};
    }
    if (tree.token_create->parsed()) {
        return CreateTokenCommand{std::move(place), std::move(parsed.workspace),
                                  std::move(parsed.role), parsed.demo};
    }
    if (tree.seal_all->parsed()) return SealAllCommand{std::move(place), parsed.grants};
    if (tree.check_config->parsed()) return CheckConfigCommand{std::move(parsed.config_file)};
    if (tree.migrate_store->parsed()) {
        return MigrateStoreCommand{std::move(place), std::move(parsed.engine)};
    }
    if (tree.doctor->parsed()) return DoctorCommand{std::move(place)};
    if (tree.trust_check->parsed()) {
        return CheckTrustCommand{std::move(place), std::move(parsed.claim), parsed.json};
    }
    if (tree.audit_verify->parsed()) {
        return VerifyAuditCommand{std::move(place), std::move(parsed.log_file)};
    }
    if (tree.audit_accept->parsed()) return AcceptAnchorsCommand{std::move(place)};
    if (tree.audit_export->parsed()) {
        return ExportAuditCommand{std::move(place), std::move(parsed.workspace)};
    }
    VerifyReceiptCommand verify{.place = std::nullopt, .file = std::move(parsed.receipt_file)};
    if (!place.data.empty()) verify.place = std::move(place);
    return verify;
}

/// The word where a command was wanted.
std::optional<std::string> unknown_command(const CLI::App& app, const CLI::ParseError& error) {
    if (std::string_view(error.what()).find("subcommand") == std::string_view::npos) return {};
    for (const auto& word : app.remaining(true)) {
        const bool is_printable =
            std::ranges::all_of(word, [](char c) { return c >= ' ' && c <= '~'; });
        if (is_printable && !word.starts_with('-')) return word;
    }
    return {};
}

}  // namespace

std::expected<Command, Usage> parse_command_line(int argc,
                                                 const char* const* argv,
                                                 const std::string& version) {
    Parsed parsed;
    Tree tree(parsed, version);
    try {
        tree.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream problem;
        const bool good = tree.app.exit(error, out, problem) == 0;
        if (const auto word = unknown_command(tree.app, error)) {
            problem.str("There is no command \"" + *word + "\" here.\n" + problem.str());
        }
        return std::unexpected(Usage{good ? out.str() : problem.str(), good ? 0 : 2});
    }
    return command_of(tree, std::move(parsed));
}

}  // namespace postern::cli
