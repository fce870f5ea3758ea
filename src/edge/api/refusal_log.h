#pragma once

#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace postern::api {

/// Lines in the log about what the gate refused somebody who is signed in: who by id, what by route
/// and permission, why by code. Nothing of what they sent. So many lines for each person or token
/// in a minute; the others are counted, and told as a number when the minute is over.
///
/// Executor: front's thread.
class RefusalLog {
public:
    static constexpr std::uint32_t k_lines_max = 5;
    static constexpr UnixMs k_minute_ms = 60'000;
    /// People and tokens in one minute; those beyond are counted together.
    static constexpr std::size_t k_actors_max = 500;

    /// `method` and `pattern` are the route's own.
    void note(const identity::Actor& actor,
              identity::Permission permission,
              const std::string& method,
              const std::string& pattern,
              const Error& error,
              UnixMs now_ms);
    /// Tells what was counted in minutes that are over. Costs nothing where none is.
    void settle(UnixMs now_ms);

private:
    struct Minute {
        UnixMs began_ms = 0;
        std::uint32_t lines = 0;
        std::uint64_t counted = 0;
    };
    std::map<std::string, Minute> minutes_;  ///< by id
    UnixMs looked_at_ms_ = 0;
};

}  // namespace postern::api
