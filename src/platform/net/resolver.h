#pragma once

#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/net/ip_address.h"

#include <string>
#include <vector>

namespace postern::async {
class BlockingPool;
}

namespace postern::net {

/// Turns a host name into addresses. Passed in, so that tests decide what a name means.
class Resolver {
public:
    virtual ~Resolver() = default;
    /// At least one address. Errors: NetError::name_not_found, resolver_failed, timed_out.
    virtual async::Task<std::vector<IpAddress>> resolve(std::string host, Deadline deadline) = 0;
};

/// The system's getaddrinfo() on a pool's thread. A look-up that outlives its deadline goes on
/// there, unseen. Lifetime: the pool outlives the resolver.
class SystemResolver final : public Resolver {
public:
    explicit SystemResolver(async::BlockingPool& pool) : pool_(pool) {}
    async::Task<std::vector<IpAddress>> resolve(std::string host, Deadline deadline) override;

private:
    async::BlockingPool& pool_;
};

}  // namespace postern::net
