#include "features/identity/provider_keys.h"

#include "features/identity/identity_store.h"
#include "features/identity/provider_error.h"
#include "features/identity/providers.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/jose/jose_error.h"
#include "foundation/codec/jose/jws.h"
#include "foundation/crypto/public_key_signature.h"
#include "platform/async/task.h"
#include "platform/fetch/fetch_protocol.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {

namespace {

constexpr std::size_t k_providers_known_max = 1000;
constexpr std::int64_t k_minute_ms = 60'000;
constexpr int k_good_status = 200;

using jose::JoseError;

bool signs(const jose::Jwk& key, const jose::Jws& jws) {
    const bool is_rsa = key.algorithm == jose::Algorithm::rs256;
    const auto made = is_rsa ? crypto::PublicKey::rsa(key.first, key.second)
                             : crypto::PublicKey::p256(key.first, key.second);
    if (!made) return false;
    const auto algorithm =
        is_rsa ? crypto::SignatureAlgorithm::rs256 : crypto::SignatureAlgorithm::es256;
    return crypto::verify(algorithm, *made, as_bytes(jws.signed_part), jws.signature);
}

/// Of the token's kind and name; where it names none, of its kind.
Result<> judge(const std::vector<jose::Jwk>& keys, const jose::Jws& jws) {
    bool is_known = false;
    for (const auto& key : keys) {
        const bool is_meant =
            key.algorithm == jws.algorithm && (jws.key_id.empty() || key.key_id == jws.key_id);
        if (!is_meant) continue;
        if (signs(key, jws)) return {};
        is_known = true;
    }
    return fail(is_known ? JoseError::wrong_signature : JoseError::unknown_key);
}

}  // namespace

async::Task<std::vector<jose::Jwk>> ProviderKeys::fetch_keys(std::string url, std::string ca_pem) {
    fetch::FetchDocument ask{std::move(url), std::move(ca_pem)};
    const auto deadline = Deadline::in(std::chrono::seconds(15));
    auto answer = co_await courier_.call(std::move(ask), deadline);
    if (!answer) {
        co_return fail(ProviderError::keys_unusable, std::string(answer.error().code()));
    }
    if (answer->status != k_good_status) co_return fail(ProviderError::keys_unusable, "status");
    auto keys = jose::parse_key_set(answer->body);
    if (!keys || keys->empty()) co_return fail(ProviderError::keys_unusable, "key set");
    co_return std::move(*keys);
}

async::Task<> ProviderKeys::renew(const Provider* provider) {
    auto fetching = fetch_keys(provider->settings.keys_url, provider->settings.ca_pem);
    auto keys = co_await std::move(fetching);
    if (!keys) co_return fail(std::move(keys.error()));
    if (known_.size() >= k_providers_known_max) known_.clear();
    auto& known = known_[provider->row.id];
    known.url = provider->settings.keys_url;
    known.keys = std::move(*keys);
    known.fetched_at_ms = clock_.now_ms();
    co_return Result<>{};
}

bool ProviderKeys::is_fresh(const Provider& provider) const {
    const auto found = known_.find(provider.row.id);
    if (found == known_.end() || found->second.url != provider.settings.keys_url) return false;
    const auto age_ms = clock_.now_ms() - found->second.fetched_at_ms;
    return age_ms >= 0 && age_ms < k_keys_s * 1000;
}

bool ProviderKeys::may_ask_again(ProviderId id) {
    auto& known = known_[id];
    const auto now = clock_.now_ms();
    if (now < known.minute_ms || now - known.minute_ms >= k_minute_ms) {
        known.minute_ms = now;
        known.again = 0;
    }
    return ++known.again <= k_keys_again_max;
}

async::Task<> ProviderKeys::check(const Provider* provider, const jose::Jws* jws) {
    const auto id = provider->row.id;
    if (!is_fresh(*provider)) {
        auto renewing = renew(provider);
        auto renewed = co_await std::move(renewing);
        if (!renewed) co_return fail(std::move(renewed.error()));
        co_return judge(known_[id].keys, *jws);
    }
    auto judged = judge(known_[id].keys, *jws);
    if (judged || !judged.error().is(JoseError::unknown_key)) co_return judged;
    if (!may_ask_again(id)) co_return judged;
    auto renewing = renew(provider);
    auto renewed = co_await std::move(renewing);
    if (!renewed) co_return fail(std::move(renewed.error()));
    co_return judge(known_[id].keys, *jws);
}

}  // namespace postern::identity
