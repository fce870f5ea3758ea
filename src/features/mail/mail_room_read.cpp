#include "features/mail/held_sender.h"
#include "features/mail/mail_room.h"
#include "features/mail/mail_service.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/records.h"
#include "platform/os/files.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

}  // namespace

async::Task<> MailRoom::folder_searched(FolderSearched searched) {
    const auto found = workspaces_.find(searched.integration);
    if (found == workspaces_.end()) co_return fail(MailError::use_ended);
    co_return co_await replies_.folder_searched(found->second, std::move(searched));
}

void MailRoom::watch_ended(IntegrationId integration, MailError reason) {
    watches_.ended(integration, reason);
    const auto found = workspaces_.find(integration);
    if (reason == MailError::provider_refused && found != workspaces_.end()) {
        probes_.search_refused(found->second, integration);
    }
}

async::Task<SearchState> MailRoom::search_state(WorkspaceId workspace, IntegrationId integration) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    const auto body = [workspace, integration](store::Transaction& tx) {
        return rows::load_probe(tx, workspace, integration);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    SearchState out;
    out.reads_replies = mailbox->reads_replies;
    out.by_headers = row->looks_by_headers;
    out.probed_at_ms = row->probed_at_ms;
    out.authserv_id = std::move(row->authserv_id);
    auto reply_address = co_await reply_addresses_.state(&*mailbox);
    if (!reply_address) co_return fail(std::move(reply_address.error()));
    out.reply_address = *reply_address;
    co_return out;
}

async::Task<std::vector<MessageView>> MailRoom::open_messages(WorkspaceId workspace,
                                                              std::vector<rows::MessageRow> rows,
                                                              std::uint64_t handle) {
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.reserve(rows.size());
    for (auto& row : rows)
        objects.emplace_back(row.id, std::move(row.body));
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    std::vector<MessageView> out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        MessageView view;
        view.id = rows[i].id;
        view.thread = rows[i].thread;
        view.direction = rows[i].direction;
        view.state = rows[i].state;
        view.failure_code = std::move(rows[i].failure_code);
        view.author_kind = rows[i].author_kind;
        view.created_at_ms = rows[i].created_at_ms;
        auto& body = bodies->at(i);
        view.readable = body.has_value();
        if (body) view.body = std::move(*body);
        out.push_back(std::move(view));
    }
    co_return out;
}

/// What a mail system told of a recipient who was erased is gone with them.
async::Task<> MailRoom::add_bounces(WorkspaceId workspace,
                                    std::vector<rows::BounceRow> bounces,
                                    std::vector<MessageView>* messages,
                                    std::uint64_t handle) {
    std::vector<MessageVault::StoredBounce> sealed;
    sealed.reserve(bounces.size());
    for (auto& row : bounces)
        sealed.push_back({row.message, row.creator, std::move(row.detail), std::move(row.wrap)});
    auto details = co_await vault_.open_bounces(workspace, std::move(sealed), handle);
    if (!details) co_return fail(std::move(details.error()));
    for (std::size_t i = 0; i < bounces.size(); ++i) {
        auto& detail = details->at(i);
        const auto message = std::ranges::find(*messages, bounces[i].message, &MessageView::id);
        if (!detail || message == messages->end()) continue;
        message->bounces.push_back({bounces[i].action, std::move(bounces[i].status),
                                    std::move(*detail), bounces[i].at_ms});
    }
    co_return Result<>{};
}

async::Task<std::vector<ThreadView>> MailRoom::open_threads(WorkspaceId workspace,
                                                            std::vector<rows::ThreadRow> rows,
                                                            std::uint64_t handle) {
    std::vector<ThreadView> out;
    std::vector<std::pair<ThreadId, StoredObject>> objects;
    for (auto& row : rows) {
        ThreadView view;
        view.id = row.id;
        view.integration = row.integration;
        view.private_to = std::move(row.private_to);
        view.created_at_ms = row.created_at_ms;
        view.updated_at_ms = row.updated_at_ms;
        for (const auto& [person, wrap] : row.head.wraps)
            view.creators.push_back(person);
        objects.emplace_back(row.id, std::move(row.head));
        out.push_back(std::move(view));
    }
    auto heads = co_await vault_.open_heads(workspace, std::move(objects), handle);
    if (!heads) co_return fail(std::move(heads.error()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        auto& head = heads->at(i);
        if (head) out[i].subject = std::move(head->subject);
    }
    co_return out;
}

async::Task<ThreadView> MailRoom::thread(Viewer viewer, ThreadId id, std::uint64_t handle) {
    const auto workspace = viewer.workspace();
    struct Loaded {
        rows::ThreadRow thread;
        std::vector<rows::MessageRow> messages;
        std::vector<rows::BounceRow> bounces;
    };
    const auto body = [viewer, workspace, id](store::Transaction& tx) -> Result<Loaded> {
        Loaded loaded;
        POSTERN_TRY(loaded.thread, rows::load_seen_thread(tx, viewer, id));
        POSTERN_TRY(loaded.messages, rows::load_messages(tx, workspace, id));
        POSTERN_TRY(loaded.bounces, rows::load_bounces(tx, workspace, id));
        return loaded;
    };
    auto loaded = co_await parts_.database.read(body);
    if (!loaded) co_return fail(std::move(loaded.error()));
    std::vector<rows::ThreadRow> rows;
    rows.push_back(std::move(loaded->thread));
    auto views = co_await open_threads(workspace, std::move(rows), handle);
    if (!views) co_return fail(std::move(views.error()));
    auto messages = co_await open_messages(workspace, std::move(loaded->messages), handle);
    if (!messages) co_return fail(std::move(messages.error()));
    auto added = co_await add_bounces(workspace, std::move(loaded->bounces), &*messages, handle);
    if (!added) co_return fail(std::move(added.error()));
    auto view = std::move(views->at(0));
    view.messages = std::move(*messages);
    co_return view;
}

async::Task<std::vector<MessageOutline>> MailRoom::outlines(Viewer viewer, ThreadId id) {
    using All = std::vector<MessageOutline>;
    const auto body = [viewer, id](store::Transaction& tx) -> Result<All> {
        POSTERN_TRY([[maybe_unused]] const auto thread, rows::load_seen_thread(tx, viewer, id));
        POSTERN_TRY(const auto messages, rows::load_messages(tx, viewer.workspace(), id));
        POSTERN_TRY(const auto bounces, rows::load_bounces(tx, viewer.workspace(), id));
        All out;
        for (const auto& row : messages) {
            const bool bounced = std::ranges::any_of(bounces, [&row](const auto& bounce) {
                return bounce.message == row.id && bounce.action == BounceAction::failed;
            });
            out.push_back({row.id, row.thread, row.direction, row.state, row.failure_code,
                           row.author_kind, bounced, row.created_at_ms});
        }
        return out;
    };
    co_return co_await parts_.database.read(body);
}

async::Task<std::vector<ThreadView>> MailRoom::threads(Viewer viewer,
                                                       ThreadQuery query,
                                                       std::uint64_t handle) {
    const rows::ListQuery list{query.before, query.limit, query.creator, query.integration};
    const auto body = [viewer, list](store::Transaction& tx) {
        return rows::list_threads(tx, viewer, list);
    };
    auto rows = co_await parts_.database.read(body);
    if (!rows) co_return fail(std::move(rows.error()));
    co_return co_await open_threads(viewer.workspace(), std::move(*rows), handle);
}

async::Task<Bytes> MailRoom::open_raw_of(Viewer viewer, MessageId id, std::uint64_t handle) {
    const auto body = [viewer, id](store::Transaction& tx) {
        return rows::load_seen_raw(tx, viewer, id);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    co_return co_await vault_.open_raw(viewer.workspace(), id, std::move(row->content),
                                       std::move(row->wrap), std::move(row->people), handle);
}

async::Task<Download> MailRoom::raw(Viewer viewer, MessageId id, std::uint64_t handle) {
    auto bytes = co_await open_raw_of(viewer, id, handle);
    if (!bytes) co_return fail(std::move(bytes.error()));
    auto file = os::make_memory_file(*bytes);
    if (!file) co_return fail(std::move(file.error()));
    co_return Download{id.text() + ".eml", "message/rfc822", std::move(*file)};
}

async::Task<Download> MailRoom::attachment(Viewer viewer,
                                           MessageId id,
                                           std::uint32_t index,
                                           std::uint64_t handle) {
    auto bytes = co_await open_raw_of(viewer, id, handle);
    if (!bytes) co_return fail(std::move(bytes.error()));
    auto file = os::make_memory_file(*bytes);
    if (!file) co_return fail(std::move(file.error()));
    auto extracted = co_await parts_.readers.extract(viewer.workspace(), std::move(*file), index);
    if (!extracted) co_return fail(std::move(extracted.error()));
    co_return Download{std::move(extracted->info.name), std::move(extracted->info.type),
                       std::move(extracted->content)};
}

async::Task<std::vector<HeldView>> MailRoom::held(Viewer viewer, HeldQuery query) {
    const auto body = [viewer, query](store::Transaction& tx) {
        return rows::list_held(tx, viewer, query);
    };
    auto listed = co_await parts_.database.read(body);
    if (!listed) co_return fail(std::move(listed.error()));
    std::vector<HeldView> out;
    for (auto& [row, more] : *listed) {
        auto opened = co_await keys::open_record(
            &parts_.keeper, viewer.workspace(), store::data_map::store::held_mails::sender.value,
            crypto::row_key(row.id), std::move(row.sealed_sender), keeper_deadline());
        if (!opened) co_return fail(std::move(opened.error()));
        auto sender = decode_held_sender(*opened);
        if (!sender) co_return fail(std::move(sender.error()));
        HeldView view{
            row.id, row.thread, row.integration, std::move(row.reason), {}, row.created_at_ms,
            more};
        if (!sender->candidate.from.empty()) view.sender = sender->candidate.from.front();
        out.push_back(std::move(view));
    }
    co_return out;
}

async::Task<MessageView> MailRoom::accept_held(audit::By by,
                                               Viewer viewer,
                                               MessageId id,
                                               std::uint64_t) {
    const auto workspace = viewer.workspace();
    const auto load = [viewer, id](store::Transaction& tx) {
        return rows::load_seen_held(tx, viewer, id);
    };
    auto row = co_await parts_.database.read(load);
    if (!row) co_return fail(std::move(row.error()));
    const auto integration = row->integration;
    auto open =
        co_await parts_.mailboxes.check_open(workspace, integration, MailVerb::read_replies);
    if (!open) co_return fail(std::move(open.error()));
    // It is read over the watch's connection, which may only just begin after an unlock.
    auto ready = co_await watches_.until_watching(workspace, integration, Deadline::in(60s));
    if (!ready) co_return fail(std::move(ready.error()));
    co_return co_await replies_.accept_held(std::move(by), viewer, id);
}

async::Task<MessageView> MailRoom::resolve(
    audit::By by, Viewer viewer, MessageId id, MessageState state, std::uint64_t handle) {
    const auto workspace = viewer.workspace();
    const auto now = parts_.clock.now_ms();
    const std::string code = state == MessageState::failed ? "resolved_by_person" : "";
    const auto body = [this, viewer, workspace, id, state, code,
                       now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto row, rows::load_seen_message(tx, viewer, id));
        if (row.direction != Direction::out) return fail(MailServiceError::not_unknown);
        auto done = rows::resolve_unknown(tx, workspace, id, state, code, now);
        if (!done) return done;
        return parts_.events.append(tx, workspace,
                                    message_event("message.state", row.thread, id, state));
    };
    audit::Act act{std::move(by), "message.resolved", {{"message_id", id.text()}}};
    act.about.push_back({"state", std::string(name_of(state))});
    auto written = co_await parts_.audit.record(workspace, std::move(act), body);
    if (!written) co_return fail(std::move(written.error()));
    parts_.events.published(workspace);
    sender_.wake();
    const auto load = [viewer, id](store::Transaction& tx) {
        return rows::load_seen_message(tx, viewer, id);
    };
    auto row = co_await parts_.database.read(load);
    if (!row) co_return fail(std::move(row.error()));
    std::vector<rows::MessageRow> rows;
    rows.push_back(std::move(*row));
    auto views = co_await open_messages(workspace, std::move(rows), handle);
    if (!views) co_return fail(std::move(views.error()));
    co_return std::move(views->at(0));
}

async::Task<> MailRoom::refuse_held(audit::By by, Viewer viewer, MessageId id) {
    const auto body = [viewer, id](store::Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto row, rows::load_seen_held(tx, viewer, id));
        return rows::delete_held(tx, viewer.workspace(), id);
    };
    audit::Act act{std::move(by), "held.refused", {{"message_id", id.text()}}};
    co_return co_await parts_.audit.record(viewer.workspace(), std::move(act), body);
}

async::Task<SyncResult> MailRoom::sync(audit::By by,
                                       WorkspaceId workspace,
                                       IntegrationId integration) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    auto open =
        co_await parts_.mailboxes.check_open(workspace, integration, MailVerb::read_replies);
    if (!open) co_return fail(std::move(open.error()));
    audit::Act act{std::move(by), "integration.synced", {{"integration_id", integration.text()}}};
    const auto nothing = [](store::Transaction&) { return Result<>{}; };
    auto recorded = co_await parts_.audit.record(workspace, std::move(act), nothing);
    if (!recorded) co_return fail(std::move(recorded.error()));
    if (!mailbox->reads_replies) co_return SyncResult{};
    auto ready = co_await watches_.until_watching(workspace, integration, Deadline::in(60s));
    if (!ready) co_return fail(std::move(ready.error()));
    const auto before = replies_.totals(integration);
    SearchNow ask{integration};
    auto answer = co_await parts_.courier.call(std::move(ask), Deadline::in(5min));
    if (!answer) co_return fail(std::move(answer.error()));
    const auto after = replies_.totals(integration);
    co_return SyncResult{answer->searched, after.matched - before.matched, after.kept - before.kept,
                         after.held - before.held, after.refused - before.refused};
}

async::Task<> MailRoom::probe_reply_address(WorkspaceId workspace, IntegrationId integration) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    if (mailbox->reads_replies) {
        // A watch that begins meanwhile might pass over what arrives.
        auto ready = co_await watches_.until_watching(workspace, integration, Deadline::in(60s));
        if (!ready) co_return ready;
    }
    co_return co_await reply_probes_.ask(workspace, integration);
}

async::Task<std::vector<LedgerLine>> MailRoom::read_ledger(WorkspaceId workspace,
                                                           IntegrationId integration,
                                                           std::int64_t before,
                                                           std::int64_t limit) {
    const auto body = [workspace, integration, before, limit](store::Transaction& tx) {
        return rows::load_ledger(tx, workspace, integration, before, limit);
    };
    co_return co_await parts_.database.read(body);
}

}  // namespace postern::mail
