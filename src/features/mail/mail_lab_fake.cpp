#include "features/mail/mail_lab_fake.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/events/event_log.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/os/fd.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::test {
async::Task<Mailbox> PlayedMailboxes::find(WorkspaceId workspace, IntegrationId id) {
    if (steps_.fail_now()) co_return fail(keys::KeyError::storage_failed);
    const auto found = all.find(id);
    if (found == all.end() || found->second.workspace != workspace) {
        co_return fail(MailServiceError::integration_not_found);
    }
    co_return found->second;
}
async::Task<std::vector<MailboxRef>> PlayedMailboxes::active() {
    std::vector<MailboxRef> out;
    for (const auto& [id, mailbox] : all) {
        if (!mailbox.cut_off) out.push_back({mailbox.workspace, id});
    }
    co_return out;
}
async::Task<> PlayedMailboxes::check_open(WorkspaceId, IntegrationId id, MailVerb) {
    const auto found = closed.find(id);
    if (found != closed.end()) co_return fail(found->second);
    co_return Result<>{};
}
async::Task<Bytes> PlayedMailboxes::ticket(WorkspaceId, IntegrationId id, MailVerb verb) {
    tickets.emplace_back(id, verb);
    if (on_ticket) on_ticket();
    const auto found = closed.find(id);
    if (found != closed.end()) co_return fail(found->second);
    co_return to_bytes("ticket " + std::to_string(tickets.size()));
}
bool PlayedMailboxes::waits_for_person(const Error& error) const {
    return error.is(keys::KeyError::integration_sealed) || error.is(LabError::access_removed);
}
bool PlayedMailboxes::is_cut_off(const Error& error) const {
    return error.is(keys::KeyError::integration_cut_off);
}
async::Task<> PlayedMailboxes::report(WorkspaceId,
                                      IntegrationId id,
                                      std::optional<MailError> refusal) {
    if (refusal) reports.emplace_back(id, *refusal);
    if (!refusal) mended.push_back(id);
    if (refusal == MailError::sign_in_refused) {
        closed.insert_or_assign(id, Error(LabError::access_removed));
    }
    co_return Result<>{};
}

async::Task<CreatorId> PlayedCreators::ensure(WorkspaceId workspace,
                                              std::string,
                                              std::string address) {
    if (steps_.fail_now()) co_return fail(keys::KeyError::storage_failed);
    auto& id = all[{workspace, std::move(address)}];
    if (id.is_null()) {
        id = CreatorId::make(static_cast<std::int64_t>(all.size()));
        keeper_.people.insert({workspace, id});
    }
    co_return id;
}

async::Task<ReadMail> PlayedReaders::parse(WorkspaceId, os::Fd raw) {
    ++parsed;
    if (steps_.fail_now()) co_return fail(ipc::IpcError::closed);
    if (fails) co_return fail(*fails);
    const auto content = content_of(raw);
    const auto end = content.find('\n');
    ReadMail mail;
    mail.subject = content.substr(0, end);
    mail.text = end == std::string::npos ? "" : content.substr(end + 1);
    mail.new_text = mail.text;
    mail.to = {k_maya};
    AttachmentInfo attachment;
    attachment.name = "whole.txt";
    mail.attachments = {attachment};
    co_return mail;
}
async::Task<BounceReport> PlayedReaders::parse_bounce(WorkspaceId, os::Fd) {
    ++parsed;
    if (steps_.fail_now()) co_return fail(LabError::ceiling_reached);
    if (fails) co_return fail(Error(*fails));
    co_return bounce;
}

async::Task<ExtractAttachment::Answer> PlayedReaders::extract(WorkspaceId,
                                                              os::Fd raw,
                                                              std::uint32_t index) {
    if (index != 0) co_return fail(MailError::not_found);
    ExtractAttachment::Answer answer;
    answer.info.name = "whole.txt";
    answer.info.type = "text/plain";
    answer.content = std::move(raw);
    co_return answer;
}

MailLab::MailLab(std::size_t reading_threads) : store_readers(reading_threads) {
    open_store();
    add_mailbox(integration, workspace);
}
MailLab::~MailLab() {
    stop();
}

void MailLab::open_store() {
    store::Database::Options options;
    options.file = folder.file("store.db");
    options.create = true;
    options.readers = store_readers;
    options.clock = &clock;
    events.reset();
    audit.reset();
    database.reset();
    database = store::open_or_fail(options);
    events = std::make_unique<events::EventLog>(loop.io.get_executor(), *database, clock);
    audit =
        std::make_unique<audit::AuditLog>(audit::AuditLog::Parts{*database, keeper.link, clock});
    jobs = std::make_unique<async::TaskGroup>(loop.io.get_executor());
}

void MailLab::stop() {
    bool asked = false;
    const auto end = [](async::TaskGroup* group, bool* done) -> async::Job {
        group->cancel();
        *done = true;
        co_return;
    };
    loop.tasks.spawn("stop", end(jobs.get(), &asked));
    until([&] { return asked && jobs->size() == 0; });
}

Parts MailLab::parts() {
    return {*database, keeper.link, courier.link, *events,  *audit,
            clock,     *jobs,       mailboxes,    creators, readers};
}

void MailLab::add_mailbox(IntegrationId id, WorkspaceId owner) {
    Mailbox mailbox;
    mailbox.workspace = owner;
    mailbox.id = id;
    mailbox.name = k_maya.name;
    mailbox.address = k_maya.address;
    mailbox.search_label = k_label;
    mailboxes.all[id] = mailbox;
}

std::vector<CreatorId> MailLab::ensure(WorkspaceId owner, const std::vector<MailAddress>& people) {
    std::vector<CreatorId> out;
    for (const auto& person : people)
        out.push_back(run(creators.ensure(owner, person.name, person.address)).value());
    return out;
}

MailLab::Thread MailLab::add_thread(std::vector<MailAddress> people,
                                    std::optional<IntegrationId> owner) {
    Thread thread;
    thread.integration = owner.value_or(integration);
    thread.workspace = mailboxes.all.at(thread.integration).workspace;
    thread.id = ThreadId::make(clock.now++);
    crypto::fill_random(thread.token);
    thread.people = std::move(people);
    const auto ids = ensure(thread.workspace, thread.people);
    MessageVault vault(keeper.link);
    rows::NewThread row{thread.workspace, thread.id, thread.integration, thread.token, {}, ids};
    ThreadHead head{"Hello", thread.people};
    row.head = run(vault.seal_head(thread.workspace, thread.id, head, ids)).value();
    write([&](store::Transaction& tx) -> Result<> {
        if (auto added = rows::insert_thread(tx, row, clock.now); !added) return added;
        POSTERN_TRY([[maybe_unused]] const auto first,
                    rows::take_number(tx, thread.workspace, thread.id));
        return {};
    });
    return thread;
}

MessageId MailLab::queue_mail(const Thread& thread, const std::string& text) {
    MessageVault vault(keeper.link);
    const auto ids = ensure(thread.workspace, thread.people);
    rows::NewMessage row;
    row.workspace = thread.workspace;
    row.id = MessageId::make(clock.now++);
    row.thread = thread.id;
    row.number = 1;
    row.origin_mac = to_bytes("origin of " + row.id.text());
    row.body_people = ids;
    row.raw_people = ids;
    MessageBody body;
    body.from = {k_maya};
    body.to = thread.people;
    body.text = text;
    body.message_id = our_id(thread);
    body.references = {our_id(thread)};
    row.body = run(vault.seal_body(thread.workspace, row.id, body, ids)).value();
    row.raw = run(vault.seal_raw(thread.workspace, row.id, to_bytes("raw " + text), ids)).value();
    write([&](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto added, rows::insert_message(tx, row, clock.now));
        EXPECT_TRUE(added);
        return rows::insert_outbox(tx, thread.workspace, row.id, thread.integration, clock.now);
    });
    return row.id;
}

std::string MailLab::our_id(const Thread& thread, std::uint32_t number) {
    codec::OurMessageId id;
    id.thread = thread.token;
    id.number = number;
    const auto mac = keys::test::mac_of(thread.workspace, keys::MacPurpose::message_id,
                                        id.mac_input(thread.integration.bytes()));
    std::copy_n(mac.begin(), id.mac.size(), id.mac.begin());
    return id.text(codec::IdLabel::parse(k_label).value());
}

std::vector<rows::OutboxRow> MailLab::outbox() {
    return read([](store::Transaction& tx) {
        return rows::due_outbox(tx, std::numeric_limits<UnixMs>::max(), {100, 100});
    });
}
std::optional<UnixMs> MailLab::next_due() {
    return read([](store::Transaction& tx) { return rows::next_due(tx); });
}
rows::MessageRow MailLab::message(MessageId id) {
    return read([&](store::Transaction& tx) { return rows::load_message(tx, workspace, id); });
}
std::vector<rows::MessageRow> MailLab::messages(const Thread& thread) {
    return read([&](store::Transaction& tx) {
        return rows::load_messages(tx, thread.workspace, thread.id);
    });
}
std::vector<rows::CursorRow> MailLab::cursors(std::optional<IntegrationId> owner) {
    return read([&](store::Transaction& tx) {
        return rows::load_cursors(tx, workspace, owner.value_or(integration));
    });
}
std::vector<std::string> MailLab::ledger(std::optional<IntegrationId> owner) {
    const auto lines = read([&](store::Transaction& tx) {
        return rows::load_ledger(tx, workspace, owner.value_or(integration), 0, 1000);
    });
    std::vector<std::string> out;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
        out.push_back(line->command + " " + line->reason);
    return out;
}
std::vector<std::string> MailLab::told() {
    std::vector<std::string> out;
    const auto all = run(events->after(Viewer::server(workspace), 0)).value();
    for (const auto& event : all.events) {
        constexpr std::string_view k_state = "\"state\":\"";
        auto text = event.kind;
        const auto at = event.ids_json.find(k_state);
        if (at != std::string::npos) {
            const auto begin = at + k_state.size();
            text += " " + event.ids_json.substr(begin, event.ids_json.find('"', begin) - begin);
        }
        out.push_back(text);
    }
    return out;
}

}  // namespace postern::mail::test
