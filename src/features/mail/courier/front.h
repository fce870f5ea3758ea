#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"

namespace postern::ipc {
class Peer;
}

namespace postern::mail::courier {

/// What courier asks of front.
class Front {
public:
    virtual ~Front() = default;
    /// Good only when front's point of no return is durable.
    virtual async::Task<> before_final_dot(BeforeFinalDot asked) = 0;
    /// Good when front has taken what it admits and moved its cursor.
    virtual async::Task<> folder_searched(FolderSearched told) = 0;
    virtual async::Task<> watch_ended(WatchEnded told) = 0;
};

/// Lifetime: the peer outlives it.
class FrontOverIpc final : public Front {
public:
    explicit FrontOverIpc(ipc::Peer& peer) : peer_(peer) {}
    async::Task<> before_final_dot(BeforeFinalDot asked) override;
    async::Task<> folder_searched(FolderSearched told) override;
    async::Task<> watch_ended(WatchEnded told) override;

private:
    template <typename Method>
    async::Task<> tell(Method method, Deadline deadline);

    ipc::Peer& peer_;
};

}  // namespace postern::mail::courier
