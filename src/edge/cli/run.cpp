#include "edge/cli/run.h"

#include "edge/cli/admin_protocol.h"
#include "edge/cli/audit_report.h"
#include "edge/cli/claim_report.h"
#include "edge/cli/command_line.h"
#include "edge/cli/installation.h"
#include "edge/cli/receipt_check.h"
#include "edge/cli/recovery_sheet.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postern::cli {
namespace {

constexpr int k_good = 0;
constexpr int k_refused = 1;
constexpr std::size_t k_shares_bytes_max = 8192;
constexpr unsigned k_sheet_mode = 0600;
constexpr std::size_t k_sheet_bytes_max = std::size_t{1} << 20U;
constexpr off_t k_kit_bytes_max = 16384;

int refused(const Refusal& refusal) {
    std::cerr << "postern: " << refusal.text;
    if (!refusal.detail.empty()) std::cerr << ' ' << refusal.detail;
    std::cerr << " [" << refusal.code << "]\n";
    return k_refused;
}
int refused(const Error& error) {
    return refused(Refusal{std::string(error.code()), std::string(error.text()), error.detail()});
}

/// What stands in a file of somebody else's does not reach the terminal as it is.
std::string shown(std::string_view text) {
    return LogField::sanitised("", text).value();
}

void print(const Secret& secret) {
    secret.with_bytes([](ByteView bytes) { std::cout << as_text(bytes); });
}

void print_link(const SetupToken& made, std::string_view page) {
    std::cout << made.base_url << page << "?token=";
    print(made.token);
    std::cout << '\n';
}

void print_setup_link(const std::string& base_url, const Secret& token) {
    std::cout << base_url << "/setup?token=";
    print(token);
    std::cout << '\n';
}

/// Whether all that was said has arrived: a full disk takes nothing, and says so only when asked.
bool has_arrived() {
    std::cout.flush();
    return std::cout.good();
}

int not_heard(std::string detail = {}) {
    return refused(Refusal{"output_failed", "The output could not be written.", std::move(detail)});
}

/// Before a kit is made, which makes the one before void: whether there is room for this one where
/// it is to go.
int look_for_room(const std::string& print_file) {
    struct stat output{};
    const bool is_file = ::fstat(STDOUT_FILENO, &output) == 0 && S_ISREG(output.st_mode);
    if (is_file &&
        ::fallocate(STDOUT_FILENO, FALLOC_FL_KEEP_SIZE, output.st_size, k_kit_bytes_max) != 0 &&
        errno != EOPNOTSUPP) {
        return not_heard();
    }
    if (print_file.empty()) return k_good;
    const Bytes filler(k_sheet_bytes_max, 0);
    const auto written = os::create_file(print_file, filler, k_sheet_mode);
    if (!written) return refused(written.error());
    ::unlink(print_file.c_str());
    return k_good;
}

/// Standard input as far as it is shares; a longer one is none.
Secret read_shares() {
    WipedBytes text(k_shares_bytes_max + 1);
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(STDIN_FILENO, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    return Secret::copy_of(ByteView(text).first(size));
}

void print_kit(const Kit& kit) {
    const bool single = kit.scheme.threshold == 1;
    std::cout << "Recovery kit. ";
    if (single) {
        std::cout << "This line restores";
    } else {
        std::cout << "Any " << int{kit.scheme.threshold} << " of these " << int{kit.scheme.shares}
                  << " lines restore";
    }
    std::cout << " the root key with `postern recover`, where the data directory is.\n"
              << "Write " << (single ? "it" : "each") << " down or print "
              << (single ? "it" : "them") << " (`--print FILE.html`), and keep "
              << (single ? "it" : "each") << " apart from this machine and its backups"
              << (single ? "" : " and from the others")
              << ": without root key\nand kit nobody ever reads the data again, and whoever has "
                 "kit and data can read it.\n\n";
    for (const auto& share : kit.shares) {
        print(share);
        std::cout << '\n';
    }
    std::cout << "\nIt is not stored and will not be shown again.\n";
}

int print_sheet(const Kit& kit, const std::string& file) {
    const auto form = file.ends_with(".svg") ? SheetForm::svg : SheetForm::html;
    const auto written = recovery_sheet(kit, form).with_bytes(
        [&](ByteView bytes) { return os::create_file(file, bytes, k_sheet_mode); });
    if (!written) {
        refused(written.error());
        return k_refused;
    }
    std::cout << "The recovery kit is in " << shown(file)
              << ": print it, one share a page, hand the pages out, and shred the file.\n";
    return k_good;
}

class Runner {
public:
    explicit Runner(Installation& installation) : installation_(installation) {}

    int operator()(const InitCommand& command) const {
        if (const int bad = look_for_room(command.print_file); bad != k_good) return bad;
        const auto made = installation_.init(command);
        if (!made) return refused(made.error());
        std::cout << "The installation in " << command.place.data << " is made.\n\n"
                  << "Set-up link, for the first owner, once:\n";
        print_setup_link(made->base_url, made->setup_token);
        std::cout << "\nThe root key is in " << made->root_key_file << ".\n\n";
        return hand_out(made->kit, command.print_file);
    }

    int operator()(const MakeKitCommand& command) const {
        if (const int bad = look_for_room(command.print_file); bad != k_good) return bad;
        const auto kit = installation_.make_kit(command);
        if (!kit) return refused(kit.error());
        std::cout << "The recovery kit before this one is void: its shares restore nothing from "
                     "this keyring.\nWhoever has enough of them and an older copy of the keyring "
                     "still has the root key of then;\n`postern keyring rotate --root` makes that "
                     "one useless.\n\n";
        return hand_out(*kit, command.print_file);
    }

    int operator()(const ServeCommand& command) const {
        const auto announce = [](const Serving& serving) {
            std::cout << "ready " << serving.url << '\n';
            if (!serving.metrics_url.empty())
                std::cout << "metrics " << serving.metrics_url << '\n';
            std::cout.flush();
        };
        const auto served = installation_.serve(command.place, command.listen, announce);
        return served ? k_good : refused(served.error());
    }

    int operator()(const RecoverCommand& command) const {
        const auto fingerprint = installation_.recover(command, read_shares());
        if (!fingerprint) return refused(fingerprint.error());
        std::cout << "The root key " << *fingerprint << " is restored.\n";
        return k_good;
    }

    int operator()(const PassphraseCommand& command) const {
        const auto fingerprint = installation_.change_passphrase(command);
        if (!fingerprint) return refused(fingerprint.error());
        std::cout << "The root key " << *fingerprint
                  << (command.remove ? " lies in its file as it is, under no passphrase.\n"
                                     : " is under the new passphrase, which the next start asks "
                                       "for.\n");
        return k_good;
    }

    int operator()(const RotateCommand& command) const {
        const auto rotated = installation_.rotate(command);
        if (!rotated) return refused(rotated.error());
        if (!rotated->root_key.empty()) {
            std::cout << "The root key is now " << rotated->root_key
                      << "; the recovery kit restores this one. The one before opens nothing of "
                         "this keyring.\n";
        }
        if (command.keyring || command.workspaces) {
            std::cout << "Rotated: " << rotated->moved << " wraps are under new keys, and the keys "
                      << "before are destroyed.\n";
        }
        return k_good;
    }

    int operator()(const SetupLinkCommand& command) const {
        const auto made = installation_.setup_token(command.place);
        if (!made) return refused(made.error());
        print_link(*made, "/setup");
        return k_good;
    }

    int operator()(const RecoverPersonCommand& command) const {
        const auto made = installation_.recover_person(command.place, command.email);
        if (!made) return refused(made.error());
        print_link(*made, "/reset");
        return k_good;
    }

    int operator()(const CreateTokenCommand& command) const {
        const auto token = installation_.create_token(command);
        if (!token) return refused(token.error());
        print(*token);
        std::cout << '\n';
        return k_good;
    }

    int operator()(const SealAllCommand& command) const {
        const auto sealed = installation_.seal_all(command);
        if (!sealed) return refused(sealed.error());
        std::cout << "Sealed: " << sealed->integrations << " integrations, " << sealed->leases
                  << " leases, " << sealed->grants << " grants, " << sealed->connections
                  << " connections ended.\n";
        if (!command.grants) std::cout << "Grants were kept; --grants ends them, too.\n";
        if (sealed->confirmed) return k_good;
        std::cerr << "postern: The mail process did not answer and could not be ended: stop the "
                     "server. [not_confirmed]\n";
        return k_refused;
    }

    int operator()(const VerifyAuditCommand& command) const {
        const auto verified = installation_.verify_audit(command);
        if (!verified) return refused(verified.error());
        const auto report = report_of(*verified, !command.log_file.empty());
        std::cout << report.text;
        if (report.is_whole) return k_good;
        std::cerr << "postern: The audit record is not what was written. [audit_broken]\n";
        return k_refused;
    }

    int operator()(const CheckConfigCommand& command) const {
        const auto problems = installation_.config_problems(command.config_file);
        for (const auto& problem : problems)
            std::cerr << "postern: " << problem << '\n';
        if (!problems.empty()) return k_refused;
        std::cout << "The configuration is good.\n";
        return k_good;
    }

    int operator()(const MigrateStoreCommand& command) const {
        const auto moved = installation_.migrate_store(command.place, command.to);
        if (!moved) return refused(moved.error());
        std::cout << "The stores lie on " << command.to << " now; " << moved->rows
                  << " rows were moved and read back.\nThe old ones are destroyed. Set kind = \""
                  << command.to << "\" in [store] before the next start.\n";
        return k_good;
    }

    int operator()(const DoctorCommand& command) const {
        bool good = true;
        for (const auto& check : installation_.doctor(command.place)) {
            const auto* word = check.verdict == Verdict::good      ? "good    "
                               : check.verdict == Verdict::warning ? "warning "
                                                                   : "BAD     ";
            std::cout << word << check.name << ": " << check.text << '\n';
            good = good && check.verdict != Verdict::bad;
        }
        return good ? k_good : k_refused;
    }

    int operator()(const VerifyReceiptCommand& command) const {
        const auto text = os::read_file(command.file, k_receipt_bytes_max);
        if (!text) return refused(text.error());
        const auto receipt = read_receipt(as_bytes(*text));
        if (!receipt) return refused(receipt.error());
        auto key = receipt->key;
        if (command.place) {
            auto published = installation_.receipt_key(*command.place);
            if (!published) return refused(published.error());
            key = std::move(*published);
        }
        if (key.empty()) return refused(Error(ReceiptError::no_key));
        if (const auto verified = verify_receipt(*receipt, key); !verified) {
            return refused(verified.error());
        }
        std::cout << "The receipt " << shown(receipt->id) << " (" << shown(receipt->kind)
                  << ") is signed by " << codec::base64(key) << ".\n";
        for (const auto& name : receipt->uncovered)
            std::cout << "Not signed, and no part of it: \"" << shown(name) << "\".\n";
        if (!command.place) {
            std::cout << "That is the key it names itself: compare it with the one that the "
                         "installation publishes.\n";
        }
        return k_good;
    }

    int operator()(const AcceptAnchorsCommand& command) const {
        const auto accepted = installation_.accept_anchors(command.place);
        if (!accepted) return refused(accepted.error());
        std::cout
            << "The second place begins anew; what stood there is beside it, as *.accepted-N. "
               "The installation's record says so.\n";
        return k_good;
    }

    int operator()(const ExportAuditCommand& command) const {
        const auto tell = [](const std::string& lines) { std::cout << lines; };
        const auto told = installation_.export_audit(command.place, command.workspace, tell);
        return told ? k_good : refused(told.error());
    }

    int operator()(const CheckTrustCommand& command) const {
        bool proven = true;
        const auto tell = [&](const ClaimText& claim, const ProveClaim::Answer& proof) {
            std::cout << (command.json ? claim_as_json(claim, proof) : claim_as_text(claim, proof));
            std::cout.flush();
            proven = proven && proof.verdict == ClaimVerdict::proven;
        };
        const auto checked = installation_.prove_claims(command.place, command.claim, tell);
        if (!checked) return refused(checked.error());
        return proven ? k_good : k_refused;
    }

private:
    /// A kit that cannot be written to its file is shown: it cannot be had again.
    static int hand_out(const Kit& kit, const std::string& file) {
        if (!file.empty() && print_sheet(kit, file) == k_good) return k_good;
        print_kit(kit);
        if (!has_arrived()) return not_heard("No kit before is good any more: make another one.");
        return file.empty() ? k_good : k_refused;
    }

    Installation& installation_;
};

}  // namespace

int run(int argc, const char* const* argv, const std::string& version, Installation& installation) {
    const auto command = parse_command_line(argc, argv, version);
    if (command) {
        const int code = std::visit(Runner(installation), *command);
        const bool is_over = std::holds_alternative<ServeCommand>(*command);
        return code != k_good || is_over || has_arrived() ? code : not_heard();
    }
    const auto& usage = command.error();
    (usage.exit_code == 0 ? std::cout : std::cerr) << usage.text;
    return usage.exit_code;
}

}  // namespace postern::cli
