#pragma once

#include "features/mail/compose.h"
#include "features/mail/issued_ids.h"
#include "features/mail/mail_service.h"
#include "features/mail/parts.h"
#include "features/mail/probes.h"
#include "features/mail/replies.h"
#include "features/mail/reply_addresses.h"
#include "features/mail/reply_probes.h"
#include "features/mail/sender.h"
#include "features/mail/watches.h"

#include <string>
#include <utility>
#include <vector>

namespace postern::mail {

/// The mail feature as one: threads and messages, with sender, replies and watches behind them.
///
/// Executor: front's thread. Lifetime: outlives every job of parts.jobs.
class MailRoom final : public MailService {
public:
    MailRoom(Parts parts, RetryPolicy retry);

    /// Takes up what a crash left, then sends and watches. After the stores are open.
    async::Task<> start();
    void mailbox_changed(WorkspaceId workspace, IntegrationId integration);

    /// What courier reports.
    async::Task<> before_final_dot(BeforeFinalDot asked) {
        return reply_probes_.is_sending(asked.message) ? reply_probes_.before_final_dot(asked)
                                                       : sender_.before_final_dot(asked);
    }
    async::Task<> folder_searched(FolderSearched searched);
    void watch_ended(IntegrationId integration, MailError reason);
    void courier_restarted() { watches_.courier_restarted(); }
    [[nodiscard]] std::size_t watch_count() const noexcept { return watches_.count(); }

    async::Task<ThreadView> start_thread(Viewer viewer,
                                         IntegrationId integration,
                                         NewMail mail,
                                         std::uint64_t handle) override;
    async::Task<MessageView> add_message(Viewer viewer,
                                         ThreadId thread,
                                         NewMail mail,
                                         std::uint64_t handle) override;
    async::Task<ThreadView> thread(Viewer viewer, ThreadId id, std::uint64_t handle) override;
    async::Task<std::vector<MessageOutline>> outlines(Viewer viewer, ThreadId id) override;
    async::Task<std::vector<ThreadView>> threads(Viewer viewer,
                                                 ThreadQuery query,
                                                 std::uint64_t handle) override;
    async::Task<Download> raw(Viewer viewer, MessageId id, std::uint64_t handle) override;
    async::Task<Download> attachment(Viewer viewer,
                                     MessageId id,
                                     std::uint32_t index,
                                     std::uint64_t handle) override;
    async::Task<std::vector<HeldView>> held(Viewer viewer, HeldQuery query) override;
    async::Task<MessageView> accept_held(audit::By by,
                                         Viewer viewer,
                                         MessageId id,
                                         std::uint64_t handle) override;
    async::Task<MessageView> resolve(audit::By by,
                                     Viewer viewer,
                                     MessageId id,
                                     MessageState state,
                                     std::uint64_t handle) override;
    async::Task<> refuse_held(audit::By by, Viewer viewer, MessageId id) override;
    async::Task<SyncResult> sync(audit::By by,
                                 WorkspaceId workspace,
                                 IntegrationId integration) override;
    async::Task<SearchState> search_state(WorkspaceId workspace,
                                          IntegrationId integration) override;
    async::Task<> probe_reply_address(WorkspaceId workspace, IntegrationId integration) override;
    async::Task<std::vector<LedgerLine>> read_ledger(WorkspaceId workspace,
                                                     IntegrationId integration,
                                                     std::int64_t before,
                                                     std::int64_t limit) override;

private:
    /// A mail of ours on its way into a thread.
    struct Outgoing {
        explicit Outgoing(Viewer who) : viewer(who) {}
        Viewer viewer;
        Mailbox mailbox;
        rows::ThreadRow thread;
        bool new_thread = false;
        ThreadHead head;
        std::vector<CreatorId> people;  ///< of the thread
        NewMail mail;
        std::string in_reply_to;
        std::vector<std::string> references;
    };

    /// Errors: thread_changed, where another mail took the thread's next number meanwhile.
    async::Task<MessageView> try_to_add(Viewer viewer,
                                        ThreadId thread,
                                        NewMail mail,
                                        std::uint64_t handle);
    async::Task<MessageView> queue(Outgoing outgoing);
    async::Task<Draft> draft(const Outgoing* outgoing, std::uint32_t number);
    async::Task<rows::NewMessage> seal(const Outgoing* outgoing,
                                       std::uint32_t number,
                                       MessageBody body,
                                       std::string raw);
    async::Task<> store(audit::By by,
                        Viewer viewer,
                        std::optional<rows::NewThread> thread,
                        rows::NewMessage message,
                        IntegrationId integration,
                        Bytes reply_tag_mac);
    async::Task<std::vector<CreatorId>> people_of(WorkspaceId workspace,
                                                  std::vector<MailAddress> people);
    async::Task<std::vector<MessageView>> open_messages(WorkspaceId workspace,
                                                        std::vector<rows::MessageRow> rows,
                                                        std::uint64_t handle);
    async::Task<std::vector<ThreadView>> open_threads(WorkspaceId workspace,
                                                      std::vector<rows::ThreadRow> rows,
                                                      std::uint64_t handle);
    async::Task<> add_bounces(WorkspaceId workspace,
                              std::vector<rows::BounceRow> bounces,
                              std::vector<MessageView>* messages,
                              std::uint64_t handle);
    async::Task<Bytes> open_raw_of(Viewer viewer, MessageId id, std::uint64_t handle);

    Parts parts_;
    MessageVault vault_;
    Sender sender_;
    Replies replies_;
    Watches watches_;
    Probes probes_;
    IssuedIds issued_;
    ReplyAddresses reply_addresses_;
    ReplyProbes reply_probes_;
    std::map<IntegrationId, WorkspaceId> workspaces_;
};

}  // namespace postern::mail
