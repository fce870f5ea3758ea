#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/clock.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

/// Between front and a reader: one reader serves one workspace's batch and ends with it.
namespace postern::mail {

struct AttachmentInfo {
    std::string name;
    std::string type;
    std::uint64_t bytes = 0;
    std::string content_id;
    bool is_inline = false;
    auto wire() { return std::tie(name, type, bytes, content_id, is_inline); }
};
/// What a mail says, made safe: valid UTF-8, bounded, HTML reduced to a small subset.
struct ReadMail {
    std::string subject;
    std::vector<MailAddress> from;
    std::vector<MailAddress> to;
    std::vector<MailAddress> cc;
    std::optional<UnixMs> date_ms;
    std::string text;      ///< the whole text
    std::string new_text;  ///< without quoted history
    std::string html;      ///< sanitised; empty: none
    std::vector<AttachmentInfo> attachments;
    std::vector<std::string> defects;  ///< stable codes
    auto wire() {
        return std::tie(subject, from, to, cc, date_ms, text, new_text, html, attachments, defects);
    }
};
struct ParseMail {
    static constexpr std::uint16_t k_method = 140;
    using Answer = ReadMail;
    using Failure = MailError;
    os::Fd raw;  ///< sealed memory file
    auto wire() { return std::tie(raw); }
};
struct ExtractAttachment {
    static constexpr std::uint16_t k_method = 141;
    struct Answer {
        AttachmentInfo info;
        os::Fd content;  ///< sealed memory file
        auto wire() { return std::tie(info, content); }
    };
    using Failure = MailError;
    os::Fd raw;
    std::uint32_t index = 0;
    auto wire() { return std::tie(raw, index); }
};

}  // namespace postern::mail
