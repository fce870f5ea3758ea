#include "features/mail/compose.h"
#include "features/mail/mail_room.h"
#include "features/mail/mail_service.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/reply_addresses.h"
#include "features/mail/send_outcome.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/codec/mail/thread_index.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_references_max = 20;
constexpr int k_tries_to_add = 5;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

Result<> check_recipients(const NewMail& mail, const Mailbox& mailbox) {
    const auto reply_addresses = ReplyAddresses::form_of(mailbox);
    if (mail.to.empty()) return fail(MailServiceError::invalid_recipient);
    if (mail.to.size() > k_people_max) return fail(MailServiceError::too_many_recipients);
    for (const auto& to : mail.to) {
        const auto parsed = codec::EmailAddress::parse(to.address);
        const bool is_own = codec::is_same_address(to.address, mailbox.address) ||
                            (reply_addresses && reply_addresses->tag_of(to.address));
        if (!parsed || is_own) {
            return fail(MailServiceError::invalid_recipient);
        }
    }
    return {};
}

MessageBody body_of(const Draft& draft) {
    MessageBody body;
    body.subject = draft.subject;
    body.from = {draft.from};
    body.to = draft.to;
    body.date_ms = draft.date_ms;
    body.text = draft.text;
    body.new_text = draft.text;
    body.html = draft.html;
    body.message_id = draft.message_id;
    body.references = draft.references;
    return body;
}

/// The root stays first and the parent last, whatever lies between is cut.
std::vector<std::string> cut_references(std::vector<std::string> references) {
    if (references.size() <= k_references_max) return references;
    std::vector<std::string> out{references.front()};
    out.insert(out.end(), references.end() - (k_references_max - 1), references.end());
    return out;
}

}  // namespace

MailRoom::MailRoom(Parts parts, RetryPolicy retry)
    : parts_(parts),
      vault_(parts.keeper),
      sender_(parts, retry),
      replies_(parts),
      watches_(parts, replies_),
      probes_(parts),
      issued_(parts),
      reply_addresses_(parts),
      reply_probes_(parts) {
    sender_.when_sent([this](WorkspaceId workspace, IntegrationId integration) {
        probes_.sent(workspace, integration);
    });
}

async::Task<> MailRoom::start() {
    auto recovered = co_await sender_.recover();
    if (!recovered) co_return recovered;
    parts_.jobs.spawn("sender", sender_.run());
    parts_.jobs.spawn("probes", probes_.run());
    auto active = co_await parts_.mailboxes.active();
    if (!active) co_return fail(std::move(active.error()));
    for (const auto& ref : *active)
        mailbox_changed(ref.workspace, ref.id);
    co_return Result<>{};
}

void MailRoom::mailbox_changed(WorkspaceId workspace, IntegrationId integration) {
    // An integration stays in its workspace; whoever names another one changes nothing.
    const auto [known, added] = workspaces_.try_emplace(integration, workspace);
    if (known->second != workspace) return;
    watches_.mailbox_changed(workspace, integration);
    const auto wake = [](Sender* sender, WorkspaceId w, IntegrationId i) -> async::Job {
        (void)co_await sender->wake_mailbox(w, i);
    };
    parts_.jobs.spawn("wake_outbox", wake(&sender_, workspace, integration));
}

async::Task<std::vector<CreatorId>> MailRoom::people_of(WorkspaceId workspace,
                                                        std::vector<MailAddress> people) {
    std::vector<CreatorId> out;
    for (auto& person : people) {
        auto id = co_await parts_.creators.ensure(workspace, std::move(person.name),
                                                  std::move(person.address));
        if (!id) co_return fail(std::move(id.error()));
        if (std::find(out.begin(), out.end(), *id) == out.end()) out.push_back(*id);
    }
    co_return out;
}

async::Task<Draft> MailRoom::draft(const Outgoing* outgoing, std::uint32_t number) {
    auto root = co_await issued_.issue(&outgoing->mailbox, outgoing->thread.token, 1);
    if (!root) co_return fail(std::move(root.error()));
    auto own = co_await issued_.issue(&outgoing->mailbox, outgoing->thread.token, number);
    if (!own) co_return fail(std::move(own.error()));
    auto references = outgoing->references;
    if (references.empty() || references.front() != *root) {
        references.insert(references.begin(), *root);
    }
    Draft draft;
    draft.from = {outgoing->mailbox.name, outgoing->mailbox.address};
    draft.to = outgoing->mail.to;
    draft.subject = outgoing->mail.subject;
    draft.text = outgoing->mail.text;
    draft.html = outgoing->mail.html;
    draft.message_id = std::move(*own);
    draft.in_reply_to = outgoing->in_reply_to;
    draft.references = cut_references(std::move(references));
    if (const auto label = codec::IdLabel::parse(outgoing->mailbox.search_label)) {
        draft.thread_index = codec::ThreadIndexForm(*label).text(outgoing->thread.token);
    }
    draft.date_ms = parts_.clock.now_ms();
    co_return draft;
}

async::Task<rows::NewMessage> MailRoom::seal(const Outgoing* outgoing,
                                             std::uint32_t number,
                                             MessageBody body,
                                             std::string raw) {
    const auto workspace = outgoing->mailbox.workspace;
    auto readers = co_await people_of(workspace, outgoing->mail.to);
    if (!readers) co_return fail(std::move(readers.error()));
    rows::NewMessage message;
    message.workspace = workspace;
    const bool given = outgoing->mail.id && !outgoing->new_thread;
    message.id = given ? MessageId(*outgoing->mail.id) : MessageId::make(parts_.clock.now_ms());
    message.thread = outgoing->thread.id;
    message.number = number;
    message.body_people = *readers;
    message.raw_people = *readers;
    auto origin = co_await keys::compute_mac(&parts_.keeper, workspace, keys::MacPurpose::origin,
                                             to_bytes("id:" + body.message_id), keeper_deadline());
    if (!origin) co_return fail(std::move(origin.error()));
    message.origin_mac = std::move(*origin);
    auto sealed = co_await vault_.seal_body(workspace, message.id, std::move(body), *readers);
    if (!sealed) co_return fail(std::move(sealed.error()));
    message.body = std::move(*sealed);
    auto sealed_raw = co_await vault_.seal_raw(workspace, message.id, to_bytes(raw), *readers);
    if (!sealed_raw) co_return fail(std::move(sealed_raw.error()));
    message.raw = std::move(*sealed_raw);
    co_return message;
}

async::Task<> MailRoom::store(audit::By by,
                              Viewer viewer,
                              std::optional<rows::NewThread> thread,
                              rows::NewMessage message,
                              IntegrationId integration,
                              Bytes reply_tag_mac) {
    const auto workspace = message.workspace;
    const auto now = parts_.clock.now_ms();
    audit::Act act{
        std::move(by), thread ? PublicText("thread.started") : PublicText("message.written"), {}};
    act.about.push_back({"integration_id", integration.text()});
    act.about.push_back({"thread_id", message.thread.text()});
    act.about.push_back({"message_id", message.id.text()});
    if (thread && thread->private_to) act.about.push_back({"state", "private"});
    const auto write = [this, viewer, thread = std::move(thread), message = std::move(message),
                        integration, reply_tag_mac = std::move(reply_tag_mac),
                        now](store::Transaction& tx) -> Result<> {
        const auto& m = message;
        // Whoever was taken out of it meanwhile writes no more in it.
        auto ready =
            thread ? rows::insert_thread(tx, *thread, now) : rows::see_thread(tx, viewer, m.thread);
        if (!ready) return ready;
        // Taken with the message that has it: a thread's numbers have no gap.
        POSTERN_TRY(const auto number, rows::take_number(tx, m.workspace, m.thread));
        if (number != m.number) return fail(MailServiceError::thread_changed);
        POSTERN_TRY(const auto added, rows::insert_message(tx, m, now));
        if (!added) return fail(MailServiceError::message_not_found);
        if (!reply_tag_mac.empty()) {
            auto given =
                rows::insert_reply_address(tx, m.workspace, integration, reply_tag_mac, m.thread);
            if (!given) return given;
        }
        auto queued = rows::insert_outbox(tx, m.workspace, m.id, integration, now);
        if (!queued) return queued;
        auto touched = rows::touch_thread(tx, m.workspace, m.thread, now);
        if (!touched) return touched;
        return parts_.events.append(
            tx, m.workspace, message_event("message.state", m.thread, m.id, MessageState::queued));
    };
    auto written = co_await parts_.audit.record(workspace, std::move(act), write);
    if (!written) co_return written;
    parts_.events.published(workspace);
    sender_.wake();
    co_return written;
}

async::Task<MessageView> MailRoom::queue(Outgoing outgoing) {
    const auto workspace = outgoing.mailbox.workspace;
    const auto number = outgoing.thread.next_number;
    auto drafted = co_await draft(&outgoing, number);
    if (!drafted) co_return fail(std::move(drafted.error()));
    auto given = co_await reply_addresses_.to_give(&outgoing.mailbox, outgoing.thread.token);
    if (!given) co_return fail(std::move(given.error()));
    const auto reply_to = std::move(*given);
    if (reply_to) drafted->reply_to = {outgoing.mailbox.name, reply_to->address};
    auto composed = compose(*drafted);
    if (!composed) co_return fail(std::move(composed.error()));
    const auto body = body_of(*drafted);
    auto message = co_await seal(&outgoing, number, body, std::move(*composed));
    if (!message) co_return fail(std::move(message.error()));
    std::optional<rows::NewThread> thread;
    if (outgoing.new_thread) {
        auto head = co_await vault_.seal_head(workspace, outgoing.thread.id, outgoing.head,
                                              outgoing.people);
        if (!head) co_return fail(std::move(head.error()));
        thread.emplace(rows::NewThread{workspace, outgoing.thread.id, outgoing.mailbox.id,
                                       outgoing.thread.token, std::move(*head), outgoing.people,
                                       outgoing.mail.private_to});
    }
    MessageView view;
    view.id = message->id;
    view.thread = message->thread;
    view.body = body;
    view.created_at_ms = body.date_ms;
    auto reply_tag_mac = reply_to ? reply_to->tag_mac : Bytes();
    auto stored =
        co_await store(std::move(outgoing.mail.by), outgoing.viewer, std::move(thread),
                       std::move(*message), outgoing.mailbox.id, std::move(reply_tag_mac));
    if (!stored) co_return fail(std::move(stored.error()));
    co_return view;
}

async::Task<ThreadView> MailRoom::start_thread(Viewer viewer,
                                               IntegrationId integration,
                                               NewMail mail,
                                               std::uint64_t) {
    const auto workspace = viewer.workspace();
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    auto open = co_await parts_.mailboxes.check_open(workspace, integration, MailVerb::send);
    if (!open) co_return fail(std::move(open.error()));
    auto checked = check_recipients(mail, *mailbox);
    if (!checked) co_return fail(std::move(checked.error()));
    auto people = co_await people_of(workspace, mail.to);
    if (!people) co_return fail(std::move(people.error()));
    Outgoing outgoing(viewer);
    outgoing.mailbox = std::move(*mailbox);
    outgoing.new_thread = true;
    outgoing.thread.id = mail.id ? ThreadId(*mail.id) : ThreadId::make(parts_.clock.now_ms());
    crypto::fill_random(outgoing.thread.token);
    outgoing.head = {mail.subject, mail.to};
    outgoing.people = std::move(*people);
    outgoing.mail = std::move(mail);
    ThreadView view;
    view.id = outgoing.thread.id;
    view.integration = integration;
    view.subject = outgoing.head.subject;
    view.creators = outgoing.people;
    if (outgoing.mail.private_to) view.private_to.emplace(1, *outgoing.mail.private_to);
    auto message = co_await queue(std::move(outgoing));
    if (!message) co_return fail(std::move(message.error()));
    view.created_at_ms = message->created_at_ms;
    view.updated_at_ms = message->created_at_ms;
    view.messages.push_back(std::move(*message));
    co_return view;
}

/// Somebody else's mail in the same thread may come first: then this one answers that, too.
async::Task<MessageView> MailRoom::add_message(Viewer viewer,
                                               ThreadId thread,
                                               NewMail mail,
                                               std::uint64_t handle) {
    auto added = co_await try_to_add(viewer, thread, mail, handle);
    for (int tries = 1;
         !added && added.error().is(MailServiceError::thread_changed) && tries < k_tries_to_add;
         ++tries) {
        added = co_await try_to_add(viewer, thread, mail, handle);
    }
    co_return added;
}

async::Task<MessageView> MailRoom::try_to_add(Viewer viewer,
                                              ThreadId thread,
                                              NewMail mail,
                                              std::uint64_t handle) {
    const auto workspace = viewer.workspace();
    const auto body = [viewer, thread](store::Transaction& tx) {
        return rows::load_seen_thread(tx, viewer, thread);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    const auto messages_body = [workspace, thread](store::Transaction& tx) {
        return rows::load_messages(tx, workspace, thread);
    };
    auto messages = co_await parts_.database.read(messages_body);
    if (!messages) co_return fail(std::move(messages.error()));
    auto mailbox = co_await parts_.mailboxes.find(workspace, row->integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    auto open = co_await parts_.mailboxes.check_open(workspace, mailbox->id, MailVerb::send);
    if (!open) co_return fail(std::move(open.error()));
    std::vector<std::pair<ThreadId, StoredObject>> objects;
    objects.emplace_back(thread, row->head);
    auto heads = co_await vault_.open_heads(workspace, std::move(objects), handle);
    if (!heads) co_return fail(std::move(heads.error()));
    auto& head = heads->at(0);
    if (!head) co_return fail(MailServiceError::not_readable);
    auto opened = co_await open_messages(workspace, std::move(*messages), handle);
    if (!opened) co_return fail(std::move(opened.error()));

    Outgoing outgoing(viewer);
    outgoing.mailbox = std::move(*mailbox);
    outgoing.thread = std::move(*row);
    outgoing.head = std::move(*head);
    if (mail.to.empty()) mail.to = outgoing.head.people;
    auto checked = check_recipients(mail, outgoing.mailbox);
    if (!checked) co_return fail(std::move(checked.error()));
    for (const auto& to : mail.to) {
        const auto is_participant = [&to](const MailAddress& person) {
            return codec::is_same_address(person.address, to.address);
        };
        const auto& known = outgoing.head.people;
        // A further person starts a thread of their own: this one's history is not theirs.
        if (std::none_of(known.begin(), known.end(), is_participant)) {
            co_return fail(MailServiceError::invalid_recipient);
        }
    }
    if (mail.subject.empty()) mail.subject = "Re: " + outgoing.head.subject;
    for (const auto& message : *opened) {
        if (!is_plain_message_id(message.body.message_id)) continue;
        outgoing.references.push_back(message.body.message_id);
        outgoing.in_reply_to = message.body.message_id;
    }
    outgoing.mail = std::move(mail);
    co_return co_await queue(std::move(outgoing));
}

}  // namespace postern::mail
