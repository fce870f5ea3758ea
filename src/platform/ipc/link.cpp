#include "platform/ipc/link.h"

#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/fd.h"

#include <memory>
#include <utility>

namespace postern::ipc {
namespace {

async::Job run_peer(std::shared_ptr<Peer> peer) {
    co_await peer->run();
}

}  // namespace

void Link::attach(os::Fd socket) {
    close();
    peer_ = std::make_shared<Peer>(group_.executor(), std::move(socket), router_.handler());
    group_.spawn("ipc_link", run_peer(peer_));
    if (attached_function_) attached_function_();
}

void Link::close() {
    if (peer_) peer_->close();
    peer_.reset();
}

}  // namespace postern::ipc
