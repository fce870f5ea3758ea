#include "features/vault/links.h"

#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/seals.h"

#include <chrono>
#include <memory>

namespace postern::vault {
namespace {

constexpr std::chrono::seconds k_notice_time{10};

async::Job notify(std::shared_ptr<ipc::Peer> peer, keys::LeaseEnded notice) {
    auto told = co_await ipc::call(peer.get(), notice, Deadline::in(k_notice_time));
    if (!told) log(LogLevel::debug, "lease_notice_lost", {{"error", told.error()}});
}

}  // namespace

async::Task<keys::EndUses::Answer> PeerLinks::end_uses(keys::EndUses asked, Deadline deadline) {
    const auto peer = courier_;
    if (peer == nullptr) co_return fail(ipc::IpcError::closed);
    auto answer = co_await ipc::call(peer.get(), asked, deadline);
    // Gone while it was asked: its connections went with it.
    if (answer || peer->closed()) {
        if (!answer) co_return fail(ipc::IpcError::closed);
        co_return answer;
    }
    log(LogLevel::error, "courier_hangs", {{"error", answer.error()}});
    const auto ended = co_await supervisor_.end_courier();
    if (ended) co_return fail(ipc::IpcError::closed);
    co_return answer;
}

void PeerLinks::lease_ended(keys::LeaseEnded notice) {
    if (front_ == nullptr || front_->closed()) return;
    notices_.spawn("lease_ended", notify(front_, notice));
}

}  // namespace postern::vault
