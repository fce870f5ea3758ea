#pragma once

#include <memory>
#include <string>

struct x509_st;
struct evp_pkey_st;

namespace postern::net {

/// Certificates (P-256) of a throw-away authority that nobody trusts: for a server's trial of its
/// own connections, and for tests. Out of memory ends the process.
class TrialAuthority {
public:
    TrialAuthority();

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

}  // namespace postern::net
