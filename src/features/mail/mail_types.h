#pragma once

#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/private_threads/viewer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace postern::mail {

using private_threads::Viewer;

enum class MailServiceError {
    thread_not_found,
    message_not_found,
    integration_not_found,
    invalid_recipient,
    too_many_recipients,
    not_readable,
    held_gone,
    thread_changed,
    not_unknown,
    reply_address_not_possible,
    person_not_found,
    person_needed,
    thread_is_shared,
    last_of_thread,
};

constexpr ErrorInfo describe(MailServiceError error) {
    switch (error) {
        case MailServiceError::thread_not_found: return {"not_found", "There is no such thread."};
        case MailServiceError::message_not_found: return {"not_found", "There is no such message."};
        case MailServiceError::integration_not_found:
            return {"not_found", "There is no such integration."};
        case MailServiceError::invalid_recipient:
            return {"invalid_recipient", "A recipient's address is not valid."};
        case MailServiceError::too_many_recipients:
            return {"too_many_recipients", "A mail goes to at most 50 people."};
        case MailServiceError::not_readable:
            return {"not_readable", "This was erased or cannot be opened."};
        case MailServiceError::held_gone:
            return {"held_gone", "The mail is no longer in the mailbox."};
        case MailServiceError::thread_changed:
            return {"thread_changed", "The thread has changed meanwhile. Please try again."};
        case MailServiceError::not_unknown:
            return {"message_not_unknown", "What became of this message is known."};
        case MailServiceError::reply_address_not_possible:
            return {"reply_address_not_possible",
                    "This mailbox can have no reply addresses: its address holds a + or is too "
                    "long, no replies are read, or its server's search does not work."};
        case MailServiceError::person_not_found: return {"not_found", "There is no such person."};
        case MailServiceError::person_needed:
            return {"forbidden", "This is for a person, or for a token that a person made."};
        case MailServiceError::thread_is_shared:
            return {"thread_is_shared",
                    "Everybody who reads mail here sees this thread. That cannot be taken back."};
        case MailServiceError::last_of_thread:
            return {"last_of_thread",
                    "Somebody who may write in a private thread has to stay in it: share it "
                    "instead."};
    }
    return {"not_found", "There is no such thread."};
}

/// Of one mail, and of a thread: a reply goes to all of its people.
inline constexpr std::size_t k_people_max = 50;

enum class Direction : std::uint8_t { out, in };
enum class MessageState : std::uint8_t { queued, sending, sent, failed, unknown, received };
[[nodiscard]] std::string_view name_of(MessageState state);

/// A message as it is stored: sealed under a key that its people's subject keys wrap.
struct MessageBody {
    static constexpr std::uint8_t k_version = 1;
    std::string subject;
    std::vector<MailAddress> from;
    std::vector<MailAddress> to;
    std::vector<MailAddress> cc;
    UnixMs date_ms = 0;
    std::string text;
    std::string new_text;  ///< without quoted history; equal to text for our own
    std::string html;
    std::vector<AttachmentInfo> attachments;
    std::string message_id;               ///< without angle brackets
    std::vector<std::string> references;  ///< of our own mails
    std::vector<std::string> defects;
    auto wire() {
        return std::tie(subject, from, to, cc, date_ms, text, new_text, html, attachments,
                        message_id, references, defects);
    }
};

/// What a mail system told of one recipient, as it is stored: sealed for that recipient.
struct BounceDetail {
    static constexpr std::uint8_t k_version = 1;
    MailAddress recipient;
    std::string diagnostic;  ///< the mail system's words, cleaned and bounded
    auto wire() { return std::tie(recipient, diagnostic); }
};
enum class BounceAction : std::uint8_t { failed, delayed };
[[nodiscard]] std::string_view name_of(BounceAction action);

/// That a mail of ours did not reach one of its recipients, or not yet.
struct BounceView {
    BounceAction action = BounceAction::failed;
    std::string status;  ///< RFC 3463: "5.1.1"
    BounceDetail detail;
    UnixMs at_ms = 0;
};

[[nodiscard]] std::string_view name_of(AuthorKind kind);

struct MessageView {
    MessageId id;
    ThreadId thread;
    Direction direction = Direction::out;
    MessageState state = MessageState::queued;
    std::string failure_code;                     ///< empty: none
    bool readable = true;                         ///< false: erased
    AuthorKind author_kind = AuthorKind::person;  ///< of theirs
    std::vector<BounceView> bounces;              ///< of ours, at most one per recipient
    MessageBody body;
    UnixMs created_at_ms = 0;
};

/// What is known of a message without opening it.
struct MessageOutline {
    MessageId id;
    ThreadId thread;
    Direction direction = Direction::out;
    MessageState state = MessageState::queued;
    std::string failure_code;                     ///< empty: none
    AuthorKind author_kind = AuthorKind::person;  ///< of theirs
    bool bounced = false;                         ///< of ours: it did not reach one of its people
    UnixMs created_at_ms = 0;
};

struct ThreadView {
    ThreadId id;
    IntegrationId integration;
    std::string subject;
    std::vector<CreatorId> creators;
    /// Who sees it; nothing: everybody who reads mail in the workspace.
    std::optional<std::vector<PersonId>> private_to;
    std::vector<MessageView> messages;  ///< oldest first; empty in listings
    UnixMs created_at_ms = 0;
    UnixMs updated_at_ms = 0;
};

/// A mail that waits for a person: nothing but its sender and date was read.
struct HeldView {
    MessageId id;
    ThreadId thread;
    IntegrationId integration;
    /// not_a_participant, new_recipient, authentication_failed, thread_index_only
    std::string reason;
    MailAddress sender;
    UnixMs created_at_ms = 0;
    bool more = false;  ///< its thread has older ones, which only the thread's own list shows
};
struct HeldQuery {
    MessageId before;  ///< null: from the newest; older ones follow
    std::int64_t limit = 50;
    std::optional<ThreadId> thread;  ///< nothing: the newest few of every thread
};

/// Whether mail to a mailbox's plus addresses arrives, as far as a mail to one has shown.
enum class ReplyAddressState : std::uint8_t {
    not_possible,
    not_tried,
    waiting,
    arrives,
    did_not_arrive,
};

/// How replies are found in a mailbox.
struct SearchState {
    bool reads_replies = true;
    bool by_headers = false;  ///< its server's search does not find our mails
    UnixMs probed_at_ms = 0;  ///< 0: never
    std::string authserv_id;  ///< whose Authentication-Results count; empty: nobody's yet
    ReplyAddressState reply_address = ReplyAddressState::not_possible;
};

/// One line of the read ledger: what was asked of a mailbox, and why.
struct LedgerLine {
    std::int64_t number = 0;
    UnixMs at_ms = 0;
    std::string command;  ///< sign_in, search, fetch_thread_fields, fetch_body, probe, look_in_sent
    std::int64_t first_uid = 0;
    std::int64_t next_uid = 0;
    std::int64_t bytes = 0;
    std::string reason;
};

}  // namespace postern::mail
