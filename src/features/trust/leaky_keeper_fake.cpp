#include "features/trust/leaky_keeper_fake.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"
#include "platform/net/test_loop.h"
#include "platform/os/process.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

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

LeakyKeeper::LeakyKeeper(net::test::Loop& loop) : link(loop.tasks, nothing_served_) {
    serve_seals();
    serve_uses();
    serve_records();
    auto ends = os::socket_pair();
    POSTERN_CHECK(ends.has_value());
    peer_ = std::make_unique<ipc::Peer>(loop.io.get_executor(), std::move(ends->first),
                                        router_.handler());
    loop.tasks.spawn("keeper", peer_->run());
    link.attach(std::move(ends->second));
}

LeakyKeeper::~LeakyKeeper() {
    link.close();
    peer_->close();
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

void LeakyKeeper::serve_seals() {
    serve<keys::PrepareSeal>([this](keys::PrepareSeal& ask) -> Result<keys::PrepareSeal::Answer> {
        auto& held = held_[ask.integration];
        ++held.epoch;
        held.secret = "secret " + std::to_string(held.epoch);
        return keys::PrepareSeal::Answer{.seal = seal_of(held.epoch),
                                         .generated = Secret::copy_of(as_bytes(held.secret)),
                                         .generated_shares = {}};
    });
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
            out.items.push_back(status);
        }
        return out;
    });
}

void LeakyKeeper::serve_uses() {
    serve<keys::Unlock>([this](keys::Unlock& ask) -> Result<keys::Lease> {
        auto& held = held_[ask.integration];
        if (held.cut_off && !leaks.opens_after_a_cut_off)
            return fail(KeyError::integration_cut_off);
        const bool right = text_of(ask.secret.clear) == held.secret;
        const bool opens = right ? !leaks.refuses_the_right_secret : leaks.opens_with_any_secret;
        if (!opens) return fail(KeyError::wrong_secret);
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
