#include "features/integrations/played_keeper_fake.h"

#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "features/integrations/played_process_fake.h"
#include "features/integrations/receipt_text.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/keypair.h"
#include "foundation/crypto/receipt_statement.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/keys/receipts.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::integrations::test {

PlayedKeeper::PlayedKeeper(net::test::Loop& loop, const Clock& clock)
    : PlayedProcess(loop), clock_(clock), signing_(crypto::make_signing_pair()) {
    serve_seals();
    serve_uses();
    serve_records();
}

bool PlayedKeeper::knows(WorkspaceId workspace, IntegrationId id) const {
    return held_.contains({workspace, id});
}

bool PlayedKeeper::has_signed(const Receipt& receipt) const {
    const auto* const ending = receipt.kind == "reseal" ? "reseal" : "cut_off";
    const auto covered =
        crypto::receipt_statement(ending, receipt.subject, receipt.epoch, rfc3339(receipt.at_ms)) +
        receipt_json(receipt, false);
    return crypto::verify(signing_.public_key, as_bytes(covered), receipt.signature);
}

bool PlayedKeeper::has_signed(const LedgerEntry& entry) const {
    return crypto::verify(signing_.public_key, as_bytes("ledger:" + entry.text), entry.signature);
}

Result<keys::SignReceipt::Answer> PlayedKeeper::sign(const keys::SignReceipt& ask) {
    const auto found = held_.find({ask.workspace, ask.integration});
    const bool cut_off =
        found == held_.end() || (found->second.cut_off && found->second.epoch == ask.epoch);
    const bool resealed = found != held_.end() && found->second.live && !found->second.cut_off &&
                          found->second.epoch == ask.epoch;
    if (!(ask.ending == keys::Ending::cut_off ? cut_off : resealed)) {
        return fail(keys::KeyError::not_ended);
    }
    auto covered = to_bytes(crypto::receipt_statement(
        keys::name_of(ask.ending), ask.integration.text(), ask.epoch, rfc3339(ask.at_ms)));
    covered.insert(covered.end(), ask.message.begin(), ask.message.end());
    return keys::SignReceipt::Answer{crypto::sign(signing_, covered)};
}

void PlayedKeeper::serve_seals() {
    serve<keys::PrepareSeal>("PrepareSeal",
                             [this](keys::PrepareSeal& ask) { return prepare(ask); });
    serve<keys::AddHolder>("AddHolder", [this](keys::AddHolder& ask) { return add_holder(ask); });
    serve<keys::SealAll>("SealAll", [this](keys::SealAll& ask) { return seal_all(ask); });
    serve<keys::CommitSeal>("CommitSeal", [this](keys::CommitSeal& ask) { return commit(ask); });
    serve<keys::AbandonSeal>("AbandonSeal",
                             [this](keys::AbandonSeal& ask) { return abandon(ask); });
    serve<keys::CutOff>("CutOff", [this](keys::CutOff& ask) { return cut_off(ask); });
}

void PlayedKeeper::serve_uses() {
    serve<keys::Unlock>("Unlock", [this](keys::Unlock& ask) { return unlock(ask); });
    serve<keys::Lock>("Lock", [this](keys::Lock& ask) -> Result<ipc::Nothing> {
        if (knows(ask.workspace, ask.integration)) end_lease(ask.workspace, ask.integration);
        return ipc::Nothing{};
    });
    serve<keys::TouchLease>("TouchLease", [this](keys::TouchLease&) -> Result<ipc::Nothing> {
        ++touched;
        return ipc::Nothing{};
    });
    serve<keys::GetStatus>("GetStatus", [this](keys::GetStatus& ask) { return status(ask); });
    serve<keys::MakeGrant>("MakeGrant", [this](keys::MakeGrant& ask) { return grant(ask); });
    serve<keys::RevokeGrant>("RevokeGrant", [this](keys::RevokeGrant& ask) -> Result<ipc::Nothing> {
        of(ask.workspace, ask.integration).grants.erase(ask.grant);
        return ipc::Nothing{};
    });
    serve<keys::MintTicket>("MintTicket", [this](keys::MintTicket& ask) { return mint(ask); });
}

void PlayedKeeper::serve_records() {
    serve<keys::SealRecords>("SealRecords",
                             [](keys::SealRecords& ask) { return keys::test::played(ask); });
    serve<keys::OpenRecords>("OpenRecords",
                             [](keys::OpenRecords& ask) { return keys::test::played(ask); });
    // Not among those that are counted and made to fail.
    router_.on<keys::OpenAuditSegment>(
        [](keys::OpenAuditSegment ask) { return keys::test::answer(std::move(ask)); });
    router_.on<keys::CheckAuditMacs>(
        [](keys::CheckAuditMacs ask) { return keys::test::answer(std::move(ask)); });
    serve<keys::Identify>("Identify", [this](keys::Identify&) -> Result<keys::Identify::Answer> {
        return keys::Identify::Answer{{}, signing_.public_key, true};
    });
    serve<keys::SignReceipt>("SignReceipt", [this](keys::SignReceipt& ask) { return sign(ask); });
    serve<keys::SignLedger>(
        "SignLedger", [this](keys::SignLedger& ask) -> Result<keys::SignLedger::Answer> {
            Bytes covered = to_bytes("ledger:");
            covered.insert(covered.end(), ask.message.begin(), ask.message.end());
            return keys::SignLedger::Answer{crypto::sign(signing_, covered)};
        });
}

Result<> PlayedKeeper::require_live(const Held& held, std::uint64_t epoch) {
    if (held.cut_off) return fail(keys::KeyError::integration_cut_off);
    if (!held.live) return fail(keys::KeyError::unknown_integration);
    if (held.epoch != epoch) return fail(keys::KeyError::stale_epoch);
    return {};
}

Result<> PlayedKeeper::try_secret(const Held& held, std::uint64_t epoch, const Secret& secret) {
    POSTERN_TRY([[maybe_unused]] const auto live, live_or(held, epoch));
    if (held.secrets.at(epoch) == text_of(secret)) return {};
    return fail(keys::KeyError::wrong_secret);
}

Result<bool> PlayedKeeper::live_or(const Held& held, std::uint64_t epoch) {
    auto live = require_live(held, epoch);
    if (!live) return fail(std::move(live.error()));
    return true;
}

/// The secret that stays; `holders` are those who do.
Result<std::string> PlayedKeeper::leave(const Held& held,
                                        const keys::PrepareSeal& ask,
                                        std::vector<keys::HolderSeal>& holders) {
    const auto& current = *ask.current;
    for (const auto& each : current.holders) {
        if (each.holder != *ask.leaving) holders.push_back(each);
    }
    if (holders.size() == current.holders.size()) return fail(keys::KeyError::unknown_holder);
    if (holders.empty()) return fail(keys::KeyError::last_holder);
    if (ask.with_lease && !held.lease.open) return fail(keys::KeyError::integration_sealed);
    if (!ask.with_lease) {
        auto opens = try_secret(held, current.epoch, ask.secret.clear);
        if (!opens) return fail(std::move(opens.error()));
    }
    return held.secrets.at(current.epoch);
}

Result<keys::AddHolder::Answer> PlayedKeeper::add_holder(keys::AddHolder& ask) {
    auto& held = of(ask.workspace, ask.integration);
    auto opens = try_secret(held, ask.seal.epoch, ask.secret.clear);
    if (!opens) return fail(std::move(opens.error()));
    keys::AddHolder::Answer out;
    out.holder.holder = ask.holder.value_or(HolderId::make(clock_.now_ms()));
    auto secret = text_of(ask.new_secret.clear);
    if (ask.generate) secret = last_generated = "generated secret " + std::to_string(++generated_);
    if (ask.generate) out.generated = secret_of(secret);
    if (secret.size() < 12) return fail(keys::KeyError::weak_secret);
    return out;
}

Result<keys::SealAll::Answer> PlayedKeeper::seal_all(keys::SealAll& ask) {
    keys::SealAll::Answer out;
    for (auto& [key, held] : held_) {
        if (ask.workspace && key.first != *ask.workspace) continue;
        const bool is_open = held.lease.open || (ask.grants && !held.grants.empty());
        if (!is_open) continue;
        out.ended.push_back({key.first, key.second});
        out.leases += held.lease.open ? 1 : 0;
        held.lease = {};
        if (!ask.grants) continue;
        out.grants += static_cast<std::uint32_t>(held.grants.size());
        held.grants.clear();
    }
    return out;
}

Result<keys::PrepareSeal::Answer> PlayedKeeper::prepare(keys::PrepareSeal& ask) {
    auto& held = of(ask.workspace, ask.integration);
    keys::PrepareSeal::Answer out;
    auto secret = text_of(ask.new_secret.clear);
    if (ask.leaving) {
        auto left = leave(held, ask, out.seal.holders);
        if (!left) return fail(std::move(left.error()));
        secret = std::move(*left);
    }
    if (ask.generate) secret = last_generated = "generated secret " + std::to_string(++generated_);
    if (secret.size() < 12) return fail(keys::KeyError::weak_secret);
    if (ask.current && !ask.leaving) {
        auto opens = try_secret(held, ask.current->epoch, ask.secret.clear);
        if (!opens) return fail(std::move(opens.error()));
        out.seal.holders = ask.current->holders;
    } else if (!ask.current) {
        keys::HolderSeal first;
        first.holder = HolderId::make(clock_.now_ms());
        out.seal.holders.push_back(first);
        credentials.push_back(text_of(ask.credential.clear));
    }
    held.secrets.erase(held.pending);
    held.pending = ++held.minted;
    held.secrets[held.pending] = secret;
    out.seal.epoch = held.pending;
    out.seal.credential = to_bytes("noise of epoch " + std::to_string(held.pending));
    if (ask.generate) out.generated = secret_of(secret);
    return out;
}

Result<keys::Lease> PlayedKeeper::commit(keys::CommitSeal& ask) {
    auto& held = of(ask.workspace, ask.integration);
    if (held.live && held.epoch == ask.epoch) return held.lease;
    if (ask.epoch == 0 || held.pending != ask.epoch) return fail(keys::KeyError::stale_epoch);
    const auto secret = held.secrets.at(ask.epoch);
    held.secrets = {{ask.epoch, secret}};
    held.grants.clear();
    held.live = true;
    held.cut_off = false;
    held.epoch = std::exchange(held.pending, 0);
    held.lease = lease_of(held.epoch, ask.lease_s);
    return held.lease;
}

keys::Lease PlayedKeeper::lease_of(std::uint64_t epoch, std::int64_t lease_s) const {
    if (lease_s <= 0) return {};
    const auto until = clock_.now_ms() + lease_s * 1000;
    return {true, epoch, until, until};
}

Result<ipc::Nothing> PlayedKeeper::abandon(keys::AbandonSeal& ask) {
    auto& held = of(ask.workspace, ask.integration);
    if (ask.epoch != 0 && held.pending == ask.epoch) {
        held.secrets.erase(held.pending);
        held.pending = 0;
    }
    return ipc::Nothing{};
}

Result<keys::CutOff::Answer> PlayedKeeper::cut_off(keys::CutOff& ask) {
    if (!knows(ask.workspace, ask.integration)) {
        return fail(keys::KeyError::unknown_integration);
    }
    auto& held = of(ask.workspace, ask.integration);
    if (held.cut_off && held.pending == 0) {
        return keys::CutOff::Answer{held.epoch, 0, 0, 0, courier_end};
    }
    const auto grants = static_cast<std::uint32_t>(held.grants.size());
    const auto epoch = held.minted + 1;
    held = Held{};
    held.cut_off = true;
    held.epoch = held.minted = epoch;
    return keys::CutOff::Answer{epoch, 12, 2, grants, courier_end};
}

Result<keys::Lease> PlayedKeeper::unlock(keys::Unlock& ask) {
    auto& held = of(ask.workspace, ask.integration);
    auto opens = try_secret(held, ask.seal.epoch, ask.secret.clear);
    if (!opens) return fail(std::move(opens.error()));
    held.lease = lease_of(held.epoch, ask.lease_s);
    return held.lease;
}

Result<keys::GetStatus::Answer> PlayedKeeper::status(keys::GetStatus& ask) {
    keys::GetStatus::Answer out;
    for (const auto& id : ask.integrations) {
        keys::IntegrationStatus item;
        item.integration = id;
        item.known = knows(ask.workspace, id);
        if (item.known) {
            const auto& held = of(ask.workspace, id);
            item.cut_off = held.cut_off;
            item.epoch = held.epoch;
            item.pending_epoch = held.pending;
            item.lease = held.lease;
            for (const auto& [grant, verbs] : held.grants)
                item.grants.push_back(grant);
        }
        out.items.push_back(item);
    }
    return out;
}

Result<keys::GrantSeal> PlayedKeeper::grant(keys::MakeGrant& ask) {
    auto& held = of(ask.workspace, ask.integration);
    if (ask.verbs == 0 || ask.expires_at_ms <= clock_.now_ms()) {
        return fail(ipc::IpcError::malformed);
    }
    auto opens = ask.with_lease ? require_live(held, ask.seal.epoch)
                                : try_secret(held, ask.seal.epoch, ask.secret.clear);
    if (!opens) return fail(std::move(opens.error()));
    if (ask.with_lease && !held.lease.open) return fail(keys::KeyError::integration_sealed);
    held.grants[ask.grant] = ask.verbs;
    return keys::GrantSeal{ask.grant,          ask.seal.epoch,    ask.verbs,
                           ask.hourly_ceiling, ask.expires_at_ms, to_bytes("grant noise")};
}

Result<keys::MintTicket::Answer> PlayedKeeper::mint(keys::MintTicket& ask) {
    const auto& held = of(ask.workspace, ask.integration);
    keys::MintTicket::Answer out{to_bytes("ticket"), false, {}, clock_.now_ms() + 30'000};
    if (ask.pending && held.pending == ask.seal.epoch) return out;
    if (ask.pending) return fail(keys::KeyError::integration_sealed);
    auto live = require_live(held, ask.seal.epoch);
    if (!live) return fail(std::move(live.error()));
    if (held.lease.open) return out;
    for (const auto& seal : ask.grants) {
        const bool is_held = held.grants.contains(seal.grant);
        const bool is_for = (seal.verbs & static_cast<keys::Verbs>(ask.verb)) != 0;
        if (!is_held || !is_for || seal.expires_at_ms <= clock_.now_ms()) continue;
        out.by_grant = true;
        out.grant = seal.grant;
        return out;
    }
    return fail(keys::KeyError::integration_sealed);
}

PlayedCourier::PlayedCourier(net::test::Loop& loop) : PlayedProcess(loop) {
    serve<mail::VerifyMailbox>("VerifyMailbox",
                               [this](mail::VerifyMailbox&) -> Result<mail::VerifyMailbox::Answer> {
                                   return mail::VerifyMailbox::Answer{checks};
                               });
}

void PlayedCourier::refuse_sign_in() {
    checks = {{"imap_connect", true, "", "", "TLS 1.3"},
              {"imap_sign_in", false, "sign_in_refused", "The server refused it.", ""}};
}

}  // namespace postern::integrations::test
