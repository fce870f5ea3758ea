#include "app/front/run.h"

#include "app/front/front.h"
#include "app/front/listeners.h"

namespace postern::app::front {

async::Task<> run(child::Runtime& runtime) {
    auto stores = Stores::open(runtime.create(), runtime.clock());
    if (!stores) co_return fail(std::move(stores.error()));
    const auto front = std::make_unique<Front>(runtime, std::move(*stores));
    auto connected = co_await front->connect();
    if (!connected) co_return connected;
    if (runtime.offline()) {
        runtime.ready({});
        co_await runtime.stop_requested();
        co_return Result<>{};
    }
    auto begun = co_await front->begin();
    if (!begun) co_return begun;
    co_return co_await serve(runtime, *front);
}

}  // namespace postern::app::front
