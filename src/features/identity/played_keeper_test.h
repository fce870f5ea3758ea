#pragma once

#include "foundation/base/id.h"
#include "foundation/base/manual_clock_test.h"
#include "platform/async/task.h"
#include "platform/ipc/wire.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"

#include <cstddef>
#include <set>
#include <utility>

namespace postern::identity::test {

using postern::test::ManualClock;

/// What it seals is readable, and opens only at its place.
class TestKeeper final : public keys::test::PlayedPeer {
public:
    explicit TestKeeper(net::test::Loop& loop) : PlayedPeer(loop) {
        router_.on<keys::CreateWorkspace>(
            [this](keys::CreateWorkspace ask) { return create(ask); });
        router_.on<keys::SealRecords>(
            [](keys::SealRecords ask) { return keys::test::answer(std::move(ask)); });
        router_.on<keys::OpenRecords>([this](keys::OpenRecords ask) {
            records_opened += ask.records.size();
            return keys::test::answer(std::move(ask));
        });
        router_.on<keys::SealDestined>(
            [](keys::SealDestined ask) { return keys::test::answer(std::move(ask)); });
        router_.on<keys::OpenAuditSegment>(
            [](keys::OpenAuditSegment ask) { return keys::test::answer(std::move(ask)); });
        router_.on<keys::CheckAuditMacs>(
            [](keys::CheckAuditMacs ask) { return keys::test::answer(std::move(ask)); });
        router_.on<keys::ComputeMacs>(
            [this](keys::ComputeMacs ask) { return mac(std::move(ask)); });
    }

    std::set<WorkspaceId> workspaces;
    std::size_t macs_computed = 0;
    std::size_t records_opened = 0;

private:
    async::Task<ipc::Nothing> create(keys::CreateWorkspace ask) {
        workspaces.insert(ask.workspace);
        co_return ipc::Nothing{};
    }
    async::Task<keys::ComputeMacs::Answer> mac(keys::ComputeMacs ask) {
        macs_computed += ask.values.size();
        co_return keys::test::played(ask);
    }
};

}  // namespace postern::identity::test
