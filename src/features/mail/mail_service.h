#pragma once

#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "platform/audit/record.h"
#include "platform/os/fd.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// A mail that somebody asks to be sent.
struct NewMail {
    std::vector<MailAddress> to;  ///< 1 to 50
    std::string subject;
    std::string text;
    std::string html;  ///< empty: none
    std::string basis;
    /// Of a new thread: whom alone it is for at first; nothing: for everybody who reads mail.
    std::optional<PersonId> private_to;
    /// Of the thread (start_thread) or message (add_message) that is made; nothing: a fresh one.
    std::optional<std::array<std::uint8_t, 16>> id;
    audit::By by{};
};

struct SyncResult {
    std::uint64_t searched = 0;
    std::uint64_t matched = 0;
    std::uint64_t kept = 0;
    std::uint64_t held = 0;
    std::uint64_t refused = 0;
};

/// A raw mail or an attachment on its way to the caller.
struct Download {
    std::string name;
    std::string type;
    os::Fd content;  ///< sealed memory file
};

/// The outreach history and what adds to it: what the API asks of the mail feature. `handle` names
/// the session that reads, for keeper's ceilings; `by` is who acts, for the audit record, without
/// which nothing changes. `viewer` is who looks, and in which workspace: what is private to others
/// is not there for them.
///
/// Executor: front's thread.
class MailService {
public:
    virtual ~MailService() = default;

    /// Queues the first mail of a new thread. Errors: MailServiceError, integration_cut_off.
    virtual async::Task<ThreadView> start_thread(Viewer viewer,
                                                 IntegrationId integration,
                                                 NewMail mail,
                                                 std::uint64_t handle) = 0;
    /// Queues a further mail to the thread's people (`to` empty) or to `to`.
    virtual async::Task<MessageView> add_message(Viewer viewer,
                                                 ThreadId thread,
                                                 NewMail mail,
                                                 std::uint64_t handle) = 0;
    virtual async::Task<ThreadView> thread(Viewer viewer, ThreadId id, std::uint64_t handle) = 0;
    /// Of a thread's messages, oldest first. Nothing is opened for it.
    virtual async::Task<std::vector<MessageOutline>> outlines(Viewer viewer, ThreadId id) = 0;
    struct ThreadQuery {
        ThreadId before;  ///< null: from the newest; older ones follow
        std::int64_t limit = 50;
        std::optional<CreatorId> creator;
        std::optional<IntegrationId> integration;
    };
    /// Newest first, without their messages.
    virtual async::Task<std::vector<ThreadView>> threads(Viewer viewer,
                                                         ThreadQuery query,
                                                         std::uint64_t handle) = 0;
    virtual async::Task<Download> raw(Viewer viewer, MessageId id, std::uint64_t handle) = 0;
    /// `index` counts from 0 in the order of the message's attachments.
    virtual async::Task<Download> attachment(Viewer viewer,
                                             MessageId id,
                                             std::uint32_t index,
                                             std::uint64_t handle) = 0;

    /// Newest first.
    virtual async::Task<std::vector<HeldView>> held(Viewer viewer, HeldQuery query) = 0;
    virtual async::Task<MessageView> accept_held(audit::By by,
                                                 Viewer viewer,
                                                 MessageId id,
                                                 std::uint64_t handle) = 0;
    /// A person knows what became of a mail whose delivery is unknown. Nothing is sent by that.
    /// `state`: sent or failed. Errors: not_found, message_not_unknown.
    virtual async::Task<MessageView> resolve(
        audit::By by, Viewer viewer, MessageId id, MessageState state, std::uint64_t handle) = 0;
    virtual async::Task<> refuse_held(audit::By by, Viewer viewer, MessageId id) = 0;

    /// Looks for replies now; one that only sends has none.
    /// Errors: integration_sealed, integration_cut_off, MailError.
    virtual async::Task<SyncResult> sync(audit::By by,
                                         WorkspaceId workspace,
                                         IntegrationId integration) = 0;
    virtual async::Task<SearchState> search_state(WorkspaceId workspace,
                                                  IntegrationId integration) = 0;
    /// Sends one mail from the mailbox to a reply address of its own, unless one is waited for.
    /// Errors: reply_address_not_possible, integration_sealed, integration_cut_off, MailError.
    virtual async::Task<> probe_reply_address(WorkspaceId workspace, IntegrationId integration) = 0;
    /// Newest first, at most `limit` with numbers below `before` (0: the newest).
    virtual async::Task<std::vector<LedgerLine>> read_ledger(WorkspaceId workspace,
                                                             IntegrationId integration,
                                                             std::int64_t before,
                                                             std::int64_t limit) = 0;
};

}  // namespace postern::mail
