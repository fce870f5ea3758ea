#include "platform/net/resolver.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::net {
namespace {

constexpr std::size_t k_addresses_max = 16;

IpAddress address_of(const addrinfo& entry) {
    if (entry.ai_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, entry.ai_addr, sizeof(four));
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &four.sin_addr, bytes.size());
        return IpAddress::v4(bytes);
    }
    sockaddr_in6 six{};
    std::memcpy(&six, entry.ai_addr, sizeof(six));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
}

Result<std::vector<IpAddress>> look_up(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    if (code == EAI_NONAME || code == EAI_NODATA) return fail(NetError::name_not_found);
    if (code != 0) return fail(NetError::resolver_failed, gai_strerror(code));
    std::vector<IpAddress> addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
        const IpAddress address = address_of(*at);
        if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
            addresses.push_back(address);
        }
        if (addresses.size() == k_addresses_max) break;
    }
    if (addresses.empty()) return fail(NetError::name_not_found);
    return addresses;
}

}  // namespace

async::Task<std::vector<IpAddress>> SystemResolver::resolve(std::string host, Deadline deadline) {
    auto work = [host = std::move(host)] { return look_up(host); };
    auto running = pool_.run(std::move(work));
    auto waiting = async::with_deadline(deadline, std::move(running));
    auto found = co_await std::move(waiting);
    if (!found && found.error().is(async::AsyncError::deadline_passed)) {
        co_return fail(NetError::timed_out);
    }
    co_return found;
}

}  // namespace postern::net
