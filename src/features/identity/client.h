#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::identity {

struct SessionRow;

inline constexpr std::size_t k_device_bytes_max = 200;

/// By what a person knows a session of theirs.
struct Client {
    std::string address;
    std::string device;  ///< as its User-Agent says; at most k_device_bytes_max printable bytes
};

/// Cut to its length; what is not printable ASCII becomes "?".
[[nodiscard]] std::string device_of(std::string_view user_agent);

async::Task<Bytes> seal_client(ipc::Link* keeper, SessionId id, Client client);
async::Task<Client> open_client(ipc::Link* keeper, const SessionRow* row);

}  // namespace postern::identity
