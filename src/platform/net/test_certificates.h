#pragma once

#include "platform/net/tls_context.h"

#include <filesystem>
#include <memory>
#include <string>

struct x509_st;
struct evp_pkey_st;

namespace postern::net::test {

/// Certificates made for one test run, P-256, by a throw-away authority.
class Authority {
public:
    Authority();

    struct Wish {
        std::string name = "localhost";  ///< DNS name, or "IP:127.0.0.1"
        long valid_from_s = -3600;       ///< seconds from now
        long valid_until_s = 3600;
    };
    struct Issued {
        std::string certificate_pem;
        std::string key_pem;
    };
    [[nodiscard]] Issued issue(const Wish& wish) const;
    [[nodiscard]] const std::string& pem() const noexcept { return pem_; }

private:
    std::shared_ptr<evp_pkey_st> key_;
    std::shared_ptr<x509_st> certificate_;
    std::string pem_;
};

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

}  // namespace postern::net::test
