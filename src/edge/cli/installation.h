#pragma once

#include "edge/cli/admin_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

/// Why a command did not do what it was asked, in words.
struct Refusal {
    std::string code;
    std::string text;
    std::string detail;
};
template <typename T = void>
using Outcome = std::expected<T, Refusal>;

/// Which installation a command is about.
struct Place {
    std::string data;
    std::string config_file;    ///< empty: none
    std::string root_key_file;  ///< empty: the configuration's, else DATA/root.key
    int passphrase_fd = -1;     ///< to read the root key's passphrase from; -1: see serve
};
struct CreateTokenCommand {
    Place place;
    std::string workspace;
    std::string role;
    bool demo = false;  ///< marks a workspace that is made for it
};

struct KitScheme {
    std::uint8_t shares = 1;
    std::uint8_t threshold = 1;
};
struct InitCommand {
    Place place;
    KitScheme kit;
    std::string print_file;         ///< empty: the kit is printed as text
    bool under_passphrase = false;  ///< the root key
};
struct RecoverCommand {
    Place place;
    bool under_passphrase = false;
};
struct PassphraseCommand {
    Place place;
    bool remove = false;  ///< the key lies in its file as it is, from now on
    int new_passphrase_fd = -1;
};
struct VerifyAuditCommand {
    Place place;
    std::string log_file;  ///< that has anchors in its lines; empty: none
};
struct MakeKitCommand {
    Place place;
    KitScheme kit;
    std::string print_file;
};

struct RotateCommand {
    Place place;
    bool root = false;
    bool keyring = false;
    bool workspaces = false;
    int new_passphrase_fd = -1;  ///< of the new root key, where the one before is under one
};

struct SealAllCommand {
    Place place;
    bool grants = false;
};

/// A recovery kit, on its way to paper.
struct Kit {
    std::vector<Secret> shares;  ///< one line each
    KitScheme scheme;
    std::string fingerprint;  ///< of the root key that they restore
};

/// What init tells its user. Nothing of it is stored in clear.
struct Made {
    Kit kit;
    Secret setup_token;
    std::string base_url;  ///< where the set-up page will be
    std::string root_key_file;
};
struct Rotated {
    std::string root_key;     ///< the new one's fingerprint; empty: it is the same as before
    std::uint64_t moved = 0;  ///< wraps under new keys
};
struct SetupToken {
    Secret token;
    std::string base_url;
};
struct Moved {
    std::int64_t rows = 0;  ///< 0 where an earlier call had moved them
};
struct Serving {
    std::string url;
    std::string metrics_url;  ///< empty: none
};

/// What the commands do, as far as it takes processes and files; app/ implements it. Commands that
/// need the stores ask the running server, else one that is started for the command alone.
class Installation {
public:
    virtual ~Installation() = default;

    virtual Outcome<Made> init(const InitCommand& command) = 0;
    virtual Outcome<Kit> make_kit(const MakeKitCommand& command) = 0;
    /// The fingerprint of the restored key.
    virtual Outcome<std::string> recover(const RecoverCommand& command, Secret shares) = 0;
    /// The fingerprint of the key, which is the same as before.
    virtual Outcome<std::string> change_passphrase(const PassphraseCommand& command) = 0;
    /// Returns when all is rotated. What has been done at an error stays; the rest goes on, at the
    /// latest with the next start.
    virtual Outcome<Rotated> rotate(const RotateCommand& command) = 0;
    /// Until SIGTERM or SIGINT.
    virtual Outcome<> serve(const Place& place,
                            const std::vector<std::string>& listen,
                            const std::function<void(const Serving&)>& announce) = 0;
    /// One line per problem; empty: it is good.
    virtual std::vector<std::string> config_problems(const std::string& config_file) = 0;

    virtual Outcome<SetupToken> setup_token(const Place& place) = 0;
    /// Of a link to a new password, without second factors.
    virtual Outcome<SetupToken> recover_person(const Place& place, const std::string& email) = 0;
    virtual Outcome<Secret> create_token(const CreateTokenCommand& command) = 0;
    virtual Outcome<SealAll::Answer> seal_all(const SealAllCommand& command) = 0;
    virtual Outcome<VerifyAudit::Answer> verify_audit(const VerifyAuditCommand& command) = 0;
    virtual Outcome<> accept_anchors(const Place& place) = 0;
    /// Tells some lines at a time, oldest first.
    using TellLines = std::function<void(const std::string&)>;
    virtual Outcome<> export_audit(const Place& place,
                                   const std::string& workspace,
                                   const TellLines& tell) = 0;
    virtual Outcome<Bytes> receipt_key(const Place& place) = 0;
    /// Moves the stores to "sqlite" or "postgresql", while no server runs.
    virtual Outcome<Moved> migrate_store(const Place& place, const std::string& to) = 0;
    virtual std::vector<DoctorCheck> doctor(const Place& place) = 0;
    /// Proves the claim with that id (empty: each, in the order of the registry) and tells of each
    /// as soon as it is known.
    using TellProof = std::function<void(const ClaimText&, const ProveClaim::Answer&)>;
    virtual Outcome<> prove_claims(const Place& place,
                                   const std::string& id,
                                   const TellProof& tell) = 0;
};

}  // namespace postern::cli
