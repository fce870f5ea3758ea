#include "app/supervisor/passphrase.h"

#include "app/supervisor/outcome.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <string>
#include <string_view>

namespace postern::app::supervisor {
namespace {

constexpr const char* k_credential = "postern-passphrase";

/// One byte after the other: what follows the line stays for whoever reads next.
Outcome<Secret> read_line(int descriptor) {
    WipedBytes line;
    while (true) {
        std::uint8_t byte = 0;
        const auto got = ::read(descriptor, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || byte == '\n') break;
        if (line.size() == k_passphrase_bytes_max) {
            return refuse(SupervisorError::passphrase_too_long);
        }
        line.append(ByteView(&byte, 1));
        wipe(&byte, 1);
    }
    if (!line.empty() && line.data()[line.size() - 1] == '\r') line.resize(line.size() - 1);
    if (line.empty()) return refuse(SupervisorError::no_passphrase);
    return Secret::copy_of(ByteView(line));
}

/// What is typed does not show while it lives.
class Quiet {
public:
    explicit Quiet(int terminal) : terminal_(terminal) {
        quiet_ = ::tcgetattr(terminal, &before_) == 0;
        auto silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        quiet_ = quiet_ && ::tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
    }
    ~Quiet() {
        if (quiet_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

    [[nodiscard]] bool is_quiet() const { return quiet_; }

private:
    int terminal_;
    termios before_{};
    bool quiet_ = false;
};

void say(int terminal, std::string_view words) {
    // A prompt that is not seen is no reason to stop.
    (void)!::write(terminal, words.data(), words.size());
}

Outcome<Secret> ask(std::string_view words) {
    const os::Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal.valid()) return refuse(SupervisorError::no_passphrase);
    const Quiet quiet(terminal.get());
    if (!quiet.is_quiet()) return refuse(SupervisorError::no_passphrase);
    say(terminal.get(), words);
    auto line = read_line(terminal.get());
    say(terminal.get(), "\n");
    return line;
}

os::Fd open_credential() {
    // The variable names a folder; the secret is in the file.
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe)
    if (folder == nullptr) return {};
    const auto path = std::string(folder) + "/" + k_credential;
    return os::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

Outcome<Secret> given_passphrase(int descriptor) {
    if (descriptor >= 0) return read_line(descriptor);
    const auto credential = open_credential();
    if (!credential.valid()) return Secret();
    return read_line(credential.get());
}

Outcome<Secret> enter_passphrase(int descriptor) {
    auto given = given_passphrase(descriptor);
    if (!given || !given->empty()) return given;
    return ask("Passphrase of the root key: ");
}

Outcome<Secret> choose_passphrase(int descriptor) {
    if (descriptor >= 0) return read_line(descriptor);
    auto first = ask("New passphrase of the root key: ");
    if (!first) return first;
    const auto second = ask("The same again: ");
    if (!second) return std::unexpected(second.error());
    const bool same = first->with_bytes([&](ByteView a) {
        return second->with_bytes([&](ByteView b) { return as_text(a) == as_text(b); });
    });
    if (!same) return refuse(SupervisorError::passphrases_differ);
    return first;
}

}  // namespace postern::app::supervisor
