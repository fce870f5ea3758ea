#include "features/trust/leaky_keeper_fake.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/keys/seals.h"
#include "platform/net/test_loop.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::trust::test {
namespace {

using keys::KeyError;

std::string text_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}

Bytes place_of(WorkspaceId workspace, const keys::Record& record) {
    Bytes place = to_bytes("sealed:");
    place.insert(place.end(), workspace.raw().begin(), workspace.raw().end());
    place.push_back(static_cast<std::uint8_t>(record.column));
    place.insert(place.end(), record.row.begin(), record.row.end());
    for (auto& byte : place)
        byte ^= 0x5aU;
    return place;
}

/// Not readable in a file, as what keeper seals is not.
Bytes veiled(ByteView bytes) {
    Bytes out = to_bytes(bytes);
    for (auto& byte : out)
        byte ^= 0xa5U;
    return out;
}

}  // namespace

LeakyKeeper::LeakyKeeper(net::test::Loop& loop) : PlayedPeer(loop) {
    serve_new_epochs();
    serve_seals();
    serve_uses();
    serve_records();
}

keys::Seal LeakyKeeper::seal_of(std::uint64_t epoch) {
    keys::Seal seal;
    seal.epoch = epoch;
    seal.credential = to_bytes("credential");
    seal.credential_key = to_bytes("credential key");
    keys::HolderSeal holder;
    holder.memory_kib = 65536;
    holder.passes = 3;
    holder.sealed_private = to_bytes("private");
    holder.boxed_key = to_bytes("boxed");
    seal.holders.push_back(std::move(holder));
    return seal;
}

void LeakyKeeper::serve_new_epochs() {
    serve<keys::PrepareSeal>([this](keys::PrepareSeal& ask) -> Result<keys::PrepareSeal::Answer> {
        auto& held = held_[ask.integration];
        ++held.epoch;
        keys::PrepareSeal::Answer answer;
        answer.seal = seal_of(held.epoch);
        if (leaks.shows_credential) {
            const auto shown = ask.credential.clear.with_bytes(leaks.shows_credential);
            answer.seal.credential_key = to_bytes("key " + shown + " of it");
        }
        if (ask.leaving && ask.current) {
            const auto left = held.secrets.extract(*ask.leaving);
            if (left.empty()) return fail(KeyError::unknown_holder);
            held.secrets_of_before.insert(left.mapped());
            answer.seal.holders = ask.current->holders;
            std::erase_if(answer.seal.holders, [&ask](const keys::HolderSeal& each) {
                return each.holder == *ask.leaving;
            });
            return answer;
        }
        const auto secret = "secret " + std::to_string(held.epoch);
        held.secrets = {{answer.seal.holders.front().holder, secret}};
        held.secrets_of_before.clear();
        answer.generated = Secret::copy_of(as_bytes(secret));
        return answer;
    });
    serve<keys::AddHolder>([this](keys::AddHolder& ask) -> Result<keys::AddHolder::Answer> {
        auto& held = held_[ask.integration];
        const auto secret = "another secret " + std::to_string(held.epoch);
        keys::AddHolder::Answer answer;
        answer.holder = ask.seal.holders.front();
        answer.holder.holder = HolderId::make(1);
        held.secrets[answer.holder.holder] = secret;
        answer.generated = Secret::copy_of(as_bytes(secret));
        return answer;
    });
}

void LeakyKeeper::serve_seals() {
    serve<keys::CommitSeal>([this](keys::CommitSeal& ask) -> Result<keys::Lease> {
        held_[ask.integration].cut_off = false;
        return keys::Lease{};
    });
    serve<keys::CutOff>([this](keys::CutOff& ask) -> Result<keys::CutOff::Answer> {
        auto& held = held_[ask.integration];
        held.cut_off = true;
        held.leased = false;
        return keys::CutOff::Answer{};
    });
    serve<keys::GetStatus>([this](keys::GetStatus& ask) -> Result<keys::GetStatus::Answer> {
        keys::GetStatus::Answer out;
        for (const auto& id : ask.integrations) {
            keys::IntegrationStatus status;
            status.integration = id;
            status.known = leaks.forgets_a_cut_off || held_.contains(id);
            status.cut_off = held_.contains(id) && held_[id].cut_off;
            status.lease.open = held_.contains(id) && held_[id].leased;
            status.keys = ask.planted ? leaks.planted_keys_seen : leaks.keys_after_a_cut_off;
            status.pending_epoch = ask.planted ? 0 : leaks.pending_after_a_cut_off;
            out.items.push_back(status);
        }
        return out;
    });
}

bool LeakyKeeper::accepts(const Held& held, const keys::Unlock& ask) const {
    const auto given = text_of(ask.secret.clear);
    const bool stays = given.starts_with("another");
    if (held.secrets_of_before.contains(given)) {
        return leaks.opens_for_who_left ||
               (leaks.opens_with_the_seal_before && ask.seal.epoch != held.epoch);
    }
    const bool right = std::ranges::any_of(
        held.secrets, [&given](const auto& each) { return each.second == given; });
    if (!right) return leaks.opens_with_any_secret;
    return !leaks.refuses_the_right_secret && !(stays && leaks.shuts_out_who_stays);
}

void LeakyKeeper::serve_uses() {
    serve<keys::Unlock>([this](keys::Unlock& ask) -> Result<keys::Lease> {
        auto& held = held_[ask.integration];
        if (held.cut_off && !leaks.opens_after_a_cut_off)
            return fail(KeyError::integration_cut_off);
        const bool stale = ask.seal.epoch != held.epoch;
        if (stale && !leaks.opens_with_the_seal_before) return fail(KeyError::stale_epoch);
        if (!accepts(held, ask)) return fail(KeyError::wrong_secret);
        held.leased = true;
        keys::Lease lease;
        lease.open = true;
        return lease;
    });
    serve<keys::Lock>([this](keys::Lock& ask) -> Result<ipc::Nothing> {
        held_[ask.integration].leased = false;
        return ipc::Nothing{};
    });
    serve<keys::MintTicket>([this](keys::MintTicket& ask) -> Result<keys::MintTicket::Answer> {
        const auto& held = held_[ask.integration];
        if (!held.leased && !leaks.mints_without_a_lease) {
            return fail(held.cut_off ? KeyError::integration_cut_off
                                     : KeyError::integration_sealed);
        }
        return keys::MintTicket::Answer{};
    });
}

void LeakyKeeper::serve_records() {
    serve<keys::CountWraps>([this](keys::CountWraps& ask) -> Result<keys::CountWraps::Answer> {
        auto answer = wraps;
        if (ask.planted && !leaks.counts_no_planted_wrap) ++answer.orphaned;
        return answer;
    });
    serve<keys::SealRecords>([](keys::SealRecords& ask) -> Result<keys::Records> {
        keys::Records out;
        for (const auto& record : ask.records) {
            auto sealed = place_of(ask.workspace, record);
            const auto content = veiled(record.content);
            sealed.insert(sealed.end(), content.begin(), content.end());
            out.contents.push_back(std::move(sealed));
        }
        return out;
    });
    serve<keys::OpenAuditSegment>(
        [](keys::OpenAuditSegment& ask) { return keys::test::played(ask); });
    serve<keys::MarkAudit>([](keys::MarkAudit& ask) { return keys::test::played(ask); });
    serve<keys::CheckAuditMarks>(
        [this](keys::CheckAuditMarks& ask) -> Result<keys::CheckAuditMarks::Answer> {
            if (!leaks.knows_every_record) return keys::test::played(ask);
            return keys::CheckAuditMarks::Answer{Bytes(ask.marks.size(), 1)};
        });
    serve<keys::CheckAuditMacs>(
        [this](keys::CheckAuditMacs& ask) -> Result<keys::CheckAuditMacs::Answer> {
            if (!leaks.knows_every_record) return keys::test::played(ask);
            return keys::CheckAuditMacs::Answer{static_cast<std::uint32_t>(ask.macs.size())};
        });
    serve<keys::OpenRecords>([](keys::OpenRecords& ask) -> Result<keys::Records> {
        keys::Records out;
        for (const auto& record : ask.records) {
            const auto place = place_of(ask.workspace, record);
            if (record.content.size() < place.size() ||
                !std::equal(place.begin(), place.end(), record.content.begin())) {
                return fail(KeyError::cannot_open);
            }
            out.contents.push_back(veiled(ByteView(record.content).subspan(place.size())));
        }
        return out;
    });
}

}  // namespace postern::trust::test
