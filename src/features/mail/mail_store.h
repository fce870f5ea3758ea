#pragma once

#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/protocol/courier_protocol.h"
#include "platform/store/database.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

/// Rows of threads, messages, the send queue, cursors and the read ledger. Each function is part of
/// the caller's transaction.
namespace postern::mail::rows {

struct ThreadRow {
    ThreadId id;
    IntegrationId integration;
    std::array<std::uint8_t, 16> token{};
    std::uint32_t next_number = 1;  ///< of the next mail that we send
    StoredObject head;
    /// As in ThreadView, of what a viewer sees.
    std::optional<std::vector<PersonId>> private_to = std::nullopt;
    UnixMs created_at_ms = 0;
    UnixMs updated_at_ms = 0;
};
struct NewThread {
    WorkspaceId workspace;
    ThreadId id;
    IntegrationId integration;
    std::array<std::uint8_t, 16> token{};
    SealedObject head;
    std::vector<CreatorId> people;
    std::optional<PersonId> private_to = std::nullopt;
};
Result<> insert_thread(store::Transaction& tx, const NewThread& thread, UnixMs now_ms);
/// Whoever sees it or not. Errors: thread_not_found.
Result<ThreadRow> load_thread(store::Transaction& tx, WorkspaceId workspace, ThreadId id);
/// What is not for this viewer is not there. Errors: thread_not_found.
Result<> see_thread(store::Transaction& tx, const Viewer& viewer, ThreadId id);
/// Errors: thread_not_found.
Result<ThreadRow> load_seen_thread(store::Transaction& tx, const Viewer& viewer, ThreadId id);
Result<std::optional<ThreadRow>> find_thread(store::Transaction& tx,
                                             WorkspaceId workspace,
                                             const std::array<std::uint8_t, 16>& token);
/// What a thread is about and who is in it, sealed anew.
struct NewHead {
    Bytes before;  ///< the sealed head that it replaces
    SealedObject head;
    std::vector<CreatorId> people;
};
/// Errors: thread_changed, where the head is another one by now.
Result<> replace_head(store::Transaction& tx,
                      WorkspaceId workspace,
                      ThreadId thread,
                      const NewHead& head);
struct ListQuery {
    ThreadId before;
    std::int64_t limit = 50;
    std::optional<CreatorId> creator;
    std::optional<IntegrationId> integration;
};
/// When the first thread of this mailbox was started that is still here.
Result<std::optional<UnixMs>> first_thread_at(store::Transaction& tx,
                                              WorkspaceId workspace,
                                              IntegrationId integration);
Result<std::vector<ThreadRow>> list_threads(store::Transaction& tx,
                                            const Viewer& viewer,
                                            const ListQuery& query);
/// Takes the thread's next number: each is given out once.
Result<std::uint32_t> take_number(store::Transaction& tx, WorkspaceId workspace, ThreadId thread);

struct NewMessage {
    WorkspaceId workspace;
    MessageId id;
    ThreadId thread;
    std::uint32_t number = 0;  ///< of ours; 0: theirs
    Direction direction = Direction::out;
    MessageState state = MessageState::queued;
    Bytes origin_mac;  ///< tells copies of one mail
    AuthorKind author_kind = AuthorKind::person;
    SealedObject body;
    std::vector<CreatorId> body_people;
    std::optional<SealedObject> raw;
    std::vector<CreatorId> raw_people;
};
/// False when the thread has this mail already.
Result<bool> insert_message(store::Transaction& tx, const NewMessage& message, UnixMs now_ms);
struct MessageRow {
    MessageId id;
    ThreadId thread;
    std::uint32_t number = 0;
    Direction direction = Direction::out;
    MessageState state = MessageState::queued;
    std::string failure_code;
    AuthorKind author_kind = AuthorKind::person;
    StoredObject body;
    UnixMs created_at_ms = 0;
};
/// Oldest first.
Result<std::vector<MessageRow>> load_messages(store::Transaction& tx,
                                              WorkspaceId workspace,
                                              ThreadId thread);
/// Whoever sees it or not. Errors: message_not_found.
Result<MessageRow> load_message(store::Transaction& tx, WorkspaceId workspace, MessageId id);
/// Errors: message_not_found.
Result<MessageRow> load_seen_message(store::Transaction& tx, const Viewer& viewer, MessageId id);
/// Our own mail of this number.
Result<std::optional<MessageRow>> find_ours(store::Transaction& tx,
                                            WorkspaceId workspace,
                                            ThreadId thread,
                                            std::uint32_t number);
struct StoredOrigin {
    MessageRow message;
    bool has_raw = false;
};
/// The thread's mail of this origin.
Result<std::optional<StoredOrigin>> find_origin(store::Transaction& tx,
                                                WorkspaceId workspace,
                                                ThreadId thread,
                                                const Bytes& origin_mac);
/// Puts body and raw mail in the place of a body without one. False when it has one by now.
Result<bool> fill_message(store::Transaction& tx, const NewMessage& message);
struct RawRow {
    Bytes content;
    Bytes wrap;
    std::vector<CreatorId> people;
};
/// Whoever sees it or not. Errors: message_not_found.
Result<RawRow> load_raw(store::Transaction& tx, WorkspaceId workspace, MessageId id);
/// Errors: message_not_found.
Result<RawRow> load_seen_raw(store::Transaction& tx, const Viewer& viewer, MessageId id);

/// Where a queued mail stands. `handed_over`: everything but the final dot is at the server and the
/// dot may have been sent. `copy`: sent, its copy for the Sent folder is not there yet. `unknown`:
/// nobody can tell; never sent again by itself.
enum class Stage { queued, sending, handed_over, copy, unknown };
struct OutboxRow {
    WorkspaceId workspace;
    MessageId message;
    IntegrationId integration;
    Stage stage = Stage::queued;
    std::int64_t attempts = 0;
    std::int64_t fence = 0;
};
Result<> insert_outbox(store::Transaction& tx,
                       WorkspaceId workspace,
                       MessageId message,
                       IntegrationId integration,
                       UnixMs now_ms);
struct DueLimits {
    std::int64_t in_all = 0;
    std::int64_t of_one_integration = 0;
    std::int64_t passed_over = 0;  ///< so many of the first are left out
};
/// The first of every integration come before the second of any; each oldest due first.
Result<std::vector<OutboxRow>> due_outbox(store::Transaction& tx,
                                          UnixMs now_ms,
                                          const DueLimits& limits);
Result<std::optional<UnixMs>> next_due(store::Transaction& tx);
struct OutboxMove {
    WorkspaceId workspace;
    MessageId message;
    std::int64_t fence = 0;  ///< refused when the row has another
    Stage stage = Stage::queued;
    std::int64_t attempts = 0;
    UnixMs next_at_ms = 0;
    bool new_fence = false;
};
/// False when somebody else has the row.
Result<bool> move_outbox(store::Transaction& tx, const OutboxMove& move);
Result<> delete_outbox(store::Transaction& tx, WorkspaceId workspace, MessageId message);
/// What waited for a person is due now.
Result<> wake_outbox(store::Transaction& tx,
                     WorkspaceId workspace,
                     IntegrationId integration,
                     UnixMs now_ms);
/// After a restart: `sending` goes back to the queue, `handed_over` becomes unknown. The second are
/// returned.
Result<std::vector<OutboxRow>> recover_outbox(store::Transaction& tx, UnixMs now_ms);
Result<> set_message_state(store::Transaction& tx,
                           WorkspaceId workspace,
                           MessageId message,
                           MessageState state,
                           const std::string& failure_code);
Result<> touch_thread(store::Transaction& tx,
                      WorkspaceId workspace,
                      ThreadId thread,
                      UnixMs now_ms);

/// An unknown mail is `sent` (its copy for Sent is still to be looked after) or `failed` from now
/// on. Errors: not_unknown.
Result<> resolve_unknown(store::Transaction& tx,
                         WorkspaceId workspace,
                         MessageId message,
                         MessageState state,
                         const std::string& failure_code,
                         UnixMs now_ms);

struct NewBounce {
    MessageId message;
    CreatorId creator;
    BounceAction action = BounceAction::failed;
    std::string status;
    SealedObject detail;
};
/// False when it says nothing new; a failure is not taken back by a delay that is told later.
Result<bool> put_bounce(store::Transaction& tx,
                        WorkspaceId workspace,
                        const NewBounce& bounce,
                        UnixMs now_ms);
/// Nothing is told any more of this person in this thread.
Result<> delete_bounces(store::Transaction& tx,
                        WorkspaceId workspace,
                        ThreadId thread,
                        CreatorId creator);
struct BounceRow {
    MessageId message;
    CreatorId creator;
    BounceAction action = BounceAction::failed;
    std::string status;
    Bytes detail;
    Bytes wrap;
    UnixMs at_ms = 0;
};
Result<std::vector<BounceRow>> load_bounces(store::Transaction& tx,
                                            WorkspaceId workspace,
                                            ThreadId thread);

/// What is known of a mailbox's server. A mailbox that was never probed has the defaults.
struct ProbeRow {
    bool looks_by_headers = false;  ///< its search does not find our mails
    UnixMs probed_at_ms = 0;        ///< 0: never
    std::string authserv_id;        ///< empty: not learnt
    bool authserv_is_open = true;   ///< the next mail that answers ours tells it
};
Result<ProbeRow> load_probe(store::Transaction& tx,
                            WorkspaceId workspace,
                            IntegrationId integration);
/// How its mail is looked for from now on; whose Authentication-Results count is learnt anew.
Result<> put_probe(store::Transaction& tx,
                   WorkspaceId workspace,
                   IntegrationId integration,
                   bool looks_by_headers,
                   UnixMs now_ms);
Result<> put_authserv(store::Transaction& tx,
                      WorkspaceId workspace,
                      IntegrationId integration,
                      const std::string& server);

/// An id that a server gave to a mail of ours instead of ours.
struct LearnedRow {
    Bytes id_mac;
    ThreadId thread;
    MessageId message;
    Bytes sealed_id;
};
/// An id that is known already stays as it is.
Result<> insert_learned(store::Transaction& tx,
                        WorkspaceId workspace,
                        IntegrationId integration,
                        const LearnedRow& learned,
                        UnixMs now_ms);
/// The newest `limit`, oldest of them first.
Result<std::vector<LearnedRow>> load_learned(store::Transaction& tx,
                                             WorkspaceId workspace,
                                             IntegrationId integration,
                                             std::int64_t limit);
Result<std::optional<MessageRow>> find_learned(store::Transaction& tx,
                                               WorkspaceId workspace,
                                               IntegrationId integration,
                                               const Bytes& id_mac);
/// The newest mail of this mailbox that was sent.
Result<std::optional<MessageRow>> newest_sent(store::Transaction& tx,
                                              WorkspaceId workspace,
                                              IntegrationId integration);

/// That answers to this thread may go to an address with this tag; what is known stays.
Result<> insert_reply_address(store::Transaction& tx,
                              WorkspaceId workspace,
                              IntegrationId integration,
                              const Bytes& tag_mac,
                              ThreadId thread);
Result<std::optional<ThreadRow>> find_reply_address(store::Transaction& tx,
                                                    WorkspaceId workspace,
                                                    IntegrationId integration,
                                                    const Bytes& tag_mac);

enum class ReplyProbeState { sent, arrived, returned, not_sent };
/// The last mail that a mailbox sent to a reply address of its own.
struct ReplyProbeRow {
    ReplyProbeState state = ReplyProbeState::not_sent;
    std::array<std::uint8_t, 16> token{};  ///< in the place of a thread's
    Bytes place_mac;
    UnixMs sent_at_ms = 0;
};
Result<std::optional<ReplyProbeRow>> load_reply_probe(store::Transaction& tx,
                                                      WorkspaceId workspace,
                                                      IntegrationId integration);
Result<> put_reply_probe(store::Transaction& tx,
                         WorkspaceId workspace,
                         IntegrationId integration,
                         const ReplyProbeRow& probe);
/// What became of the one with this token, where it is still the last. One that arrived, did.
Result<> settle_reply_probe(store::Transaction& tx,
                            WorkspaceId workspace,
                            IntegrationId integration,
                            const std::array<std::uint8_t, 16>& token,
                            ReplyProbeState state);

struct CursorRow {
    Bytes folder_mac;
    Bytes sealed_folder;
    std::uint32_t uid_validity = 0;
    std::uint32_t next_uid = 0;
};
Result<std::vector<CursorRow>> load_cursors(store::Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration);
Result<> put_cursor(store::Transaction& tx,
                    WorkspaceId workspace,
                    IntegrationId integration,
                    const CursorRow& cursor);
struct LedgerEntry {
    std::string_view command;
    Bytes folder_mac;
    std::int64_t first_uid = 0;
    std::int64_t next_uid = 0;
    std::int64_t bytes = 0;
    std::string_view reason;
};
Result<> append_ledger(store::Transaction& tx,
                       WorkspaceId workspace,
                       IntegrationId integration,
                       const LedgerEntry& entry,
                       UnixMs now_ms);
Result<std::vector<LedgerLine>> load_ledger(store::Transaction& tx,
                                            WorkspaceId workspace,
                                            IntegrationId integration,
                                            std::int64_t before,
                                            std::int64_t limit);

struct HeldRow {
    MessageId id;
    ThreadId thread;
    IntegrationId integration;
    Bytes origin_mac;
    std::string reason;
    Bytes folder_mac;
    std::uint32_t uid_validity = 0;
    std::uint32_t uid = 0;
    Bytes sealed_sender;
    UnixMs created_at_ms = 0;
};
/// False when it is held already.
Result<bool> insert_held(store::Transaction& tx, WorkspaceId workspace, const HeldRow& held);
struct ListedHeld {
    HeldRow row;
    bool more = false;  ///< as in HeldView
};
/// Newest first.
Result<std::vector<ListedHeld>> list_held(store::Transaction& tx,
                                          const Viewer& viewer,
                                          const HeldQuery& query);
/// Whoever sees it or not. Errors: message_not_found.
Result<HeldRow> load_held(store::Transaction& tx, WorkspaceId workspace, MessageId id);
/// Errors: message_not_found.
Result<HeldRow> load_seen_held(store::Transaction& tx, const Viewer& viewer, MessageId id);
Result<> delete_held(store::Transaction& tx, WorkspaceId workspace, MessageId id);
Result<std::optional<HeldRow>> find_held(store::Transaction& tx,
                                         WorkspaceId workspace,
                                         ThreadId thread,
                                         const Bytes& origin_mac);
/// Where it lies now.
Result<> move_held(store::Transaction& tx, WorkspaceId workspace, const HeldRow& held);

}  // namespace postern::mail::rows
