#include "features/vault/keeper_core.h"
#include "features/vault/keeper_service.h"
#include "features/vault/keyring_store.h"
#include "features/vault/message_key_service.h"
#include "features/vault/operator_service.h"
#include "features/vault/places.h"
#include "features/vault/root_key.h"
#include "features/vault/rotation_service.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/turns.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/operator.h"
#include "platform/keys/seals.h"
#include "platform/store/store_error.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <string_view>
#include <utility>

/// What happens between two steps of a rotation, with the turn in the hands of the test.
namespace postern::vault {
namespace {

constexpr std::chrono::seconds k_long{60};

/// The services that take turns, and what they share.
class Core {
public:
    Core(OpenKeyring opened,
         const TestClock& clock,
         const SteppedStore::Step& step,
         const std::shared_ptr<TestLinks>& links) {
        auto store = std::make_unique<SteppedStore>(std::move(opened.store), step);
        KeeperParts parts{
            std::move(store), std::move(opened.keyring), links, &clock, k_cheap_cost, {},
            k_cheap_cost};
        shared = std::make_shared<KeeperCore>(io.get_executor(), std::move(parts));
        rotation = std::make_unique<RotationService>(shared);
        operators = std::make_unique<OperatorService>(shared);
    }
    ~Core() {
        boost::asio::post(io, [this] { group.cancel(); });
        io.restart();
        io.run();
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// Its outcome is there when it is over.
    template <typename T>
    std::shared_ptr<std::optional<Result<T>>> start(async::Task<T> task) {
        auto slot = std::make_shared<std::optional<Result<T>>>();
        group.spawn("test", wait(std::move(task), slot));
        return slot;
    }
    template <typename T>
    Result<T> finish(const std::shared_ptr<std::optional<Result<T>>>& slot) {
        io.restart();
        while (!slot->has_value())
            io.run_one();
        return std::move(**slot);
    }
    template <typename T>
    Result<T> run(async::Task<T> task) {
        return finish(start(std::move(task)));
    }
    /// What was started has read all that it reads, and waits for something else.
    void settle() {
        constexpr int k_reads_in_a_row = 8;
        for (int i = 0; i < k_reads_in_a_row; ++i) {
            auto nothing = []() -> Result<> { return {}; };
            ASSERT_TRUE(run(shared->reads.run(std::move(nothing))));
        }
    }

    boost::asio::io_context io;
    async::TaskGroup group{io.get_executor()};
    std::shared_ptr<KeeperCore> shared;
    std::unique_ptr<RotationService> rotation;
    std::unique_ptr<OperatorService> operators;

private:
    template <typename T>
    static async::Job wait(async::Task<T> task, std::shared_ptr<std::optional<Result<T>>> slot) {
        auto outcome = co_await std::move(task);
        slot->emplace(std::move(outcome));
    }
};

class RotationRaceTest : public VaultTest {
protected:
    void start_core() {
        keeper.reset();
        auto opened = open_keyring(keyring_options(folder), root_key());
        POSTERN_CHECK(opened.has_value());
        const auto step = [this](std::string_view change, bool after) -> Result<> {
            return on_step ? on_step(change, after) : Result<>();
        };
        core = std::make_unique<Core>(std::move(*opened), clock, step, links);
    }
    void end_core() {
        core.reset();
        start_keeper();
    }
    /// As a change of the root key leaves it.
    void put_marker() {
        keeper.reset();
        auto store = keyring_store_of(folder);
        RotationStart nothing;
        nothing.root_key = fingerprint(root_key());
        ASSERT_TRUE((*store)->begin_rotation(nothing));
    }
    void expect_nothing_left() {
        const auto left = keeper->ask(keys::CountWraps{});
        ASSERT_TRUE(left);
        EXPECT_EQ(left->waiting, 0U);
        EXPECT_EQ(left->old_keys, 0U);
        EXPECT_FALSE(left->rotating);
    }

    SteppedStore::Step on_step;
    std::shared_ptr<TestLinks> links = std::make_shared<TestLinks>();
    std::unique_ptr<Core> core;
};

TEST_F(RotationRaceTest, rotation_that_begins_while_another_one_ends_is_worked_off) {
    connect("maple-otter-violin");
    put_marker();
    start_core();
    auto held = core->run(core->shared->turns.take(IntegrationKey(), Deadline::in(k_long)));
    ASSERT_TRUE(held);
    const auto begun = core->start(core->rotation->begin({true, true}));
    core->settle();
    const auto worked = core->start(core->rotation->work());
    core->settle();
    held = Turns::Turn();
    EXPECT_TRUE(core->finish(begun));
    EXPECT_TRUE(core->finish(worked));
    end_core();
    expect_nothing_left();
}

TEST_F(RotationRaceTest, workspace_that_nobody_looked_at_opens_while_a_rotation_begins) {
    connect("maple-otter-violin");
    std::atomic<bool> written = false;
    std::counting_semaphore<> may_go_on(0);
    on_step = [&](std::string_view change, bool after) -> Result<> {
        if (change == "begin_rotation" && after) {
            written = true;
            may_go_on.acquire();
        }
        return {};
    };
    start_core();
    const auto begun = core->start(core->rotation->begin({true, true}));
    core->io.restart();
    while (!written)
        core->io.run_one_for(std::chrono::milliseconds(5));
    const auto opened = core->run(core->shared->workspace(workspace));
    may_go_on.release();
    EXPECT_TRUE(opened);
    EXPECT_TRUE(core->finish(begun));
    EXPECT_TRUE(core->run(core->rotation->work()));
    end_core();
    expect_nothing_left();
}

TEST_F(RotationRaceTest, rotation_that_is_not_begun_leaves_no_key_behind) {
    connect("maple-otter-violin");
    bool fails = true;
    on_step = [&](std::string_view change, bool after) -> Result<> {
        if (change != "begin_rotation" || after || !fails) return {};
        return fail(store::StoreError::disk_full);
    };
    start_core();
    EXPECT_FALSE(core->run(core->rotation->begin({true, true})));
    EXPECT_FALSE(core->shared->keyring.older_version());
    {
        const keys::CreateWorkspace another{test_id<WorkspaceId>(7)};
        MessageKeyService message_keys(core->shared);
        EXPECT_TRUE(core->run(message_keys.create_workspace(another)));
    }
    fails = false;
    EXPECT_TRUE(core->run(core->rotation->begin({true, true})));
    EXPECT_TRUE(core->run(core->rotation->work()));
    end_core();
    expect_nothing_left();
}

TEST_F(RotationRaceTest, workspace_key_is_not_moved_under_a_keyring_key_that_is_not_there) {
    keeper.reset();
    {
        auto store = keyring_store_of(folder);
        auto row = (*(*store)->workspace_keys(workspace))->present;
        row.version += 1;
        EXPECT_EQ(code_of((*store)->rewrap_workspace_keys({row})), "busy");
        EXPECT_EQ((*(*store)->workspace_keys(workspace))->present.version, row.version - 1);
    }
    start_keeper();
}

TEST_F(RotationRaceTest, marker_stays_while_there_are_two_of_a_key) {
    connect("maple-otter-violin");
    ASSERT_TRUE(keeper->ask_operator(keys::BeginRotation{true, true}));
    keeper.reset();
    {
        auto store = keyring_store_of(folder);
        EXPECT_FALSE(*(*store)->end_rotation());
        EXPECT_TRUE(*(*store)->rotation_under_way());
    }
    start_keeper();
    keeper->rotate();
    expect_nothing_left();
}

}  // namespace
}  // namespace postern::vault
