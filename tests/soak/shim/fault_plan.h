#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

/// What the sweep and the processes that it breaks share: one page, mapped by all of them. The
/// layout is read by tests/soak/plan.py, which has the same numbers.
namespace postern::soak {

/// A process that the shim does not know (a helper of the supervisor) is `other`.
enum class Role : std::uint32_t { supervisor, front, keeper, courier, reader, other };
inline constexpr std::size_t k_roles = 6;

enum class Fault : std::uint32_t {
    none,
    kill,  ///< the process dies before the call
    cut,   ///< half of the write is made, then every process dies (the sweep kills them)
    eio,   ///< this one call fails with EIO
    full,  ///< from here on the disk takes nothing more, whoever writes; what is freed is room
    short_write,  ///< the first write from here on writes half, and says so
    drop          ///< no fault of a disk we stand: the first write from here on is not made, though
                  ///< it is said to be. The control: what the sweep must find
};

/// Kinds of storage calls. `read` fails with EIO only and has a count of its own.
enum class Call : std::uint8_t {
    none,
    open,
    make,
    write,
    sync,
    resize,
    allocate,
    rename,
    link,  ///< hard or symbolic
    unlink,
    mkdir,
    own,
    read
};

inline constexpr std::size_t k_trace_calls = 8192;
inline constexpr std::size_t k_name_bytes = 64;
inline constexpr std::size_t k_place_bytes = 256;

struct RoleCalls {
    std::atomic<std::uint32_t> changes;
    std::atomic<std::uint32_t> reads;
    std::atomic<std::uint32_t> chosen;  ///< changes of the kinds that the plan is about
    std::uint32_t unused;
    std::array<std::atomic<Call>, k_trace_calls> trace;  ///< kinds of the first changes
};

struct Plan {
    std::uint32_t size;                ///< of this structure: both sides mean the same
    std::atomic<std::uint32_t> armed;  ///< nothing is counted or broken while 0
    std::uint32_t role;
    Fault fault;
    std::uint32_t at;                       ///< the number of the call, from 1
    std::uint32_t reads;                    ///< `at` counts reads instead of changes
    std::uint32_t kinds;                    ///< `at` counts these changes alone: a bit of each Call
    std::array<char, k_place_bytes> place;  ///< the data directory: other files are left alone
    std::uint64_t device;                   ///< and its file system
    std::atomic<std::uint32_t> fired;
    Call fired_call;
    std::array<char, k_name_bytes> fired_name;  ///< of the file that the call was for
    std::atomic<std::uint32_t> full;
    std::atomic<std::int64_t> room_bytes;
    std::array<RoleCalls, k_roles> roles;
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

}  // namespace postern::soak
