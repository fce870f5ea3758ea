#pragma once

#include "edge/cli/installation.h"

namespace postern::app::supervisor {

/// The commands on this machine's files and processes.
class LocalInstallation final : public cli::Installation {
public:
    cli::Outcome<cli::Made> init(const cli::InitCommand& command) override;
    cli::Outcome<cli::Kit> make_kit(const cli::MakeKitCommand& command) override;
    cli::Outcome<std::string> recover(const cli::RecoverCommand& command, Secret shares) override;
    cli::Outcome<std::string> change_passphrase(const cli::PassphraseCommand& command) override;
    cli::Outcome<cli::Rotated> rotate(const cli::RotateCommand& command) override;
    cli::Outcome<> serve(const cli::Place& place,
                         const std::vector<std::string>& listen,
                         const std::function<void(const cli::Serving&)>& announce) override;
    std::vector<std::string> config_problems(const std::string& config_file) override;
    cli::Outcome<cli::SetupToken> setup_token(const cli::Place& place) override;
    cli::Outcome<Secret> create_token(const cli::CreateTokenCommand& command) override;
    cli::Outcome<cli::SealAll::Answer> seal_all(const cli::SealAllCommand& command) override;
    cli::Outcome<cli::SetupToken> recover_person(const cli::Place& place,
                                                 const std::string& email) override;
    cli::Outcome<cli::VerifyAudit::Answer> verify_audit(
        const cli::VerifyAuditCommand& command) override;
    cli::Outcome<> accept_anchors(const cli::Place& place) override;
    cli::Outcome<> export_audit(const cli::Place& place,
                                const std::string& workspace,
                                const TellLines& tell) override;
    cli::Outcome<Bytes> receipt_key(const cli::Place& place) override;
    cli::Outcome<cli::Moved> migrate_store(const cli::Place& place, const std::string& to) override;
    std::vector<cli::DoctorCheck> doctor(const cli::Place& place) override;
    cli::Outcome<> prove_claims(const cli::Place& place,
                                const std::string& id,
                                const TellProof& tell) override;
};

/// No core, no ptrace, files for the owner alone, room for the children's locked memory: before
/// anything else. Errors: OsError.
[[nodiscard]] Result<> prepare_supervisor();

}  // namespace postern::app::supervisor
