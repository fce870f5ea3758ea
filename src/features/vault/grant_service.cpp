#include "features/vault/grant_service.h"

#include "features/vault/grants.h"
#include "features/vault/keeper_core.h"
#include "features/vault/keyring_store.h"
#include "features/vault/leases.h"
#include "features/vault/places.h"
#include "features/vault/revocations.h"
#include "features/vault/sealing.h"
#include "features/vault/shared_secret.h"
#include "features/vault/tickets.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <memory>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

using ipc::IpcError;
using keys::KeyError;

Result<> check_wish(const keys::MakeGrant& asked, UnixMs now) {
    const bool verbs_known = asked.verbs != 0 && (asked.verbs & ~k_all_verbs) == 0;
    const bool in_time = asked.expires_at_ms > now && asked.expires_at_ms - now <= k_grant_ms_max;
    if (!verbs_known || !in_time || asked.grant.is_null()) return fail(IpcError::malformed);
    return {};
}

/// Errors: integration_cut_off, integration_sealed where access ended while it was waited.
Result<> still_stands(const Revocations::Watch& watch) {
    if (watch.cut_off()) return fail(KeyError::integration_cut_off);
    if (watch.all_sealed()) return fail(KeyError::integration_sealed);
    return {};
}

}  // namespace

async::Task<TriedSeal> GrantService::open(IntegrationKey key,
                                          std::shared_ptr<const keys::Seal> seal,
                                          keys::SecretInput secret,
                                          bool with_lease) {
    if (!with_lease) {
        POSTERN_CO_TRY(auto given, core_->secret_of(std::move(secret), k_shared_secret_bytes_max));
        co_return co_await core_->try_secret(key, seal, std::move(given));
    }
    co_return co_await core_->by_lease(key, seal->epoch);
}

async::Task<> GrantService::store_key(IntegrationKey key,
                                      const keys::GrantSeal* grant,
                                      const Secret* grant_key) {
    for (int tries = 0; tries < k_rotation_tries; ++tries) {
        POSTERN_CO_TRY(const auto keys, co_await core_->workspace(key.workspace));
        const auto place = grant_key_place(key, grant->epoch, grant->grant);
        GrantKeyRow row{grant->grant, grant->epoch, grant->expires_at_ms,
                        crypto::seal(keys->newest.grants, *grant_key, place),
                        keys->newest.generation};
        auto job = [store = &core_->store(), key, row = std::move(row)] {
            return store->add_grant(key, row);
        };
        // The store refuses it where the epoch ended meanwhile.
        auto added = co_await core_->writes.run(std::move(job));
        if (!added && added.error().is(KeyError::keys_rotated)) continue;
        co_return added;
    }
    co_return fail(KeyError::keys_rotated);
}

async::Task<keys::GrantSeal> GrantService::make(keys::MakeGrant asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    if (auto sound = check_wish(asked, core_->now()); !sound) co_return fail(sound.error());
    const auto seal = std::make_shared<const keys::Seal>(std::move(asked.seal));
    const Revocations::Watch watch(core_->revocations, key);
    POSTERN_CO_TRY(const auto turn, co_await core_->turns.take(key, Deadline::in(k_turn_wait)));
    const auto live = co_await core_->require_live(key, seal->epoch);
    if (!live) co_return fail(live.error());
    POSTERN_CO_TRY(auto opened,
                   co_await open(key, seal, std::move(asked.secret), asked.with_lease));
    POSTERN_CO_TRY(const auto content, open_content(key, *seal, opened.integration_key));
    keys::GrantSeal grant;
    grant.grant = asked.grant;
    grant.epoch = seal->epoch;
    grant.verbs = asked.verbs;
    grant.hourly_ceiling =
        asked.hourly_ceiling == 0 ? k_hourly_ceiling_default : asked.hourly_ceiling;
    grant.expires_at_ms = asked.expires_at_ms;
    if (auto stands = still_stands(watch); !stands) co_return fail(stands.error());
    const auto grant_key = crypto::random_key();
    seal_grant(key, grant, grant_key, opened.shares.server, content);
    auto added = co_await store_key(key, &grant, &grant_key);
    if (!added) co_return fail(std::move(added.error()));
    if (auto stands = still_stands(watch); !stands) {
        auto destroyed = co_await destroy_key(key, grant.grant);
        if (!destroyed) co_return fail(std::move(destroyed.error()));
        co_return fail(stands.error());
    }
    co_return grant;
}

async::Task<> GrantService::destroy_key(IntegrationKey key, GrantId grant) {
    auto job = [key, grant](KeyringStore& store) { return store.destroy_grant(key, grant); };
    auto destroyed = co_await core_->destroy(std::move(job));
    if (!destroyed) co_return destroyed;
    co_return co_await core_->purge();
}

async::Task<ipc::Nothing> GrantService::revoke(keys::RevokeGrant asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    const auto stop = [core = core_.get(), &key, &asked] {
        core->revocations.revoke(key, asked.grant);
        core->tickets.drop_of_grant(key, asked.grant);
    };
    stop();
    auto job = [key, grant = asked.grant](KeyringStore& store) {
        return store.destroy_grant(key, grant);
    };
    const auto destroyed = co_await core_->destroy(std::move(job));
    // Those minted while the store was at work.
    stop();
    keys::EndUses of_grant{.integration = asked.integration, .all = false, .grant = asked.grant};
    const auto ended = co_await core_->end_uses(of_grant);
    if (!destroyed) co_return fail(destroyed.error());
    if (!ended) co_return fail(ended.error());
    const auto purged = co_await core_->purge();
    if (!purged) co_return fail(purged.error());
    co_return ipc::Nothing();
}

Result<TicketUse> GrantService::by_seal(const IntegrationKey& key,
                                        const keys::MintTicket& asked) const {
    const auto now = core_->now();
    const auto epoch = asked.seal.epoch;
    TicketUse use;
    use.key = key;
    use.epoch = epoch;
    use.verb = asked.verb;
    IntegrationSecret integration_key;
    if (asked.pending) {
        const auto pending = core_->leases.pending(key, epoch, now);
        if (!pending) return fail(KeyError::integration_sealed);
        integration_key = pending->secret;
        use.until_ms = pending->until_ms;
    } else {
        const auto lease = core_->leases.find(key, now);
        if (!lease.open) return fail(KeyError::integration_sealed);
        if (lease.epoch != epoch) return fail(KeyError::stale_epoch);
        integration_key = core_->leases.secret(key, epoch, now);
        use.until_ms = lease.until_ms;
    }
    if (!is_sound(asked.seal)) return fail(KeyError::cannot_open);
    POSTERN_TRY(use.wrap_key, open_credential_key(key, asked.seal, *integration_key));
    use.place = credential_place(key, epoch);
    use.credential = asked.seal.credential;
    if (!crypto::open_secret(use.wrap_key, use.credential, use.place)) {
        return fail(KeyError::cannot_open);
    }
    return use;
}

async::Task<TicketUse> GrantService::by_grant(IntegrationKey key, keys::GrantSeal grant) {
    auto job = [store = &core_->store(), key, grant, at = core_->now()] {
        return store->use_grant(key, grant, at);
    };
    POSTERN_CO_TRY(const auto wraps, co_await core_->writes.run(std::move(job)));
    POSTERN_CO_TRY(const auto keys, co_await core_->workspace(key.workspace));
    const auto* of_key = keys->under(wraps.key_generation);
    const auto* of_share = keys->under(wraps.share_generation);
    if (of_key == nullptr || of_share == nullptr) co_return fail(KeyError::keys_rotated);
    POSTERN_CO_TRY(const auto grant_key,
                   crypto::open_secret(of_key->grants, wraps.key_wrap,
                                       grant_key_place(key, grant.epoch, grant.grant)));
    POSTERN_CO_TRY(const auto share, crypto::open_secret(of_share->shares, wraps.server_share,
                                                         server_share_place(key, grant.epoch)));
    const auto content = open_grant(key, grant, grant_key, share);
    if (!content) co_return fail(content.error());
    TicketUse use;
    use.key = key;
    use.epoch = grant.epoch;
    use.by_grant = true;
    use.grant = grant.grant;
    use.until_ms = grant.expires_at_ms;
    use.wrap_key = grant_wrap_key(grant_key, share);
    use.place = grant_place(key, grant);
    use.credential = std::move(grant.credential);
    co_return use;
}

async::Task<TicketUse> GrantService::by_grants(IntegrationKey key,
                                               keys::Verb verb,
                                               std::vector<keys::GrantSeal> grants) {
    Error reason(KeyError::integration_sealed);
    for (auto& grant : grants) {
        if (!allows(grant.verbs, verb) || core_->now() >= grant.expires_at_ms) continue;
        auto use = co_await by_grant(key, std::move(grant));
        if (use) {
            use->verb = verb;
            co_return use;
        }
        // Its key is gone: it is none.
        if (use.error().is(KeyError::integration_sealed)) continue;
        // Another grant may still do; a reason that tells the user more stays.
        const bool dead = use.error().is(KeyError::cannot_open);
        if (!dead || reason.is(KeyError::integration_sealed)) reason = use.error();
    }
    co_return fail(std::move(reason));
}

async::Task<keys::MintTicket::Answer> GrantService::mint(keys::MintTicket asked) {
    const IntegrationKey key{asked.workspace, asked.integration};
    if (!is_verb(asked.verb)) co_return fail(IpcError::malformed);
    if (asked.grants.size() > k_grants_per_call_max) co_return fail(IpcError::too_large);
    const Revocations::Watch watch(core_->revocations, key);
    auto use = by_seal(key, asked);
    if (!use && !asked.pending && use.error().is(KeyError::integration_sealed)) {
        auto by = co_await by_grants(key, asked.verb, std::move(asked.grants));
        use = std::move(by);
    }
    if (!use && use.error().is(KeyError::integration_sealed)) {
        POSTERN_CO_TRY(const auto row, co_await core_->find(key));
        if (row && row->state == IntegrationState::cut_off) {
            co_return fail(KeyError::integration_cut_off);
        }
    }
    if (!use) co_return fail(use.error());
    if (auto stands = still_stands(watch); !stands) co_return fail(stands.error());
    // The store had answered before the key went.
    if (use->by_grant && watch.revoked(use->grant)) co_return fail(KeyError::integration_sealed);
    keys::MintTicket::Answer answer;
    answer.by_grant = use->by_grant;
    answer.grant = use->grant;
    answer.until_ms = use->until_ms;
    POSTERN_CO_TRY(answer.ticket, core_->tickets.add(std::move(*use), core_->now()));
    co_return answer;
}

async::Task<keys::Redeem::Answer> GrantService::redeem(keys::Redeem asked) {
    co_return core_->tickets.redeem(asked.ticket, core_->now());
}

}  // namespace postern::vault
