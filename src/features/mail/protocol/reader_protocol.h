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
    bool answers_invitation = false;   ///< a calendar wrote it
    auto wire() {
        return std::tie(subject, from, to, cc, date_ms, text, new_text, html, attachments, defects,
                        answers_invitation);
    }
};
struct ParseMail {
    static constexpr std::uint16_t k_method = 140;
    using Answer = ReadMail;
    using Failure = MailError;
    os::Fd raw;  ///< sealed memory file
    auto wire() { return std::tie(raw); }
};
/// What a mail system tells of one recipient (RFC 3464 section 2.3), cleaned and bounded.
struct BouncedRecipient {
    std::string address;           ///< where it ended
    std::string original_address;  ///< as the sender named it; empty: not told
    std::string action;            ///< failed, delayed, delivered, relayed, expanded
    std::string status;            ///< RFC 3463: "5.1.1"
    std::string diagnostic;        ///< for people
    auto wire() { return std::tie(address, original_address, action, status, diagnostic); }
};
struct BounceReport {
    std::vector<std::string> original_ids;  ///< Message-IDs of the mail that it is about
    std::vector<BouncedRecipient> recipients;
    auto wire() { return std::tie(original_ids, recipients); }
};
/// Reads a delivery report, or the plain text that qmail writes.
struct ParseBounce {
    static constexpr std::uint16_t k_method = 142;
    using Answer = BounceReport;
    using Failure = MailError;
    os::Fd raw;
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
