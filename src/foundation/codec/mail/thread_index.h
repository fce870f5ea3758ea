#pragma once

#include "foundation/codec/mail/our_message_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::codec {

/// The Thread-Index of one mailbox's mails: what Outlook and Exchange copy into an answer, and add
/// to, also where the ids are lost on the way ([MS-OXOMSG] 2.2.1.3, PidTagConversationIndex). Its
/// 22 bytes are a time (in the layout of desktop Outlook), here the same in all mails of a mailbox,
/// and the thread's 16 bytes. It has no MAC: it is a hint, on which nothing is taken in.
class ThreadIndexForm {
public:
    using Thread = std::array<std::uint8_t, 16>;
    static constexpr std::size_t k_header_bytes = 22;
    static constexpr std::size_t k_child_bytes = 5;
    /// Of some 600 steps; a longer one is none of ours.
    static constexpr std::size_t k_text_bytes_max = 4096;

    explicit ThreadIndexForm(const IdLabel& label);

    /// What each of them begins with, and a mailbox is searched for: 8 characters.
    [[nodiscard]] const std::string& needle() const noexcept { return needle_; }
    [[nodiscard]] std::string text(const Thread& thread) const;
    /// Of one of ours, with what was added to it; folded or not.
    [[nodiscard]] std::optional<Thread> thread_of(std::string_view value) const;

private:
    static constexpr std::size_t k_time_bytes = 6;
    std::array<std::uint8_t, k_time_bytes> time_{};
    std::string needle_;
};

}  // namespace postern::codec
