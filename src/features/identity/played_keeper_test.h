#pragma once

#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/crypto/hash.h"
#include "platform/ipc/link.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/message_keys.h"
#include "platform/net/test_loop.h"
#include "platform/os/process.h"

#include <memory>
#include <set>
#include <utility>

namespace postern::identity::test {

class ManualClock final : public Clock {
public:
    UnixMs now = 1'800'000'000'000;
    [[nodiscard]] UnixMs now_ms() const override { return now; }
    void pass_s(std::int64_t seconds) { now += seconds * 1000; }
};

/// Plays keeper over a real socket pair: what it seals is readable, and opens only at its place.
class TestKeeper {
public:
    explicit TestKeeper(net::test::Loop& loop) : link(loop.tasks, nothing_served_) {
        router_.on<keys::CreateWorkspace>(
            [this](keys::CreateWorkspace ask) { return create(std::move(ask)); });
        router_.on<keys::SealRecords>([](keys::SealRecords ask) { return seal(std::move(ask)); });
        router_.on<keys::OpenRecords>([](keys::OpenRecords ask) { return open(std::move(ask)); });
        router_.on<keys::ComputeMacs>(
            [this](keys::ComputeMacs ask) { return mac(std::move(ask)); });
        auto ends = os::socket_pair();
        POSTERN_CHECK(ends.has_value());
        peer_ = std::make_unique<ipc::Peer>(loop.io.get_executor(), std::move(ends->first),
                                            router_.handler());
        loop.tasks.spawn("keeper", peer_->run());
        link.attach(std::move(ends->second));
    }
    ~TestKeeper() {
        link.close();
        peer_->close();
    }
    TestKeeper(const TestKeeper&) = delete;
    TestKeeper& operator=(const TestKeeper&) = delete;

    /// For what it plays besides.
    ipc::Router& router() noexcept { return router_; }

private:
    ipc::Router nothing_served_;
    ipc::Router router_;
    std::unique_ptr<ipc::Peer> peer_;

public:
    ipc::Link link;
    std::set<WorkspaceId> workspaces;
    int macs_computed = 0;

private:
    static Bytes place_of(WorkspaceId workspace, const keys::Record& record) {
        Bytes place = to_bytes("sealed:");
        place.insert(place.end(), workspace.raw().begin(), workspace.raw().end());
        place.push_back(static_cast<std::uint8_t>(record.column));
        place.insert(place.end(), record.row.begin(), record.row.end());
        return place;
    }
    async::Task<ipc::Nothing> create(keys::CreateWorkspace ask) {
        workspaces.insert(ask.workspace);
        co_return ipc::Nothing{};
    }
    static async::Task<keys::Records> seal(keys::SealRecords ask) {
        keys::Records out;
        for (const auto& record : ask.records) {
            auto sealed = place_of(ask.workspace, record);
            sealed.insert(sealed.end(), record.content.begin(), record.content.end());
            out.contents.push_back(std::move(sealed));
        }
        co_return out;
    }
    static async::Task<keys::Records> open(keys::OpenRecords ask) {
        keys::Records out;
        for (const auto& record : ask.records) {
            const auto place = place_of(ask.workspace, record);
            if (!as_text(record.content).starts_with(as_text(place))) {
                co_return fail(keys::KeyError::cannot_open);
            }
            out.contents.push_back(to_bytes(ByteView(record.content).subspan(place.size())));
        }
        co_return out;
    }
    async::Task<keys::ComputeMacs::Answer> mac(keys::ComputeMacs ask) {
        keys::ComputeMacs::Answer out;
        for (const auto& value : ask.values) {
            ++macs_computed;
            Bytes bytes(ask.workspace.raw().begin(), ask.workspace.raw().end());
            bytes.push_back(static_cast<std::uint8_t>(ask.purpose));
            bytes.insert(bytes.end(), value.begin(), value.end());
            const auto hash = crypto::sha256(bytes);
            out.macs.emplace_back(hash.begin(), hash.end());
        }
        co_return out;
    }
};

}  // namespace postern::identity::test
