#include "app/front/run.h"

#include "app/control/control_protocol.h"
#include "app/front/front.h"
#include "app/front/listeners.h"
#include "app/stores/stores.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"
#include "platform/store/migration.h"

#include <memory>
#include <utility>

namespace postern::app::front {

namespace {

// Runtime and front outlive it: run() below waits for it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> work(child::Runtime& runtime, Front& front) {
    auto connected = co_await front.connect();
    if (!connected) co_return connected;
    if (runtime.offline()) {
        runtime.ready({});
        co_await runtime.stop_requested();
        co_await front.end();
        co_return Result<>{};
    }
    auto begun = co_await front.begin();
    if (!begun) co_return begun;
    auto served = co_await serve(runtime, front);
    co_await front.end();
    co_return served;
}

async::Task<control::MoveStore::Answer> on_move(control::MoveStore asked) {
    co_return stores::move(std::move(asked), {store::StoreKind::store, store::StoreKind::index});
}

}  // namespace

Result<bool> bring_up_to_date(control::StoreAccess& access) {
    const SystemClock clock;
    POSTERN_TRY([[maybe_unused]] const auto opened, Stores::open(access, false, clock));
    return false;
}

void serve_move(ipc::Router& router) {
    router.on<control::MoveStore>(
        [](control::MoveStore asked) { return on_move(std::move(asked)); });
}

// The runtime outlives every coroutine of the process.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
async::Task<> run(child::Runtime& runtime) {
    auto stores = Stores::open(runtime.store_access(), runtime.create(), runtime.clock());
    if (!stores) co_return fail(std::move(stores.error()));
    const auto front = std::make_unique<Front>(runtime, std::move(*stores));
    auto worked = co_await work(runtime, *front);
    // Its jobs work with front until they end.
    runtime.tasks().cancel();
    co_await runtime.tasks().join();
    co_return worked;
}

}  // namespace postern::app::front
