#pragma once

#include "app/config/config.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// Between the supervisor and each child, over the child's descriptor 3. The supervisor calls but
/// for StartReader, EndReader, ListProcesses and OpenAnchors, which are front's, and those that are
/// keeper's.
namespace postern::app::control {

inline constexpr int k_control_descriptor = 3;
/// In a reader's command line, which gets no Start: forbidden system calls are only logged.
inline constexpr std::string_view k_only_log_calls = "--only-log-calls";

enum class ControlError { out_of_order, too_many_readers, no_reader };

constexpr ErrorInfo describe(ControlError error) {
    switch (error) {
        case ControlError::out_of_order: return {"internal_error", "Something went wrong inside."};
        case ControlError::too_many_readers:
            return {"busy", "Too much is going on at the moment. Please try again."};
        case ControlError::no_reader:
            return {"process_restarting", "A part of the server is restarting. Please try again."};
    }
    return {"internal_error", "Something went wrong inside."};
}

/// Any module's Error in words: why a child does not start, for the operator.
struct Refusal {
    std::string code;  ///< empty: good
    std::string text;
    std::string detail;
    auto wire() { return std::tie(code, text, detail); }
};
[[nodiscard]] inline Refusal refusal_of(const Error& error) {
    return {std::string(error.code()), std::string(error.text()), error.detail()};
}

/// What front serves on, once it does.
struct Ready {
    std::uint16_t port = 0;
    std::uint16_t metrics_port = 0;  ///< 0: no metrics
    bool next_root_key = false;      ///< keeper: the next root key is the one that fits
    auto wire() { return std::tie(port, metrics_port, next_root_key); }
};

/// Where the stores of one process lie. What it may not read by itself it is given: the password,
/// and the certificate authority as memory.
struct StoreAccess {
    config::StoreEngine engine = config::StoreEngine::sqlite;
    config::DatabaseServer server;
    Secret password;
    os::Fd ca;
    bool beside_bulk = false;  ///< keyring in the bulk's cluster, by the operator's own word
    auto wire() { return std::tie(engine, server, password, ca, beside_bulk); }
};

/// What is needed to reach the log server: read by the supervisor.
struct LogServerFiles {
    std::string ca;           ///< PEM; empty: the system's authorities
    std::string certificate;  ///< PEM; empty: none is shown
    Secret key;               ///< PEM
    auto wire() { return std::tie(ca, certificate, key); }
};

/// Answered when the child is ready or cannot be.
struct Start {
    static constexpr std::uint16_t k_method = 1;
    struct Answer {
        Refusal refused;
        Ready ready;
        auto wire() { return std::tie(refused, ready); }
    };
    using Failure = ControlError;
    config::Config config;
    bool offline = false;    ///< for one command: no listeners, no jobs, an admin link only
    bool create = false;     ///< make the store that is not there yet
    os::Fd root_key;         ///< keeper
    os::Fd next_root_key;    ///< keeper, where a rotation was interrupted
    Secret passphrase;       ///< keeper, where the root key is under one
    Secret next_passphrase;  ///< of the next one
    os::Fd tls_certificate;  ///< front, where the configuration names one
    os::Fd tls_key;
    StoreAccess store;          ///< front's or keeper's
    Secret own_mail_password;   ///< courier, where the configuration names a server with one
    std::string own_mail_ca;    ///< the same: PEM
    LogServerFiles log_server;  ///< courier, where the configuration names one
    auto wire() {
        return std::tie(config, offline, create, root_key, next_root_key, passphrase,
                        next_passphrase, tls_certificate, tls_key, store, own_mail_password,
                        own_mail_ca, log_server);
    }
};

/// Front and keeper, before Start: whether a Start would find the stores of this process as it
/// needs them. Keeper changes nothing. Front brings its own ones up to date, of which there is a
/// copy: before the keyring, of which none is kept.
struct Look {
    static constexpr std::uint16_t k_method = 14;
    struct Answer {
        Refusal refused;
        bool behind = false;  ///< keeper: a Start would migrate the keyring
        auto wire() { return std::tie(refused, behind); }
    };
    using Failure = ControlError;
    config::Config config;
    StoreAccess store;
    auto wire() { return std::tie(config, store); }
};

enum class Partner : std::uint8_t { front = 1, keeper, courier, admin };

/// A new connection to a process that was (re)started, or to a command line (admin, of front and
/// of keeper).
struct Attach {
    static constexpr std::uint16_t k_method = 2;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    Partner partner = Partner::front;
    os::Fd socket;
    auto wire() { return std::tie(partner, socket); }
};

/// Answered by the child's event loop as soon as it turns, whatever else is under way: a child that
/// does not answer for long hangs, and is ended.
struct Ping {
    static constexpr std::uint16_t k_method = 13;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    auto wire() { return std::tie(); }
};

/// Answered at once; the child then ends by itself, at the deadline it is killed.
struct Stop {
    static constexpr std::uint16_t k_method = 3;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    std::uint32_t deadline_ms = 0;
    auto wire() { return std::tie(deadline_ms); }
};

/// Front to supervisor: a fresh reader; it ends when this socket closes.
/// Errors: too_many_readers, no_reader.
struct StartReader {
    static constexpr std::uint16_t k_method = 4;
    struct Answer {
        os::Fd socket;
        std::uint64_t number = 0;  ///< for EndReader
        auto wire() { return std::tie(socket, number); }
    };
    using Failure = ControlError;
    auto wire() { return std::tie(); }
};

/// Front to supervisor: that socket is closed. A reader that does not end by itself, because a mail
/// has taken it over, is killed in a moment. Answered at once.
struct EndReader {
    static constexpr std::uint16_t k_method = 9;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    std::uint64_t number = 0;
    auto wire() { return std::tie(number); }
};

/// Keeper to supervisor: courier does not answer to the end of a use, so its process is to end, and
/// every connection with it. Answered when it is gone; another courier is started.
struct EndCourier {
    static constexpr std::uint16_t k_method = 5;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    auto wire() { return std::tie(); }
};

/// Keeper to supervisor: start keeper with this root key, too, should it end; once changed, with it
/// alone.
struct NextRootKey {
    static constexpr std::uint16_t k_method = 6;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    os::Fd file;
    Secret passphrase;
    auto wire() { return std::tie(file, passphrase); }
};
struct RootKeyChanged {
    static constexpr std::uint16_t k_method = 7;
    using Answer = ipc::Nothing;
    using Failure = ControlError;
    auto wire() { return std::tie(); }
};

/// Front to supervisor: what the kernel tells of each child, for who judges their fences from
/// outside. A status is the text of /proc/PID/status; empty where the host does not show it.
struct ListProcesses {
    static constexpr std::uint16_t k_method = 8;
    struct Child {
        std::string role;
        std::string status;
        auto wire() { return std::tie(role, status); }
    };
    struct Answer {
        std::string own_status;  ///< of the supervisor, which has no fence
        std::vector<Child> children;
        auto wire() { return std::tie(own_status, children); }
    };
    using Failure = ControlError;
    auto wire() { return std::tie(); }
};

/// Keeper, before Start: writes a fresh root key to `file`. The supervisor never holds the key.
struct MakeRootKey {
    static constexpr std::uint16_t k_method = 10;
    struct Answer {
        Refusal refused;
        auto wire() { return std::tie(refused); }
    };
    using Failure = ControlError;
    os::Fd file;
    Secret passphrase;  ///< empty: the key as it is
    auto wire() { return std::tie(file, passphrase); }
};

/// Keeper, before Start: writes the key that recovery shares restore to `file`, if this keyring
/// wants it.
struct RestoreRootKey {
    static constexpr std::uint16_t k_method = 11;
    struct Answer {
        Refusal refused;
        std::string fingerprint;
        auto wire() { return std::tie(refused, fingerprint); }
    };
    using Failure = ControlError;
    Secret shares;  ///< as typed, one after the other
    os::Fd file;
    Secret passphrase;  ///< empty: the key as it is
    StoreAccess store;
    auto wire() { return std::tie(shares, file, passphrase, store); }
};

enum class AnchorStep : std::uint8_t { open, rotate, accept };
/// Front to supervisor: the files at the audit record's second place, which front may not open.
struct OpenAnchors {
    static constexpr std::uint16_t k_method = 15;
    struct Answer {
        Refusal refused;
        os::Fd present;
        os::Fd before;  ///< where there is one
        auto wire() { return std::tie(refused, present, before); }
    };
    using Failure = ControlError;
    AnchorStep step = AnchorStep::open;
    auto wire() { return std::tie(step); }
};

enum class MoveStep : std::uint8_t {
    look,     ///< whether the target can take them; changes nothing
    copy,     ///< everything into the target, and read back; the source stays the one in use
    abandon,  ///< destroys what was copied
    finish,   ///< the target has become the one in use: destroys the source
};

/// Front and keeper, before Start: moves the stores of this process to another engine. Each step
/// can be repeated.
struct MoveStore {
    static constexpr std::uint16_t k_method = 12;
    struct Answer {
        Refusal refused;
        std::int64_t rows = 0;
        auto wire() { return std::tie(refused, rows); }
    };
    using Failure = ControlError;
    MoveStep step = MoveStep::copy;
    StoreAccess from;
    StoreAccess to;
    auto wire() { return std::tie(step, from, to); }
};

}  // namespace postern::app::control
