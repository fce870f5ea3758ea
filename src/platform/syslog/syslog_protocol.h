#pragma once

#include "platform/ipc/rpc.h"
#include "platform/net/net_error.h"
#include "platform/syslog/syslog_message.h"

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace postern::syslog {

inline constexpr std::size_t k_messages_max = 500;

/// Front to courier: writes these to the operator's log server, connecting where no connection is.
/// None at all: only sees to the connection. A good answer says that they were written, not that
/// anybody keeps them. Errors: NetError; IpcError::busy while another call is not done;
/// IpcError::malformed for what is no message.
struct SendSyslog {
    static constexpr std::uint16_t k_method = 130;
    struct Answer {
        std::int64_t connection = 0;  ///< another number: another connection than before
        auto wire() { return std::tie(connection); }
    };
    using Failure = net::NetError;
    std::vector<Message> messages;
    bool anew = false;  ///< on a new connection, for which the server's process has to be there
    auto wire() { return std::tie(messages, anew); }
};

}  // namespace postern::syslog
