#pragma once

#include "foundation/base/result.h"
#include "platform/net/tls_context.h"

#include <cstddef>
#include <map>
#include <string>

namespace postern::net {

/// Contexts of pinned certificates, made once for all connections that pin the same: a thousand
/// mailboxes of one host share one store of certificates.
class PinnedContexts {
public:
    static constexpr std::size_t k_entries_max = 64;

    /// Errors: invalid_certificate_file.
    Result<TlsContext> get(const std::string& ca_pem);
    [[nodiscard]] std::size_t size() const noexcept { return made_.size(); }

private:
    std::map<std::string, TlsContext> made_;
};

}  // namespace postern::net
