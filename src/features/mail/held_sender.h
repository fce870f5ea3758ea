#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace postern::mail {

/// What is kept, sealed, of a mail that is held: who wrote it to whom, and where it lies. Of the
/// candidate, which another version may tell more of, these fields alone.
struct HeldSender {
    static constexpr std::uint8_t k_version = 4;
    Candidate candidate;
    std::string folder;
    auto wire() {
        auto& c = candidate;
        return std::tie(c.uid, c.message_id, c.our_ids, c.hinted_thread, c.from, c.recipients,
                        c.author_kind, folder);
    }
};

/// Before a Thread-Index was looked at.
struct HeldSenderV3 {
    static constexpr std::uint8_t k_version = 3;
    std::uint32_t uid = 0;
    std::string message_id;
    std::vector<std::string> our_ids;
    std::vector<MailAddress> from;
    std::vector<MailAddress> recipients;
    AuthorKind author_kind = AuthorKind::person;
    std::string folder;
    auto wire() {
        return std::tie(uid, message_id, our_ids, from, recipients, author_kind, folder);
    }
};

/// With what the servers it passed had found.
struct HeldSenderV2 {
    static constexpr std::uint8_t k_version = 2;
    struct Result {
        std::string server;
        bool failed = false;
        auto wire() { return std::tie(server, failed); }
    };
    std::uint32_t uid = 0;
    std::string message_id;
    std::vector<std::string> our_ids;
    std::vector<MailAddress> from;
    std::vector<MailAddress> recipients;
    AuthorKind author_kind = AuthorKind::person;
    bool is_bounce = false;
    std::vector<Result> results;
    std::string folder;
    auto wire() {
        return std::tie(uid, message_id, our_ids, from, recipients, author_kind, is_bounce, results,
                        folder);
    }
};

/// As it was stored before mails were told apart by what made them.
struct HeldSenderV1 {
    static constexpr std::uint8_t k_version = 1;
    std::uint32_t uid = 0;
    std::string message_id;
    std::vector<std::string> our_ids;
    std::vector<MailAddress> from;
    std::vector<MailAddress> recipients;
    std::string auto_submitted;
    bool is_list = false;
    std::string folder;
    auto wire() {
        return std::tie(uid, message_id, our_ids, from, recipients, auto_submitted, is_list,
                        folder);
    }
};

/// Of any version. Errors: cannot_open.
[[nodiscard]] Result<HeldSender> decode_held_sender(ByteView record);

}  // namespace postern::mail
