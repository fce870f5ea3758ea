#include "platform/net/pinned_contexts.h"

#include "foundation/base/result.h"
#include "platform/net/tls_context.h"

#include <string>
#include <utility>

namespace postern::net {

Result<TlsContext> PinnedContexts::get(const std::string& ca_pem) {
    if (const auto found = made_.find(ca_pem); found != made_.end()) return found->second;
    POSTERN_TRY(auto context, TlsContext::client_pinned(ca_pem));
    // Connections keep the one that they began with.
    if (made_.size() >= k_entries_max) made_.clear();
    return made_.emplace(ca_pem, std::move(context)).first->second;
}

}  // namespace postern::net
