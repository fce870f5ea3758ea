#pragma once

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

/// Between front and courier. Courier speaks IMAP and SMTP with a credential that it gets from
/// keeper for a ticket; front keeps cursors, the read ledger and the send queue.
namespace postern::mail {

struct Check {
    std::string name;  ///< imap_connect, imap_sign_in, imap_folders, smtp_connect, smtp_sign_in
    bool good = false;
    std::string code;  ///< of the MailError where not good
    std::string text;  ///< for people; never the server's own words
    std::string seen;  ///< TLS version and the like; sanitised, at most 200 bytes
    auto wire() { return std::tie(name, good, code, text, seen); }
};
/// Connects to both servers, checks certificates and signs in; sends and reads no mail.
struct VerifyMailbox {
    static constexpr std::uint16_t k_method = 100;
    struct Answer {
        std::vector<Check> checks;
        auto wire() { return std::tie(checks); }
    };
    using Failure = MailError;
    Bytes ticket;
    auto wire() { return std::tie(ticket); }
};

enum class SendStage : std::uint8_t {
    connect,
    greeting,
    ehlo,
    starttls,
    auth,
    mail_from,
    rcpt_to,
    data,
    body,
    final_dot,
    done
};
enum class SendResult : std::uint8_t {
    sent,     ///< the server took responsibility
    refused,  ///< 5xx, or a 4xx that `transient` tells: not delivered
    broken,   ///< ended before the final dot: not delivered
    unknown,  ///< ended after the final dot without an answer
};
struct RefusedRecipient {
    std::string address;
    std::uint16_t code = 0;
    auto wire() { return std::tie(address, code); }
};
/// How long a submission may take until it asks for its final dot, and in all: nothing of it is
/// under way any more when front gives it up.
inline constexpr std::chrono::minutes k_until_dot_max{15};
inline constexpr std::chrono::minutes k_send_max{30};
/// Submits one mail. Before the final dot courier calls BeforeFinalDot and waits. A mail that is
/// being submitted already is refused.
struct SendMail {
    static constexpr std::uint16_t k_method = 101;
    struct Answer {
        SendResult result = SendResult::broken;
        SendStage stage = SendStage::connect;
        bool transient = false;
        std::uint16_t code = 0;  ///< SMTP reply code, 0: none
        std::string enhanced;    ///< "5.1.1"
        std::string error_code;  ///< of the MailError where no reply decided
        std::string text;        ///< the server's words, sanitised, at most 500 bytes
        std::vector<RefusedRecipient> refused;
        std::string
            given_id;  ///< the Message-ID that the server says it gave the mail; empty: none
        auto wire() {
            return std::tie(result, stage, transient, code, enhanced, error_code, text, refused,
                            given_id);
        }
    };
    using Failure = MailError;
    Bytes ticket;
    MessageId message;
    std::int64_t attempt = 0;  ///< with the message, names the submission in BeforeFinalDot
    std::string from;          ///< envelope addresses
    std::vector<std::string> recipients;
    os::Fd raw;  ///< sealed memory file: the mail with CRLF line ends
    auto wire() { return std::tie(ticket, message, attempt, from, recipients, raw); }
};
/// Submits a mail of the server's own, at the mail server that its operator named. Without a point
/// of no return: one whose outcome is unknown may go twice. Errors: not_found where none is named.
struct SendOwnMail {
    static constexpr std::uint16_t k_method = 111;
    using Answer = SendMail::Answer;
    using Failure = MailError;
    std::string to;  ///< envelope address
    os::Fd raw;      ///< sealed memory file: the mail with CRLF line ends
    auto wire() { return std::tie(to, raw); }
};
/// Courier to front: everything is handed over but the final dot. Front makes its point of no
/// return durable and answers; anything but a good answer ends the send without the dot.
struct BeforeFinalDot {
    static constexpr std::uint16_t k_method = 120;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    MessageId message;
    std::int64_t attempt = 0;
    auto wire() { return std::tie(message, attempt); }
};

/// Looks for our own mail in the Sent folder and adds it where it is not there.
struct SaveSent {
    static constexpr std::uint16_t k_method = 102;
    struct Answer {
        bool was_there = false;
        bool added = false;  ///< neither: the mailbox has no Sent folder
        std::uint64_t bytes = 0;
        std::string given_id;  ///< of the copy, where the server wrote another Message-ID into it
        auto wire() { return std::tie(was_there, added, bytes, given_id); }
    };
    using Failure = MailError;
    Bytes ticket;
    std::string message_id;  ///< without angle brackets
    os::Fd raw;              ///< not valid: only look, by the id alone
    bool look_only = false;
    auto wire() { return std::tie(ticket, message_id, raw, look_only); }
};

enum class SearchProbe : std::uint8_t {
    nothing_to_search,  ///< there is no Sent folder
    works,
    fails,
};
/// Tries whether the server's search finds our own mail in Sent, nothing but ours, and nothing for
/// a label that no mail has.
struct ProbeSearch {
    static constexpr std::uint16_t k_method = 108;
    struct Answer {
        SearchProbe result = SearchProbe::nothing_to_search;
        std::uint64_t bytes = 0;
        auto wire() { return std::tie(result, bytes); }
    };
    using Failure = MailError;
    Bytes ticket;
    std::string search_label;
    std::string other_label;  ///< random, of the same form
    std::string root_id;      ///< of the thread of a mail that lies in Sent, without brackets
    std::vector<std::string> learned_ids;
    auto wire() { return std::tie(ticket, search_label, other_label, root_id, learned_ids); }
};

struct FolderCursor {
    std::string folder;              ///< as the server names it, decoded to UTF-8
    std::uint32_t uid_validity = 0;  ///< 0: never seen; its present end becomes the floor
    std::uint32_t next_uid = 0;      ///< everything below was looked at, or lies below the floor
    auto wire() { return std::tie(folder, uid_validity, next_uid); }
};
/// Signs in and watches INBOX, Junk, Archive and All until StopWatch, the ticket's end, EndUses or
/// a failure (WatchEnded). Answers when signed in and every folder has a cursor.
struct Watch {
    static constexpr std::uint16_t k_method = 103;
    struct Answer {
        std::vector<FolderCursor> cursors;
        std::uint64_t bytes = 0;  ///< received from the server so far, sign-in included
        auto wire() { return std::tie(cursors, bytes); }
    };
    using Failure = MailError;
    Bytes ticket;
    IntegrationId integration;
    std::string search_label;  ///< "@{box}.ptn.{domain}": what the ids of our mails end in
    std::vector<FolderCursor> cursors;
    std::vector<std::string> learned_ids;  ///< what servers gave our mails instead, newest last
    bool by_headers = false;               ///< the server's search does not find our mails
    std::int64_t seen_at_ms = 0;           ///< answers may have come since; 0: from now on
    bool by_address = false;               ///< as after WatchAddresses
    auto wire() {
        return std::tie(ticket, integration, search_label, cursors, learned_ids, by_headers,
                        seen_at_ms, by_address);
    }
};
/// For the watch that runs, if one does.
struct SetWatch {
    static constexpr std::uint16_t k_method = 109;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    IntegrationId integration;
    std::vector<std::string> learned_ids;  ///< further ones
    bool by_headers = false;
    auto wire() { return std::tie(integration, learned_ids, by_headers); }
};
/// For the watch that runs, if one does: from the next search on, mail to the mailbox's reply
/// addresses is looked for, too, where the server searches.
struct WatchAddresses {
    static constexpr std::uint16_t k_method = 110;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    IntegrationId integration;
    auto wire() { return std::tie(integration); }
};
struct StopWatch {
    static constexpr std::uint16_t k_method = 104;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    IntegrationId integration;
    auto wire() { return std::tie(integration); }
};
/// Looks at every folder now. Answers when all FolderSearched that it causes are answered.
struct SearchNow {
    static constexpr std::uint16_t k_method = 105;
    struct Answer {
        std::uint64_t searched = 0;  ///< uids covered by the searches
        std::uint64_t candidates = 0;
        auto wire() { return std::tie(searched, candidates); }
    };
    using Failure = MailError;
    IntegrationId integration;
    auto wire() { return std::tie(integration); }
};
/// The whole mail, only of a candidate that front has verified.
struct FetchMail {
    static constexpr std::uint16_t k_method = 106;
    struct Answer {
        os::Fd raw;  ///< sealed memory file
        std::uint64_t bytes = 0;
        auto wire() { return std::tie(raw, bytes); }
    };
    using Failure = MailError;
    IntegrationId integration;
    std::string folder;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    std::uint64_t bytes_max = 0;
    bool is_bounce = false;  ///< of one of ours; else an answer to one
    auto wire() { return std::tie(integration, folder, uid_validity, uid, bytes_max, is_bounce); }
};

/// How a mail server can be reached, as DNS tells it (RFC 6186, RFC 8314).
enum class ServerKind : std::uint8_t { imaps = 1, imap, submissions, submission };
struct FoundServer {
    ServerKind kind = ServerKind::imaps;
    MailHost host;
    bool declined = false;    ///< said not to be offered; `host` is empty
    bool is_private = false;  ///< at an address that the egress policy refuses
    auto wire() { return std::tie(kind, host, declined, is_private); }
};
/// What DNS says of a domain's mail servers. Nothing but the domain is asked with; nothing is
/// connected to.
struct DiscoverServers {
    static constexpr std::uint16_t k_method = 107;
    struct Answer {
        std::vector<FoundServer> servers;  ///< at most one of a kind, the preferred one
        std::vector<std::string> mx;       ///< lower case, the preferred one first
        bool is_complete = true;           ///< else some questions had no answer
        auto wire() { return std::tie(servers, mx, is_complete); }
    };
    using Failure = MailError;
    std::string domain;
    auto wire() { return std::tie(domain); }
};

struct MailAddress {
    std::string name;
    std::string address;  ///< local part as it is, domain in lower case
    auto wire() { return std::tie(name, address); }
};
/// Who made a mail: somebody; a program in somebody's name; a program.
enum class AuthorKind : std::uint8_t { person, auto_reply, machine };
/// `none`: it is not spoken of; `undecided`: it was looked at, and neither passed nor failed.
enum class AuthResult : std::uint8_t { none, pass, fail, undecided };
/// One Authentication-Results field.
struct Authentication {
    std::string server;  ///< who says it, in lower case; empty: it does not say so
    AuthResult dmarc = AuthResult::none;
    AuthResult dkim = AuthResult::none;
    AuthResult spf = AuthResult::none;
    auto wire() { return std::tie(server, dmarc, dkim, spf); }
};
/// What verification may see of a mail whose headers hit the search; parsed in courier, bounded.
struct Candidate {
    std::uint32_t uid = 0;
    std::string message_id;            ///< without brackets, empty: none
    std::vector<std::string> our_ids;  ///< exact msg-id tokens of In-Reply-To and References that
                                       ///< end in our label or were learnt, in this order; of a
                                       ///< bounce the Message-ID of the mail that it is about
    Bytes hinted_thread;  ///< its token as a Thread-Index names it, 16 bytes; empty: none
    std::vector<MailAddress> from;
    std::vector<MailAddress> recipients;  ///< To and Cc
    AuthorKind author_kind = AuthorKind::person;
    bool is_bounce = false;
    bool has_sender = false;  ///< its Return-Path names somebody: no mail system reports so
    std::vector<Authentication> authentication;  ///< topmost first, at most 8
    auto wire() {
        return std::tie(uid, message_id, our_ids, hinted_thread, from, recipients, author_kind,
                        is_bounce, has_sender, authentication);
    }
};
/// Courier to front: uids from `first` up to `next - 1` were searched. Front verifies, fetches what
/// it admits (FetchMail, on the same watch, before it answers) and moves its cursor to `next`.
struct FolderSearched {
    static constexpr std::uint16_t k_method = 121;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    IntegrationId integration;
    std::string folder;
    std::uint32_t uid_validity = 0;
    bool validity_changed = false;  ///< old cursor void: all is searched anew
    std::uint32_t first = 0;
    std::uint32_t next = 0;
    std::uint64_t bytes = 0;  ///< received for this search and its header fetches
    bool by_headers = false;  ///< In-Reply-To and References of every mail were fetched and wiped
    std::vector<Candidate> candidates;
    auto wire() {
        return std::tie(integration, folder, uid_validity, validity_changed, first, next, bytes,
                        by_headers, candidates);
    }
};
/// Courier to front: the watch is over. `code` is that of a MailError; refused sign-ins are not
/// tried again by themselves.
struct WatchEnded {
    static constexpr std::uint16_t k_method = 122;
    using Answer = ipc::Nothing;
    using Failure = MailError;
    IntegrationId integration;
    MailError reason = MailError::connection_lost;
    auto wire() { return std::tie(integration, reason); }
};

/// A number that two of them had would reach the wrong one.
template <typename... Method>
consteval bool have_own_numbers() {
    std::array<std::uint16_t, sizeof...(Method)> numbers{Method::k_method...};
    std::ranges::sort(numbers);
    return std::ranges::adjacent_find(numbers) == numbers.end();
}
static_assert(have_own_numbers<VerifyMailbox,
                               SendMail,
                               BeforeFinalDot,
                               SaveSent,
                               ProbeSearch,
                               Watch,
                               SetWatch,
                               WatchAddresses,
                               StopWatch,
                               SearchNow,
                               FetchMail,
                               DiscoverServers,
                               FolderSearched,
                               WatchEnded>());

}  // namespace postern::mail
