#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace postern::mail::courier {

/// How long a server may take. A stall is the time without one byte.
struct SessionOptions {
    std::chrono::milliseconds connect{20'000};
    std::chrono::milliseconds stall{60'000};
    std::chrono::milliseconds command{10 * 60'000};
    /// RFC 5321 section 4.5.3.2.6: a shorter one makes copies of mails that were taken.
    std::chrono::milliseconds final_dot{10 * 60'000};
    /// How often a server without IDLE is asked about the open folder.
    std::chrono::milliseconds noop_interval{15'000};
    /// What SMTP servers are told that we are called; they show it to recipients.
    std::string ehlo_name = "localhost";
};

/// The largest mail that courier moves in either direction.
inline constexpr std::uint64_t k_mail_bytes_max = 64ULL << 20U;

}  // namespace postern::mail::courier
