#pragma once

#include "features/vault/keeper_service.h"
#include "features/vault/keyring_store_sql.h"
#include "features/vault/root_key.h"
#include "features/vault/vault_error.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "platform/async/deadline.h"
#include "platform/ipc/rpc.h"
#include "platform/store/scratch_store_test.h"

#include <gtest/gtest.h>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A clock, a courier that is not there, and a keeper that is asked through its routers as its
/// peers would ask it.
namespace postern::vault {

/// Where this run of the tests has a keyring of that file; nothing: in the file.
inline std::optional<store::Server> keyring_server(const std::string& file) {
    store::Database::Options options;
    options.kind = store::StoreKind::keyring;
    options.file = file;
    return store::on_test_engine(options).server;
}

/// The keyring of a folder, in the engine of this run.
inline OpenKeyringOptions keyring_options(const TestFolder& folder) {
    auto file = folder.file("keyring.db");
    auto server = keyring_server(file);
    return {.file = std::move(file), .reserve_file = std::nullopt, .server = std::move(server)};
}
inline Result<std::unique_ptr<KeyringStore>> keyring_store_of(const TestFolder& folder) {
    auto options = keyring_options(folder);
    return open_keyring_store({.file = std::move(options.file),
                               .server = std::move(options.server),
                               .reserve_file = std::nullopt});
}

class TestClock final : public Clock {
public:
    [[nodiscard]] UnixMs now_ms() const override { return now; }
    void advance_s(std::int64_t seconds) { now += seconds * 1000; }
    UnixMs now = 1'764'000'000'000;
};

/// Courier and front as keeper sees them.
class TestLinks final : public Links {
public:
    async::Task<keys::EndUses::Answer> end_uses(keys::EndUses asked, Deadline) override {
        asked_.push_back(asked);
        if (failure) co_return fail(*failure);
        co_return keys::EndUses::Answer{connections};
    }
    async::Task<> next_root_key(os::Fd file, Secret passphrase) override {
        next_root_file = std::move(file);
        next_passphrase = std::move(passphrase);
        co_return Result<>();
    }
    async::Task<> root_key_changed() override {
        ++root_key_changes;
        co_return Result<>();
    }
    void lease_ended(keys::LeaseEnded notice) override { notices.push_back(notice); }

    /// What courier was asked since the last time.
    std::vector<keys::EndUses> take_asked() { return std::exchange(asked_, {}); }

    std::uint32_t connections = 3;
    std::optional<Error> failure;
    std::vector<keys::LeaseEnded> notices;
    os::Fd next_root_file;
    Secret next_passphrase;
    int root_key_changes = 0;

private:
    std::vector<keys::EndUses> asked_;
};

class Keeper {
public:
    using StoreWrapper =
        std::function<std::unique_ptr<KeyringStore>(std::unique_ptr<KeyringStore>)>;

    Keeper(const TestFolder& folder,
           const TestClock& clock,
           const Secret& root_key,
           const StoreWrapper& wrap = nullptr) {
        const auto options = keyring_options(folder);
        auto opened = open_keyring(options, root_key);
        if (!opened && opened.error().is(VaultError::no_keyring)) {
            const auto created = create_keyring(options, root_key);
            POSTERN_CHECK(created.has_value());
            opened = open_keyring(options, root_key);
        }
        POSTERN_CHECK(opened.has_value());
        auto store = std::move(opened->store);
        if (wrap) store = wrap(std::move(store));
        KeeperParts parts{
            std::move(store), std::move(opened->keyring), links, &clock, k_cheap_cost, {},
            k_cheap_cost};
        service = std::make_unique<KeeperService>(io.get_executor(), std::move(parts));
    }
    ~Keeper() {
        group.spawn("stop", service->stop());
        // From inside the loop: a cancellation that is only posted may come after its job's end.
        boost::asio::post(io, [this] { group.cancel(); });
        io.restart();
        io.run();
    }
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    /// A call that runs beside others, until its answer is taken.
    template <typename Method>
    class Call {
    public:
        using Answer = typename Method::Answer;
        Call(Keeper& keeper, const ipc::Router& router, Method method) : keeper_(keeper) {
            ipc::Encoder encoder;
            encoder.put(method);
            ipc::Request request{Method::k_method, std::move(encoder.bytes()),
                                 std::move(encoder.files())};
            keeper_.group.spawn("call", serve(router, std::move(request), reply_));
        }
        [[nodiscard]] bool done() const { return reply_->has_value(); }
        Result<Answer> answer() {
            keeper_.io.restart();
            while (!done())
                keeper_.io.run_one();
            return decode(**reply_);
        }

    private:
        using Slot = std::shared_ptr<std::optional<ipc::Reply>>;
        static async::Job serve(const ipc::Router& router, ipc::Request request, Slot slot) {
            auto reply = co_await router.serve(std::move(request));
            *slot = std::move(reply);
        }
        static Result<Answer> decode(ipc::Reply& reply) {
            ipc::Decoder decoder(reply.body, {});
            if (reply.status == 0) {
                Answer answer{};
                POSTERN_CHECK(decoder.get(answer) && decoder.finished());
                return answer;
            }
            ipc::detail::WireFailure failure;
            POSTERN_CHECK(decoder.get(failure) && decoder.finished());
            if (reply.status == 1) {
                const auto code = static_cast<keys::KeyError>(failure.value);
                return fail(Error(code, failure.detail).with_retry_after(failure.retry_after_s));
            }
            const auto code = static_cast<ipc::IpcError>(failure.value);
            return fail(Error(code, failure.detail).with_retry_after(failure.retry_after_s));
        }

        Keeper& keeper_;
        Slot reply_ = std::make_shared<std::optional<ipc::Reply>>();
    };

    template <typename Method>
    Call<Method> start(Method method) {
        return Call<Method>(*this, service->front(), std::move(method));
    }
    template <typename Method>
    Result<typename Method::Answer> ask(Method method) {
        return start(std::move(method)).answer();
    }
    template <typename Method>
    Result<typename Method::Answer> ask_operator(Method method) {
        return Call<Method>(*this, service->operators(), std::move(method)).answer();
    }
    Result<keys::Redeem::Answer> redeem(const Bytes& ticket) {
        return Call<keys::Redeem>(*this, service->courier(), {ticket}).answer();
    }
    void sweep() { run(service->sweep()); }
    /// Works off the rotations that are under way.
    void rotate() { run(service->work_off_rotation()); }
    template <typename T>
    void run(async::Task<T> task) {
        bool done = false;
        const auto wait = [](async::Task<T> work, bool* finished) -> async::Job {
            const auto outcome = co_await std::move(work);
            EXPECT_TRUE(outcome.has_value());
            *finished = true;
        };
        group.spawn("run", wait(std::move(task), &done));
        io.restart();
        while (!done)
            io.run_one();
    }

    boost::asio::io_context io;
    async::TaskGroup group{io.get_executor()};
    std::shared_ptr<TestLinks> links = std::make_shared<TestLinks>();
    std::unique_ptr<KeeperService> service;
};

/// One integration of one workspace, and the calls on it that most tests make.
class VaultTest : public ::testing::Test {
protected:
    VaultTest() { start_keeper(); }

    void start_keeper(const Keeper::StoreWrapper& wrap = nullptr) {
        keeper.reset();
        keeper = std::make_unique<Keeper>(folder, clock, root_key(), wrap);
        ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{workspace}));
    }

    [[nodiscard]] Secret root_key() const {
        return root_bytes.empty() ? filled_key(root_fill) : Secret::copy_of(root_bytes);
    }
    static keys::SecretInput typed(std::string_view text) { return {secret_of(text), {}}; }

    Result<keys::PrepareSeal::Answer> prepare(std::string_view new_secret,
                                              std::string_view password = k_password) {
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.new_secret = typed(new_secret);
        asked.destination = to_bytes(k_destination);
        asked.credential = typed(password);
        return keeper->ask(std::move(asked));
    }
    Result<keys::PrepareSeal::Answer> prepare_reseal(const keys::Seal& current,
                                                     std::string_view old_secret,
                                                     std::string_view new_secret) {
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.new_secret = typed(new_secret);
        asked.current = current;
        asked.secret = typed(old_secret);
        return keeper->ask(std::move(asked));
    }
    Result<keys::Lease> commit(std::uint64_t epoch, std::int64_t lease_s = 0) {
        return keeper->ask(keys::CommitSeal{workspace, integration, epoch, lease_s});
    }
    /// A first or next epoch under this secret, committed.
    keys::Seal connect(std::string_view secret, std::int64_t lease_s = 0) {
        auto prepared = prepare(secret);
        EXPECT_TRUE(prepared.has_value());
        EXPECT_TRUE(commit(prepared->seal.epoch, lease_s).has_value());
        return prepared->seal;
    }
    Result<keys::Lease> unlock(const keys::Seal& seal,
                               std::string_view secret,
                               std::int64_t lease_s = 3600) {
        return keeper->ask(keys::Unlock{workspace, integration, seal, typed(secret), lease_s});
    }
    Result<keys::AddHolder::Answer> add_holder(const keys::Seal& seal,
                                               std::string_view secret,
                                               std::string_view new_secret) {
        return keeper->ask(keys::AddHolder{
            workspace, integration, seal, typed(secret), false, {}, typed(new_secret)});
    }
    Result<keys::PrepareSeal::Answer> prepare_leaving(const keys::Seal& current,
                                                      HolderId leaving,
                                                      std::string_view secret) {
        keys::PrepareSeal asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.current = current;
        asked.leaving = leaving;
        asked.with_lease = secret.empty();
        if (!secret.empty()) asked.secret = typed(secret);
        return keeper->ask(std::move(asked));
    }
    Result<keys::CutOff::Answer> cut_off() {
        return keeper->ask(keys::CutOff{workspace, integration});
    }
    keys::IntegrationStatus status() {
        auto answer = keeper->ask(keys::GetStatus{workspace, {integration}});
        EXPECT_TRUE(answer.has_value());
        return answer->items.at(0);
    }
    Result<keys::GrantSeal> grant(const keys::Seal& seal,
                                  std::string_view secret,
                                  keys::Verbs verbs = k_send,
                                  std::uint32_t ceiling = 100) {
        keys::MakeGrant asked;
        asked.workspace = workspace;
        asked.integration = integration;
        asked.grant = GrantId::make(clock.now);
        asked.seal = seal;
        asked.secret = typed(secret);
        asked.verbs = verbs;
        asked.hourly_ceiling = ceiling;
        asked.expires_at_ms = clock.now + k_day_ms * 30;
        return keeper->ask(std::move(asked));
    }
    Result<keys::MintTicket::Answer> mint(const keys::Seal& seal,
                                          std::vector<keys::GrantSeal> grants = {},
                                          keys::Verb verb = keys::Verb::send) {
        return keeper->ask(
            keys::MintTicket{workspace, integration, verb, seal, std::move(grants), false});
    }

    static constexpr keys::Verbs k_send = static_cast<keys::Verbs>(keys::Verb::send);
    static constexpr UnixMs k_day_ms = 24 * 3600 * 1000;

    TestFolder folder;
    TestClock clock;
    std::uint8_t root_fill = 77;
    Bytes root_bytes;  ///< where not empty, the root key
    WorkspaceId workspace = test_id<WorkspaceId>(1);
    IntegrationId integration = test_id<IntegrationId>(2);
    std::unique_ptr<Keeper> keeper;
};

}  // namespace postern::vault
