#pragma once

#include "edge/cli/installation.h"

#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace postern::cli {

struct ServeCommand {
    Place place;
    std::vector<std::string> listen;
};
struct SetupLinkCommand {
    Place place;
};
struct RecoverPersonCommand {
    Place place;
    std::string email;
};
struct CheckConfigCommand {
    std::string config_file;
};
struct MigrateStoreCommand {
    Place place;
    std::string to;  ///< "sqlite" or "postgresql"
};
struct DoctorCommand {
    Place place;
};
struct VerifyReceiptCommand {
    std::optional<Place> place;  ///< nothing: the key that the receipt names
    std::string file;
};
struct CheckTrustCommand {
    Place place;
    std::string claim;  ///< empty: all
    bool json = false;
};
struct AcceptAnchorsCommand {
    Place place;
};
struct ExportAuditCommand {
    Place place;
    std::string workspace;
};
using Command = std::variant<InitCommand,
                             MakeKitCommand,
                             PassphraseCommand,
                             RotateCommand,
                             ServeCommand,
                             RecoverCommand,
                             SetupLinkCommand,
                             CreateTokenCommand,
                             SealAllCommand,
                             CheckConfigCommand,
                             MigrateStoreCommand,
                             DoctorCommand,
                             VerifyReceiptCommand,
                             CheckTrustCommand,
                             VerifyAuditCommand,
                             RecoverPersonCommand,
                             AcceptAnchorsCommand,
                             ExportAuditCommand>;

/// What to print instead of running a command: help, the version, or what was wrong.
struct Usage {
    std::string text;
    int exit_code = 2;
};

[[nodiscard]] std::expected<Command, Usage> parse_command_line(int argc,
                                                               const char* const* argv,
                                                               const std::string& version);

}  // namespace postern::cli
