#pragma once

#include "foundation/base/secret.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/keys/seals.h"
#include "platform/os/fd.h"

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
    /// The supervisor starts keeper with this root key, too, from now on; and after
    /// root_key_changed() with it alone.
    virtual async::Task<> next_root_key(os::Fd file, Secret passphrase) = 0;
    virtual async::Task<> root_key_changed() = 0;
    /// Front asks for the status of leases after a restart: a lost notice is no loss.
    virtual void lease_ended(keys::LeaseEnded notice) = 0;
};

/// What the supervisor does for keeper.
struct SupervisorCalls {
    std::function<async::Task<>()> end_courier;  ///< ends the process that is courier now
    std::function<async::Task<>(os::Fd file, Secret passphrase)> next_root_key;
    std::function<async::Task<>()> root_key_changed;
};

/// Over the peers that the process has at the moment.
class PeerLinks final : public Links {
public:
    PeerLinks(boost::asio::any_io_executor executor, SupervisorCalls supervisor)
        : supervisor_(std::move(supervisor)), notices_(std::move(executor)) {}

    void set_front(std::shared_ptr<ipc::Peer> peer) { front_ = std::move(peer); }
    void set_courier(std::shared_ptr<ipc::Peer> peer) { courier_ = std::move(peer); }

    async::Task<keys::EndUses::Answer> end_uses(keys::EndUses asked, Deadline deadline) override;
    async::Task<> next_root_key(os::Fd file, Secret passphrase) override {
        return supervisor_.next_root_key(std::move(file), std::move(passphrase));
    }
    async::Task<> root_key_changed() override { return supervisor_.root_key_changed(); }
    void lease_ended(keys::LeaseEnded notice) override;

private:
    SupervisorCalls supervisor_;
    std::shared_ptr<ipc::Peer> front_;
    std::shared_ptr<ipc::Peer> courier_;
    async::TaskGroup notices_;
};

}  // namespace postern::vault
