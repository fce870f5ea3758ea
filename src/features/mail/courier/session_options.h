#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace postern::mail::courier {

/// The largest mail that courier moves in either direction.
inline constexpr std::uint64_t k_mail_bytes_max = 64ULL << 20U;

/// How long a server may take. A stall is the time without one byte of IMAP, or for one whole
/// reply of SMTP.
struct SessionOptions {
    std::chrono::milliseconds connect{20'000};
    std::chrono::milliseconds stall{60'000};
    std::chrono::milliseconds command{10 * 60'000};
    /// RFC 5321 section 4.5.3.2.6: a shorter one makes copies of mails that were taken.
    std::chrono::milliseconds final_dot{10 * 60'000};
    /// How often a server without IDLE is asked about the open folder.
    std::chrono::milliseconds noop_interval{15'000};
    /// Of answers to one IMAP command: the largest mail and what servers say unasked beside it.
    std::uint64_t command_bytes_max = k_mail_bytes_max + (16U << 20U);
    /// Unasked while idle, until something is looked at.
    std::uint64_t idle_bytes_max = 1U << 20U;
    /// What SMTP servers are told that we are called; they show it to recipients.
    std::string ehlo_name = "localhost";
};

}  // namespace postern::mail::courier
