#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

/// What the command line asks of front, over DIR/run/admin.sock or, without a running server, over
/// a socket pair to one that was started for it alone. Whoever can connect owns the installation.
namespace postern::cli {

enum class AdminError {
    already_set_up,
    unknown_role,
    invalid_name,
    disk_full,
    unknown_claim,
    unknown_person,
    unknown_workspace,
    no_anchors,
    log_too_large,
    busy,
    failed,
};

constexpr ErrorInfo describe(AdminError error) {
    switch (error) {
        case AdminError::already_set_up:
            return {"already_set_up", "There is an owner already; the set-up link is used up."};
        case AdminError::unknown_role: return {"unknown_role", "There is no such role."};
        case AdminError::invalid_name:
            return {"invalid_name", "A workspace name has 1 to 100 characters, none of control."};
        case AdminError::disk_full: return {"disk_full", "The disk is full; nothing was changed."};
        case AdminError::unknown_claim: return {"unknown_claim", "There is no such claim."};
        case AdminError::unknown_person:
            return {"unknown_person", "Nobody signs in here with this address."};
        case AdminError::unknown_workspace:
            return {"unknown_workspace", "There is no such workspace."};
        case AdminError::log_too_large:
            return {"log_too_large",
                    "A log of more than 1 GiB is not gone through: split it, or keep only its "
                    "lines that have postern-anchor-1 in them."};
        case AdminError::no_anchors:
            return {"no_anchors", "No second place is set: anchor_file in [audit] names one."};
        case AdminError::busy: return {"busy", "Somebody else is at it already. Please try again."};
        case AdminError::failed: return {"internal_error", "Something went wrong inside."};
    }
    return {"internal_error", "Something went wrong inside."};
}

/// Makes a fresh set-up token for the first owner; the one before is void.
/// Errors: already_set_up.
struct SetupLink {
    static constexpr std::uint16_t k_method = 200;
    struct Answer {
        Secret token;
        std::uint16_t port = 0;  ///< on which the server listens now; 0: it does not run
        auto wire() { return std::tie(token, port); }
    };
    using Failure = AdminError;
    auto wire() { return std::tie(); }
};

/// Makes a link that lets somebody in anew, without their second factors. Errors: unknown_person,
/// disk_full.
struct RecoverPerson {
    static constexpr std::uint16_t k_method = 211;
    using Answer = SetupLink::Answer;
    using Failure = AdminError;
    std::string email;
    auto wire() { return std::tie(email); }
};

/// Makes an API token of a workspace, and the workspace where there is none of that name.
/// Errors: unknown_role, invalid_name, disk_full.
struct CreateToken {
    static constexpr std::uint16_t k_method = 201;
    struct Answer {
        Secret token;  ///< "pst_..."
        auto wire() { return std::tie(token); }
    };
    using Failure = AdminError;
    std::string workspace;
    std::string role;
    bool demo = false;  ///< marks a workspace that is made for it
    auto wire() { return std::tie(workspace, role, demo); }
};

/// Who this installation is.
struct Identify {
    static constexpr std::uint16_t k_method = 202;
    struct Answer {
        Bytes receipt_key;  ///< Ed25519 public half
        auto wire() { return std::tie(receipt_key); }
    };
    using Failure = AdminError;
    auto wire() { return std::tie(); }
};

enum class Verdict : std::uint8_t { good, warning, bad };
struct DoctorCheck {
    std::string name;  ///< "secrets in locked memory"
    Verdict verdict = Verdict::good;
    std::string text;  ///< what was seen, and where it is not good what to do
    auto wire() { return std::tie(name, verdict, text); }
};
/// The name of the check that says how well the processes are kept apart.
inline constexpr const char* k_isolation = "isolation";
/// What only front and keeper can see: Secret::all_locked() of both, the stores' reserve, and of a
/// running server how well its processes are kept apart.
struct Doctor {
    static constexpr std::uint16_t k_method = 203;
    struct Answer {
        std::vector<DoctorCheck> checks;
        auto wire() { return std::tie(checks); }
    };
    using Failure = AdminError;
    auto wire() { return std::tie(); }
};

/// A claim of the trust registry, as people read it.
struct ClaimText {
    std::string id;       ///< "P1.sealed"
    std::string text;     ///< the claim
    std::string method;   ///< what its check does
    std::string planted;  ///< the fault that its positive control plants
    std::string cost;     ///< what a check takes
    auto wire() { return std::tie(id, text, method, planted, cost); }
};
struct ListClaims {
    static constexpr std::uint16_t k_method = 204;
    struct Answer {
        std::vector<ClaimText> claims;
        auto wire() { return std::tie(claims); }
    };
    using Failure = AdminError;
    auto wire() { return std::tie(); }
};

enum class ClaimVerdict : std::uint8_t { proven, failing, unknown };
/// Runs a claim's positive control and its check. Errors: unknown_claim, busy.
struct ProveClaim {
    static constexpr std::uint16_t k_method = 205;
    static constexpr std::chrono::minutes k_answer_time{15};
    struct Answer {
        ClaimVerdict verdict = ClaimVerdict::unknown;
        std::vector<std::string> evidence;
        std::vector<std::string> faults;
        std::string reason;  ///< why it is unknown
        std::int64_t at_ms = 0;
        std::int64_t took_ms = 0;
        auto wire() { return std::tie(verdict, evidence, faults, reason, at_ms, took_ms); }
    };
    using Failure = AdminError;
    std::string id;
    auto wire() { return std::tie(id); }
};

/// Ends every lease, ticket and connection of the installation, and with `grants` every grant.
struct SealAll {
    static constexpr std::uint16_t k_method = 206;
    struct Answer {
        std::uint32_t integrations = 0;
        std::uint32_t leases = 0;
        std::uint32_t grants = 0;
        std::uint32_t connections = 0;
        bool confirmed = true;  ///< the mail process closed them, or ended with them
        auto wire() { return std::tie(integrations, leases, grants, connections, confirmed); }
    };
    using Failure = AdminError;
    bool grants = false;
    auto wire() { return std::tie(grants); }
};

/// What is asked of the installation's keys and stores on the host.
enum class HostAct : std::uint8_t {
    recovery_kit,
    passphrase,
    root_rotation,
    keyring_rotation,
    workspace_rotation,
    migration,
};
/// Written down before any of it is done: no record, no change. Errors: disk_full, failed.
struct NoteHostActs {
    static constexpr std::uint16_t k_method = 208;
    using Answer = ipc::Nothing;
    using Failure = AdminError;
    std::vector<HostAct> acts;
    auto wire() { return std::tie(acts); }
};

/// Goes through the audit records of the installation and of every workspace, and compares them
/// with what stands at second places. Errors: log_too_large, disk_full, failed.
struct VerifyAudit {
    static constexpr std::uint16_t k_method = 207;
    static constexpr std::chrono::minutes k_answer_time{15};
    struct Chain {
        std::string workspace;       ///< its id
        std::int64_t records = 0;    ///< whole ones, from the first on
        std::int64_t broken_at = 0;  ///< number of the first that is not; 0: all are whole
        std::string fault;
        std::string head;       ///< of the last whole one, in hexadecimal
        std::int64_t base = 0;  ///< how many went before the first because of their age
        auto wire() { return std::tie(workspace, records, broken_at, fault, head, base); }
    };
    /// What a log says of a workspace's record.
    struct Newest {
        std::string workspace;
        std::int64_t anchors = 0;  ///< good ones
        std::int64_t number = 0;   ///< of the farthest; 0: there is none
        std::int64_t at_ms = 0;    ///< its time
        std::int64_t record = 0;   ///< the newest record here
        auto wire() { return std::tie(workspace, anchors, number, at_ms, record); }
    };
    struct Log {
        std::int64_t lines = 0;
        std::int64_t too_long = 0;  ///< of them, which were not looked at
        std::vector<Newest> newest;
        std::vector<std::string> faults;
        auto wire() { return std::tie(lines, too_long, newest, faults); }
    };
    struct Answer {
        std::vector<Chain> chains;
        bool has_anchors = false;  ///< there is a file at a second place
        std::int64_t anchors = 0;  ///< good lines there
        std::vector<std::string> anchor_faults;
        bool has_log_server = false;
        Log log;  ///< where one was given
        auto wire() {
            return std::tie(chains, has_anchors, anchors, anchor_faults, has_log_server, log);
        }
    };
    using Failure = AdminError;
    os::Fd log;  ///< a file that has anchors in its lines; none: no such file
    auto wire() { return std::tie(log); }
};

/// What differs from the second place is as the operator wants it: begins anew there.
/// Errors: no_anchors, disk_full, failed.
struct AcceptAnchors {
    static constexpr std::uint16_t k_method = 209;
    using Answer = ipc::Nothing;
    using Failure = AdminError;
    auto wire() { return std::tie(); }
};

/// Some of a workspace's records, oldest first, as JSON lines. Errors: unknown_workspace, failed.
struct ExportAudit {
    static constexpr std::uint16_t k_method = 210;
    struct Answer {
        std::string lines;      ///< empty: there are no others
        std::int64_t last = 0;  ///< number of the last one
        auto wire() { return std::tie(lines, last); }
    };
    using Failure = AdminError;
    std::string workspace;   ///< its id, or its name
    std::int64_t after = 0;  ///< larger numbers
    auto wire() { return std::tie(workspace, after); }
};

}  // namespace postern::cli
