#pragma once

#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/keys/seals.h"

#include <functional>
#include <memory>

namespace postern::vault {

/// How keeper reaches courier and front.
class Links {
public:
    virtual ~Links() = default;

    /// A courier that does not answer within the deadline is made to end. Errors: IpcError::closed
    /// when courier is gone, and with it every connection it had; deadline_passed.
    virtual async::Task<keys::EndUses::Answer> end_uses(keys::EndUses asked, Deadline deadline) = 0;
    /// Front asks for the status of leases after a restart: a lost notice is no loss.
    virtual void lease_ended(keys::LeaseEnded notice) = 0;
};

/// Over the peers that the process has at the moment.
class PeerLinks final : public Links {
public:
    /// `end_courier` ends the process that is courier now.
    PeerLinks(boost::asio::any_io_executor executor, std::function<async::Task<>()> end_courier)
        : end_courier_(std::move(end_courier)), notices_(std::move(executor)) {}

    void set_front(std::shared_ptr<ipc::Peer> peer) { front_ = std::move(peer); }
    void set_courier(std::shared_ptr<ipc::Peer> peer) { courier_ = std::move(peer); }

    async::Task<keys::EndUses::Answer> end_uses(keys::EndUses asked, Deadline deadline) override;
    void lease_ended(keys::LeaseEnded notice) override;

private:
    std::function<async::Task<>()> end_courier_;
    std::shared_ptr<ipc::Peer> front_;
    std::shared_ptr<ipc::Peer> courier_;
    async::TaskGroup notices_;
};

}  // namespace postern::vault
