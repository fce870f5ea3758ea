#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/evolving_key.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/destined.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/net/test_loop.h"
#include "platform/os/process.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// Keeper, and any other process of ours, played for tests of those that ask it.
namespace postern::keys::test {

/// The two ends of a real socket pair: the link of who asks, and a router that answers. What is
/// played is in classes derived of it.
class PlayedPeer {
public:
    explicit PlayedPeer(net::test::Loop& loop) : loop_(loop) { restart(); }
    ~PlayedPeer() {
        link.close();
        peer_->close();
    }
    PlayedPeer(const PlayedPeer&) = delete;
    PlayedPeer& operator=(const PlayedPeer&) = delete;

    /// A fresh process in the place of the old one.
    void restart() {
        if (peer_) peer_->close();
        auto ends = os::socket_pair();
        POSTERN_CHECK(ends.has_value());
        peer_ = std::make_shared<ipc::Peer>(loop_.io.get_executor(), std::move(ends->first),
                                            router_.handler());
        const auto serve = [](std::shared_ptr<ipc::Peer> peer) -> async::Job {
            co_await peer->run();
        };
        loop_.tasks.spawn("played", serve(peer_));
        link.attach(std::move(ends->second));
    }
    /// The process is gone.
    void lose() { peer_->close(); }
    /// What it answers.
    ipc::Router& router() noexcept { return router_; }

protected:
    net::test::Loop& loop_;
    ipc::Router asker_;  // what the one that asks serves
    ipc::Router router_;
    std::shared_ptr<ipc::Peer> peer_;

public:
    ipc::Link link{loop_.tasks, asker_};
};

/// What stands before everything that is sealed at a place, and is looked for when it is opened.
inline Bytes place_of(std::string_view what,
                      WorkspaceId workspace,
                      std::uint16_t column,
                      const Bytes& row) {
    Bytes place = to_bytes(what);
    place.insert(place.end(), workspace.raw().begin(), workspace.raw().end());
    place.push_back(static_cast<std::uint8_t>(column >> 8U));
    place.push_back(static_cast<std::uint8_t>(column & 0xffU));
    place.insert(place.end(), row.begin(), row.end());
    return place;
}
inline bool is_at(const Bytes& sealed, const Bytes& place) {
    return as_text(sealed).starts_with(as_text(place));
}

/// Readable, and opens only at its place.
inline Result<Records> played(const SealRecords& ask) {
    Records out;
    for (const auto& record : ask.records) {
        auto sealed = place_of("sealed:", ask.workspace, record.column, record.row);
        sealed.insert(sealed.end(), record.content.begin(), record.content.end());
        out.contents.push_back(std::move(sealed));
    }
    return out;
}
inline Result<Records> played(const OpenRecords& ask) {
    Records out;
    for (const auto& record : ask.records) {
        const auto place = place_of("sealed:", ask.workspace, record.column, record.row);
        if (!is_at(record.content, place)) return fail(KeyError::cannot_open);
        out.contents.push_back(to_bytes(ByteView(record.content).subspan(place.size())));
    }
    return out;
}

/// Readable, and no ordinary record.
inline Result<SealDestined::Answer> played(const SealDestined& ask) {
    SealDestined::Answer out;
    out.sealed = place_of("destined:", ask.workspace, ask.column, ask.row);
    out.sealed.insert(out.sealed.end(), ask.destination.begin(), ask.destination.end());
    return out;
}

inline Bytes mac_of(WorkspaceId workspace, MacPurpose purpose, ByteView value) {
    Bytes bytes = to_bytes(workspace.bytes());
    bytes.push_back(static_cast<std::uint8_t>(purpose));
    bytes.insert(bytes.end(), value.begin(), value.end());
    const auto hash = crypto::sha256(bytes);
    return {hash.begin(), hash.end()};
}
inline Result<ComputeMacs::Answer> played(const ComputeMacs& ask) {
    ComputeMacs::Answer out;
    for (const auto& value : ask.values)
        out.macs.push_back(mac_of(ask.workspace, ask.purpose, value));
    return out;
}

/// One key for every workspace and segment.
inline crypto::EvolvingKey played_audit_key() {
    return crypto::EvolvingKey(Secret::copy_of(as_bytes("0123456789abcdef0123456789abcdef")));
}
inline Result<OpenAuditSegment::Answer> played(const OpenAuditSegment& ask) {
    static std::uint8_t opened = 0;
    OpenAuditSegment::Answer out;
    out.label = to_bytes(ask.workspace.bytes());
    out.label.back() = static_cast<std::uint8_t>(out.label.back() + ++opened);
    out.key = Secret::copy_of(as_bytes("0123456789abcdef0123456789abcdef"));
    return out;
}
inline Result<CheckAuditMacs::Answer> played(const CheckAuditMacs& ask) {
    CheckAuditMacs::Answer out;
    for (const auto& mac : ask.macs) {
        if (mac.step >= k_audit_segment_steps) break;
        const auto right = played_audit_key().mac(mac.step, mac.digest);
        if (as_text(right) != as_text(mac.mac)) break;
        ++out.good;
    }
    return out;
}

inline Bytes played_mark(WorkspaceId workspace, AuditMarkKind kind, const AuditMark& mark) {
    Bytes bytes = to_bytes(workspace.bytes());
    bytes.push_back(static_cast<std::uint8_t>(kind));
    const auto rest = std::to_string(mark.number) + " " + std::to_string(mark.at_ms);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    bytes.insert(bytes.end(), mark.record_mac.begin(), mark.record_mac.end());
    return to_bytes(crypto::sha256(bytes));
}
inline Result<MarkAudit::Answer> played(const MarkAudit& ask) {
    return MarkAudit::Answer{played_mark(ask.workspace, ask.kind, ask.mark)};
}
inline Result<CheckAuditMarks::Answer> played(const CheckAuditMarks& ask) {
    CheckAuditMarks::Answer out;
    for (const auto& mark : ask.marks)
        out.good.push_back(mark.mac == played_mark(ask.workspace, ask.kind, mark) ? 1 : 0);
    return out;
}

/// As a method of a router answers.
template <typename Method>
async::Task<typename Method::Answer> answer(Method ask) {
    co_return played(ask);
}

}  // namespace postern::keys::test
