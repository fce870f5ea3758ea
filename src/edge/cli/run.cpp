#include "edge/cli/run.h"

#include "edge/cli/admin_protocol.h"
#include "edge/cli/command_line.h"
#include "edge/cli/installation.h"
#include "edge/cli/receipt_check.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "platform/os/files.h"

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
constexpr std::size_t k_share_bytes_max = 4096;

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

void print_setup_link(const std::string& base_url, const Secret& token) {
    std::cout << base_url << "/setup?token=";
    print(token);
    std::cout << '\n';
}

/// Standard input as far as it is a share; a longer one is none.
Secret read_share() {
    WipedBytes text(k_share_bytes_max + 1);
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(STDIN_FILENO, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    return Secret::copy_of(ByteView(text).first(size));
}

class Runner {
public:
    explicit Runner(Installation& installation) : installation_(installation) {}

    int operator()(const InitCommand& command) const {
        const auto made = installation_.init(command.place);
        if (!made) return refused(made.error());
        std::cout << "The installation in " << command.place.data << " is made.\n\n"
                  << "Set-up link, for the first owner, once:\n";
        print_setup_link(made->base_url, made->setup_token);
        std::cout << "\nRecovery kit. This line restores the root key (" << made->root_key_file
                  << ") with `postern recover`.\nWrite it down or print it, and keep it apart from "
                     "this machine and its backups: without root key\nand this line nobody ever "
                     "reads the data again, and whoever has both line and data can read it.\n\n";
        print(made->recovery_text);
        std::cout << "\n\nIt is not stored and will not be shown again.\n";
        return k_good;
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
        const auto fingerprint = installation_.recover(command.place, read_share());
        if (!fingerprint) return refused(fingerprint.error());
        std::cout << "The root key " << *fingerprint << " is restored.\n";
        return k_good;
    }

    int operator()(const SetupLinkCommand& command) const {
        const auto made = installation_.setup_token(command.place);
        if (!made) return refused(made.error());
        print_setup_link(made->base_url, made->token);
        return k_good;
    }

    int operator()(const CreateTokenCommand& command) const {
        const auto token = installation_.create_token(command);
        if (!token) return refused(token.error());
        print(*token);
        std::cout << '\n';
        return k_good;
    }

    int operator()(const CheckConfigCommand& command) const {
        const auto problems = installation_.config_problems(command.config_file);
        for (const auto& problem : problems)
            std::cerr << "postern: " << problem << '\n';
        if (!problems.empty()) return k_refused;
        std::cout << "The configuration is good.\n";
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

private:
    Installation& installation_;
};

}  // namespace

int run(int argc, const char* const* argv, const std::string& version, Installation& installation) {
    const auto command = parse_command_line(argc, argv, version);
    if (command) return std::visit(Runner(installation), *command);
    const auto& usage = command.error();
    (usage.exit_code == 0 ? std::cout : std::cerr) << usage.text;
    return usage.exit_code;
}

}  // namespace postern::cli
