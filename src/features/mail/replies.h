#pragma once

#include "features/mail/bounces.h"
#include "features/mail/issued_ids.h"
#include "features/mail/mail_service.h"
#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "features/mail/reply_addresses.h"
#include "foundation/codec/mail/reply_address.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// Why a candidate was not taken in.
enum class Verdict {
    admit,
    hold_stranger,
    hold_new_recipient,
    hold_unauthenticated,
    hold_hint,
    refuse
};

struct JudgedBy {
    std::vector<MailAddress> people;  ///< of the thread
    std::string own;                  ///< the mailbox's address
    std::string authserv;             ///< the organisation whose results count; empty: nobody's
    /// Of the mailbox, and the thread's own one; one of another thread is a new recipient.
    std::optional<codec::ReplyAddressForm> reply_addresses = std::nullopt;
    std::string reply_address = {};
};
/// What decides about a candidate, without any input or output.
[[nodiscard]] Verdict judge(const Candidate& candidate, const JudgedBy& by);

/// Takes replies in: verifies what courier found by its headers alone, asks for the bodies of those
/// that are admitted, stores them, and only then moves the cursor.
///
/// Executor: front's thread; one FolderSearched per mailbox at a time (courier waits for the
/// answer).
class Replies {
public:
    explicit Replies(Parts parts)
        : parts_(parts),
          vault_(parts.keeper),
          issued_(parts),
          bounces_(parts),
          reply_addresses_(parts) {}

    async::Task<> folder_searched(WorkspaceId workspace, FolderSearched searched);
    async::Task<std::vector<FolderCursor>> cursors(WorkspaceId workspace,
                                                   IntegrationId integration);
    /// Cursors of folders that are seen for the first time.
    async::Task<> store_cursors(WorkspaceId workspace,
                                IntegrationId integration,
                                std::vector<FolderCursor> cursors,
                                std::uint64_t bytes);
    async::Task<MessageView> accept_held(audit::By by, Viewer viewer, MessageId id);

    /// What happened to candidates of this mailbox since the server started.
    [[nodiscard]] SyncResult totals(IntegrationId integration) const;

private:
    /// A candidate that belongs to a thread of ours.
    struct Match {
        rows::ThreadRow thread;
        ThreadHead head;
        Mailbox mailbox;
        Bytes origin_mac;
        std::string reply_address;  ///< the thread's; empty: the mail goes to none
        bool by_hint = false;       ///< nothing but a Thread-Index names the thread
    };
    /// Where a mail lies.
    struct Location {
        IntegrationId integration;
        std::string folder;
        Bytes folder_mac;
        std::uint32_t uid_validity = 0;
    };

    /// What there is already of a mail: it, or that it is held.
    struct Known {
        std::optional<rows::StoredOrigin> message;
        std::optional<rows::HeldRow> held;
    };

    struct Fetched {
        std::optional<Bytes> raw;
        std::string defect;  ///< why there is none
    };

    async::Task<> take(Mailbox mailbox, Location location, Candidate candidate);
    async::Task<std::optional<Match>> match(const Mailbox* mailbox,
                                            const Location* location,
                                            const Candidate* candidate);
    /// The thread that the candidate answers: ids tell it, else where it goes.
    async::Task<std::optional<rows::ThreadRow>> thread_of(const Mailbox* mailbox,
                                                          const Candidate* candidate);
    async::Task<std::optional<rows::ThreadRow>> hinted_thread(const Mailbox* mailbox,
                                                              const Candidate* candidate);
    async::Task<> take_bounce(Mailbox mailbox, Location location, Candidate candidate);
    async::Task<Verdict> verdict_on(const Mailbox* mailbox,
                                    const Match* match,
                                    const Candidate* candidate);
    async::Task<rows::ProbeRow> probe_of(const Mailbox* mailbox);
    async::Task<std::string> authserv_of(const Mailbox* mailbox, const Candidate* candidate);
    async::Task<Known> known(WorkspaceId workspace, ThreadId thread, Bytes origin_mac);
    async::Task<> take_known(Match match, Location location, Candidate candidate, Known known);
    async::Task<bool> lacks_content(WorkspaceId workspace, rows::MessageRow message);
    async::Task<> fill(Match match, Location location, Candidate candidate, MessageId id);
    async::Task<bool> is_by_authors_of(WorkspaceId workspace,
                                       rows::HeldRow held,
                                       const Candidate* candidate);
    async::Task<> move_held(Match match,
                            Location location,
                            Candidate candidate,
                            rows::HeldRow held);
    async::Task<Bytes> seal_sender(const Match* match,
                                   const Location* location,
                                   const Candidate* candidate,
                                   MessageId id);
    async::Task<> hold(Match match, Location location, Candidate candidate, std::string reason);
    async::Task<MessageView> try_accept(audit::By by, Viewer viewer, MessageId id);
    /// A held mail that a person lets in.
    struct Accepted {
        MessageId id;
        audit::By by;
        Viewer viewer;
    };
    async::Task<MessageView> admit(Match match,
                                   Location location,
                                   Candidate candidate,
                                   std::optional<Accepted> held);
    async::Task<Fetched> fetch(Location location, std::uint32_t uid, bool was_held);
    async::Task<MessageBody> read_body(WorkspaceId workspace,
                                       Candidate* candidate,
                                       const Fetched* fetched);
    async::Task<rows::NewMessage> seal(const Match* match,
                                       const Candidate* candidate,
                                       MessageId id,
                                       MessageBody body,
                                       std::optional<Bytes> raw);
    /// Nothing when nobody joins.
    async::Task<std::optional<rows::NewHead>> join(const Match* match, const Candidate* candidate);
    /// A mail that is taken in, and what is true from then on.
    struct Admission {
        rows::NewMessage message;
        IntegrationId integration;
        rows::LedgerEntry entry;
        std::optional<Accepted> held;  ///< no longer
        std::optional<rows::NewHead> head;
    };
    async::Task<> store(Admission admission);
    async::Task<Bytes> folder_mac(WorkspaceId workspace, std::string folder);
    async::Task<std::string> open_folder(WorkspaceId workspace,
                                         IntegrationId integration,
                                         rows::CursorRow row);
    async::Task<Bytes> seal_folder(WorkspaceId workspace,
                                   IntegrationId integration,
                                   Bytes mac,
                                   std::string folder);
    async::Task<std::vector<CreatorId>> people_of(WorkspaceId workspace,
                                                  std::vector<MailAddress> people);

    Parts parts_;
    MessageVault vault_;
    IssuedIds issued_;
    Bounces bounces_;
    ReplyAddresses reply_addresses_;
    std::map<IntegrationId, SyncResult> totals_;
};

}  // namespace postern::mail
