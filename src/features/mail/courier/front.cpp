#include "features/mail/courier/front.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/ipc/rpc.h"

#include <chrono>
#include <utility>

namespace postern::mail::courier {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;

}  // namespace

template <typename Method>
async::Task<> FrontOverIpc::tell(Method method, Deadline deadline) {
    auto calling = ipc::call(&peer_, std::move(method), deadline);
    const auto answer = co_await std::move(calling);
    if (!answer) co_return fail(answer.error());
    co_return Result<>{};
}

async::Task<> FrontOverIpc::before_final_dot(BeforeFinalDot asked) {
    return tell(asked, Deadline::in(30s));
}
// Front fetches mails meanwhile, at the provider's speed.
async::Task<> FrontOverIpc::folder_searched(FolderSearched told) {
    return tell(std::move(told), Deadline::in(10min));
}
async::Task<> FrontOverIpc::watch_ended(WatchEnded told) {
    return tell(told, Deadline::in(30s));
}

}  // namespace postern::mail::courier
