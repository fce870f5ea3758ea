#include "features/vault/grants.h"

#include "features/vault/places.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

namespace postern::vault {

bool allows(keys::Verbs verbs, keys::Verb verb) noexcept {
    return (verbs & static_cast<keys::Verbs>(verb)) != 0;
}

bool is_verb(keys::Verb verb) noexcept {
    switch (verb) {
        case keys::Verb::send:
        case keys::Verb::read_replies:
        case keys::Verb::call:
        case keys::Verb::verify: return true;
    }
    return false;
}

Secret grant_wrap_key(const Secret& grant_key, const Secret& server_share) {
    return crypto::derive_key(grant_key, server_share, "postern grant 1");
}

void seal_grant(const IntegrationKey& key,
                keys::GrantSeal& grant,
                const Secret& grant_key,
                const Secret& server_share,
                const Secret& content) {
    grant.credential =
        crypto::seal(grant_wrap_key(grant_key, server_share), content, grant_place(key, grant));
}

Result<Secret> open_grant(const IntegrationKey& key,
                          const keys::GrantSeal& grant,
                          const Secret& grant_key,
                          const Secret& server_share) {
    auto content = crypto::open_secret(grant_wrap_key(grant_key, server_share), grant.credential,
                                       grant_place(key, grant));
    if (!content) return fail(keys::KeyError::cannot_open);
    return content;
}

}  // namespace postern::vault
