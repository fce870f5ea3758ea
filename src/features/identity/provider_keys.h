#pragma once

#include "features/identity/identity_store.h"
#include "features/identity/providers.h"
#include "foundation/base/clock.h"
#include "foundation/codec/jose/jws.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <map>
#include <string>
#include <vector>

namespace postern::identity {

/// How long a provider's keys are good for without asking again.
inline constexpr std::int64_t k_keys_s = 3600;
/// A token with a key that is not known has them fetched before that: so often in a minute.
inline constexpr int k_keys_again_max = 3;

/// The public keys of providers, fetched through courier and kept in memory.
///
/// Executor: front's thread. Lifetime: outlives every coroutine that it started.
class ProviderKeys {
public:
    ProviderKeys(ipc::Link& courier, const Clock& clock) : courier_(courier), clock_(clock) {}

    /// Whether one of the provider's keys made this signature.
    /// Errors: JoseError::unknown_key, JoseError::wrong_signature, ProviderError::keys_unusable.
    async::Task<> check(const Provider* provider, const jose::Jws* jws);

private:
    struct Known {
        std::string url;
        std::vector<jose::Jwk> keys;
        UnixMs fetched_at_ms = 0;
        UnixMs minute_ms = 0;  ///< the one in which `again` counts
        int again = 0;
    };

    async::Task<std::vector<jose::Jwk>> fetch_keys(std::string url, std::string ca_pem);
    async::Task<> renew(const Provider* provider);
    [[nodiscard]] bool is_fresh(const Provider& provider) const;
    [[nodiscard]] bool may_ask_again(ProviderId id);

    ipc::Link& courier_;
    const Clock& clock_;
    std::map<ProviderId, Known> known_;
};

}  // namespace postern::identity
