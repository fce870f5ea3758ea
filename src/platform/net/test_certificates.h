#pragma once

#include "platform/net/tls_context.h"
#include "platform/net/trial_authority.h"

#include <filesystem>
#include <string>

namespace postern::net::test {

using Authority = TrialAuthority;

/// A folder that goes away with the test.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    /// Writes a file and returns its path.
    std::string write(const std::string& name, const std::string& content) const;

private:
    std::filesystem::path path_;
};

/// A server's side that presents this certificate.
[[nodiscard]] TlsContext server_context(const Authority::Issued& issued);
/// The same, which lets in only who shows a certificate of this authority.
[[nodiscard]] TlsContext demanding_context(const Authority::Issued& issued,
                                           const Authority& clients);

}  // namespace postern::net::test
