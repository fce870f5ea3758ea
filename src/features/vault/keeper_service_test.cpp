#include "features/vault/keeper_service.h"

#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/ipc/wire.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"
#include "platform/os/process.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::vault {
namespace {

constexpr std::string_view k_secret = "maple-otter-violin";

class KeeperServiceTest : public VaultTest {
protected:
    /// A raw frame, as a front that was taken over may send it.
    ipc::Reply raw(const ipc::Router& router, std::uint16_t method, Bytes body) {
        std::optional<ipc::Reply> reply;
        WipedBytes bytes;
        bytes.append(body);
        ipc::Request request{method, std::move(bytes), {}};
        keeper->group.spawn("raw", serve(&router, std::move(request), &reply));
        keeper->io.restart();
        while (!reply)
            keeper->io.run_one();
        return std::move(*reply);
    }
    static async::Job serve(const ipc::Router* router,
                            ipc::Request request,
                            std::optional<ipc::Reply>* out) {
        auto reply = co_await router->serve(std::move(request));
        *out = std::move(reply);
    }
};

TEST_F(KeeperServiceTest, front_cannot_redeem_and_courier_can_do_nothing_else) {
    for (std::uint16_t method = 0; method < 64; ++method) {
        const auto front = raw(keeper->service->front(), method, {1, 2, 3});
        EXPECT_NE(front.status, 0) << method;
        const auto courier = raw(keeper->service->courier(), method, Bytes(16, 0));
        EXPECT_NE(courier.status, 0) << method;
    }
    const auto seal = connect(k_secret, 60);
    const auto ticket = mint(seal);
    ipc::Encoder encoder;
    keys::Redeem redeem{ticket->ticket};
    encoder.put(redeem);
    const Bytes body(encoder.bytes().begin(), encoder.bytes().end());
    EXPECT_EQ(raw(keeper->service->front(), keys::Redeem::k_method, body).status, 2);
    EXPECT_EQ(raw(keeper->service->courier(), keys::Redeem::k_method, body).status, 0);
}

TEST_F(KeeperServiceTest, cut_and_random_messages_are_refused) {
    ipc::Encoder encoder;
    keys::Unlock unlock_call{workspace, integration, connect(k_secret), typed(k_secret), 60};
    encoder.put(unlock_call);
    const Bytes whole(encoder.bytes().begin(), encoder.bytes().end());
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        const auto cut = raw(keeper->service->front(), keys::Unlock::k_method,
                             to_bytes(ByteView(whole).first(size)));
        EXPECT_EQ(cut.status, 2) << size;
    }
    std::uint32_t state = 12345;
    for (int i = 0; i < 2000; ++i) {
        Bytes body(static_cast<std::size_t>(i % 300));
        for (auto& byte : body) {
            state = state * 1664525U + 1013904223U;
            byte = static_cast<std::uint8_t>(state >> 24U);
        }
        (void)raw(keeper->service->front(), static_cast<std::uint16_t>(i % 45), body);
    }
    EXPECT_TRUE(keeper->ask(keys::Identify{}));
}

TEST_F(KeeperServiceTest, cut_off_goes_on_when_the_caller_goes_away) {
    connect(k_secret, 3600);
    auto ends = os::socket_pair();
    ASSERT_TRUE(ends);
    {
        ipc::Router nothing;
        ipc::Peer ours(keeper->io.get_executor(), std::move(ends->first),
                       keeper->service->front().handler());
        ipc::Peer front(keeper->io.get_executor(), std::move(ends->second), nothing.handler());
        async::TaskGroup peers(keeper->io.get_executor());
        const auto ask = [](ipc::Peer* peer, keys::CutOff asked) -> async::Job {
            (void)co_await ipc::call(peer, asked, Deadline::in(std::chrono::seconds(10)));
        };
        peers.spawn("ours", ours.run());
        peers.spawn("front", front.run());
        peers.spawn("ask", ask(&front, {workspace, integration}));
        while (status().lease.open) {  // asking runs the loop; the cut-off drops it first
        }
        boost::asio::post(keeper->io, [&] {
            front.close();
            ours.close();
        });
        keeper->io.restart();
        keeper->io.run_for(std::chrono::milliseconds(200));
    }
    EXPECT_TRUE(status().cut_off);
}

TEST_F(KeeperServiceTest, too_many_unlocks_at_once_are_told_to_wait) {
    std::vector<keys::Seal> seals;
    for (std::uint8_t i = 0; i < 30; ++i) {
        integration = test_id<IntegrationId>(static_cast<std::uint8_t>(100 + i));
        seals.push_back(connect(k_secret));
    }
    std::vector<Keeper::Call<keys::Unlock>> calls;
    calls.reserve(30);
    for (std::uint8_t i = 0; i < 30; ++i) {
        calls.push_back(keeper->start(
            keys::Unlock{workspace, test_id<IntegrationId>(static_cast<std::uint8_t>(100 + i)),
                         seals[i], typed(k_secret), 60}));
    }
    int good = 0;
    for (auto& call : calls) {
        const auto answer = call.answer();
        if (answer) ++good;
        if (!answer) {
            EXPECT_EQ(answer.error().code(), "busy");
            EXPECT_GT(answer.error().retry_after_s(), 0);
        }
    }
    EXPECT_GE(good, 16);
    EXPECT_LT(good, 30);
    // Nobody was charged for being told to wait.
    integration = test_id<IntegrationId>(129);
    EXPECT_TRUE(unlock(seals[29], k_secret));
}

TEST(OpenKeyring, tells_missing_existing_and_wrong) {
    const TestFolder folder;
    const OpenKeyringOptions options{.file = folder.file("keyring.db"),
                                     .reserve_file = folder.file("reserve"),
                                     .server = keyring_server(folder.file("keyring.db"))};
    EXPECT_EQ(code_of(open_keyring(options, filled_key(1))), "no_keyring");
    ASSERT_TRUE(create_keyring(options, filled_key(1)));
    EXPECT_TRUE(std::filesystem::exists(folder.file("reserve")));
    EXPECT_EQ(code_of(create_keyring(options, filled_key(1))), "keyring_exists");
    EXPECT_EQ(code_of(open_keyring(options, filled_key(2))), "wrong_root_key");
    const auto open = open_keyring(options, filled_key(1));
    ASSERT_TRUE(open);
    EXPECT_EQ(code_of(open_keyring(options, filled_key(1))), "store_in_use");
}

}  // namespace
}  // namespace postern::vault
