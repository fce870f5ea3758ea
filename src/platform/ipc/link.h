#pragma once

#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"

#include <functional>
#include <memory>
#include <utility>

namespace postern::ipc {

/// Our end towards one other process, which may be restarted: the supervisor then hands over a new
/// socket and attach() replaces the old one. Between the two, calls answer IpcError::closed.
///
/// Executor: all calls from the executor's own thread. Lifetime: router and group outlive it.
class Link {
public:
    Link(async::TaskGroup& group, const Router& router) : group_(group), router_(router) {}
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    void attach(os::Fd socket);
    [[nodiscard]] bool attached() const noexcept { return peer_ && !peer_->closed(); }
    void close();

    /// Called after each attach(): the other process is new and knows nothing.
    void on_attached(std::function<void()> function) { attached_function_ = std::move(function); }

    template <typename Method>
    async::Task<typename Method::Answer> call(Method method, Deadline deadline) {
        // The peer stays alive for this call even if it is replaced meanwhile.
        const auto peer = peer_;
        if (!peer) co_return fail(IpcError::closed);
        co_return co_await ipc::call(peer.get(), std::move(method), deadline);
    }

private:
    async::TaskGroup& group_;
    const Router& router_;
    std::shared_ptr<Peer> peer_;
    std::function<void()> attached_function_;
};

}  // namespace postern::ipc
