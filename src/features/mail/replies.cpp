#include "features/mail/replies.h"

#include "features/mail/mail_service.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_ids_checked_max = 16;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

/// One mail that lies in several folders has one origin: its Message-ID, else the place it lies at.
Bytes origin_of(const Candidate& candidate, const std::string& folder, std::uint32_t uid_validity) {
    if (!candidate.message_id.empty()) return to_bytes("id:" + candidate.message_id);
    return to_bytes("uid:" + std::to_string(uid_validity) + ":" + std::to_string(candidate.uid) +
                    ":" + folder);
}

}  // namespace

SyncResult Replies::totals(IntegrationId integration) const {
    const auto found = totals_.find(integration);
    return found == totals_.end() ? SyncResult{} : found->second;
}

async::Task<Bytes> Replies::folder_mac(WorkspaceId workspace, std::string folder) {
    co_return co_await keys::compute_mac(&parts_.keeper, workspace, keys::MacPurpose::folder,
                                         to_bytes(folder), keeper_deadline());
}

async::Task<Bytes> Replies::seal_folder(WorkspaceId workspace,
                                        IntegrationId integration,
                                        Bytes mac,
                                        std::string folder) {
    auto row = crypto::row_key(integration);
    row.insert(row.end(), mac.begin(), mac.end());
    co_return co_await keys::seal_record(&parts_.keeper, workspace,
                                         store::data_map::store::cursors::folder.value,
                                         std::move(row), to_bytes(folder), keeper_deadline());
}

async::Task<std::string> Replies::open_folder(WorkspaceId workspace,
                                              IntegrationId integration,
                                              rows::CursorRow cursor) {
    auto row = crypto::row_key(integration);
    row.insert(row.end(), cursor.folder_mac.begin(), cursor.folder_mac.end());
    auto opened = co_await keys::open_record(
        &parts_.keeper, workspace, store::data_map::store::cursors::folder.value, std::move(row),
        std::move(cursor.sealed_folder), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<std::vector<FolderCursor>> Replies::cursors(WorkspaceId workspace,
                                                        IntegrationId integration) {
    const auto body = [workspace, integration](store::Transaction& tx) {
        return rows::load_cursors(tx, workspace, integration);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    std::vector<FolderCursor> out;
    for (auto& row : *found) {
        FolderCursor cursor{"", row.uid_validity, row.next_uid};
        auto folder = co_await open_folder(workspace, integration, std::move(row));
        if (!folder) co_return fail(std::move(folder.error()));
        cursor.folder = std::move(*folder);
        out.push_back(std::move(cursor));
    }
    co_return out;
}

async::Task<> Replies::store_cursors(WorkspaceId workspace,
                                     IntegrationId integration,
                                     std::vector<FolderCursor> cursors,
                                     std::uint64_t bytes) {
    std::vector<rows::CursorRow> rows;
    for (auto& cursor : cursors) {
        auto mac = co_await folder_mac(workspace, cursor.folder);
        if (!mac) co_return fail(std::move(mac.error()));
        auto sealed = co_await seal_folder(workspace, integration, *mac, cursor.folder);
        if (!sealed) co_return fail(std::move(sealed.error()));
        rows.push_back({std::move(*mac), std::move(*sealed), cursor.uid_validity, cursor.next_uid});
    }
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, integration, rows, bytes,
                       now](store::Transaction& tx) -> Result<> {
        for (const auto& row : rows) {
            if (auto put = rows::put_cursor(tx, workspace, integration, row); !put) return put;
        }
        rows::LedgerEntry entry{"sign_in", {}, 0, 0, static_cast<std::int64_t>(bytes), "watch"};
        return rows::append_ledger(tx, workspace, integration, entry, now);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> Replies::folder_searched(WorkspaceId workspace, FolderSearched searched) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, searched.integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    auto mac = co_await folder_mac(workspace, searched.folder);
    if (!mac) co_return fail(std::move(mac.error()));
    const Location location{searched.integration, searched.folder, *mac, searched.uid_validity};
    for (auto& candidate : searched.candidates) {
        auto taken = co_await take(*mailbox, location, std::move(candidate));
        if (!taken) co_return taken;
    }
    auto sealed = co_await seal_folder(workspace, searched.integration, *mac, searched.folder);
    if (!sealed) co_return fail(std::move(sealed.error()));
    rows::CursorRow cursor{*mac, std::move(*sealed), searched.uid_validity, searched.next};
    rows::LedgerEntry entry{"search",
                            *mac,
                            searched.first,
                            searched.next,
                            static_cast<std::int64_t>(searched.bytes),
                            searched.validity_changed ? "uid_validity_changed" : "new_mail"};
    const auto now = parts_.clock.now_ms();
    const auto integration = searched.integration;
    const auto body = [workspace, integration, cursor, entry,
                       now](store::Transaction& tx) -> Result<> {
        if (auto put = rows::put_cursor(tx, workspace, integration, cursor); !put) return put;
        return rows::append_ledger(tx, workspace, integration, entry, now);
    };
    co_return co_await parts_.database.write(body);
}

/// The thread whose id the candidate names, with a MAC that only keeper could have made.
async::Task<std::optional<rows::ThreadRow>> Replies::find_thread(const Mailbox* mailbox,
                                                                 const Candidate* candidate) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto label = codec::IdLabel::parse(mailbox->search_label);
    if (!label) co_return fail(Error(label.error()));
    std::vector<codec::OurMessageId> ids;
    keys::ComputeMacs ask;
    ask.workspace = workspace;
    ask.purpose = keys::MacPurpose::message_id;
    for (const auto& text : candidate->our_ids) {
        const auto id = codec::OurMessageId::parse(text, *label);
        if (!id || ids.size() == k_ids_checked_max) continue;
        ask.values.push_back(id->mac_input(integration.bytes()));
        ids.push_back(*id);
    }
    if (ids.empty()) co_return std::optional<rows::ThreadRow>{};
    auto macs = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!macs) co_return fail(std::move(macs.error()));
    for (std::size_t i = 0; i < ids.size() && i < macs->macs.size(); ++i) {
        const auto& mac = macs->macs[i];
        if (mac.size() < ids[i].mac.size() ||
            !std::equal(ids[i].mac.begin(), ids[i].mac.end(), mac.begin())) {
            continue;
        }
        const auto token = ids[i].thread;
        const auto body = [workspace, token](store::Transaction& tx) {
            return rows::find_thread(tx, workspace, token);
        };
        auto thread = co_await parts_.database.read(body);
        if (!thread) co_return fail(std::move(thread.error()));
        auto& found = *thread;
        if (found && found->integration == integration) co_return std::move(found);
    }
    co_return std::optional<rows::ThreadRow>{};
}

async::Task<std::optional<Replies::Match>> Replies::match(const Mailbox* mailbox,
                                                          const Location* location,
                                                          const Candidate* candidate) {
    auto thread = co_await find_thread(mailbox, candidate);
    if (!thread) co_return fail(std::move(thread.error()));
    auto& found = *thread;
    if (!found) co_return std::optional<Match>{};
    Match out;
    out.mailbox = *mailbox;
    out.thread = std::move(*found);
    std::vector<std::pair<ThreadId, StoredObject>> objects;
    objects.emplace_back(out.thread.id, out.thread.head);
    auto heads = co_await vault_.open_heads(mailbox->workspace, std::move(objects), k_job_handle);
    if (!heads) co_return fail(std::move(heads.error()));
    // Erased: whoever wrote to it is nobody to us.
    auto& head = heads->at(0);
    if (!head) co_return std::optional<Match>{};
    out.head = std::move(*head);
    auto mac = co_await keys::compute_mac(
        &parts_.keeper, mailbox->workspace, keys::MacPurpose::origin,
        origin_of(*candidate, location->folder, location->uid_validity), keeper_deadline());
    if (!mac) co_return fail(std::move(mac.error()));
    out.origin_mac = std::move(*mac);
    co_return std::optional<Match>(std::move(out));
}

async::Task<bool> Replies::known(WorkspaceId workspace, ThreadId thread, Bytes origin_mac) {
    const auto body = [workspace, thread, origin_mac](store::Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto stored, rows::has_origin(tx, workspace, thread, origin_mac));
        if (stored) return true;
        return rows::is_held(tx, workspace, thread, origin_mac);
    };
    co_return co_await parts_.database.read(body);
}

async::Task<> Replies::take(Mailbox mailbox, Location location, Candidate candidate) {
    auto& totals = totals_[location.integration];
    auto matched = co_await match(&mailbox, &location, &candidate);
    if (!matched) co_return fail(std::move(matched.error()));
    auto& match_found = *matched;
    if (!match_found) {
        ++totals.refused;
        co_return Result<>{};
    }
    auto& found = *match_found;
    auto stored = co_await known(mailbox.workspace, found.thread.id, found.origin_mac);
    if (!stored) co_return fail(std::move(stored.error()));
    if (*stored) co_return Result<>{};
    Result<> taken{};
    auto* count = &totals.kept;
    switch (judge(candidate, found.head.people, mailbox.address)) {
        case Verdict::refuse: count = &totals.refused; break;
        case Verdict::hold_stranger:
            count = &totals.held;
            taken = co_await hold(std::move(found), std::move(location), std::move(candidate),
                                  "not_a_participant");
            break;
        case Verdict::hold_new_recipient:
            count = &totals.held;
            taken = co_await hold(std::move(found), std::move(location), std::move(candidate),
                                  "new_recipient");
            break;
        case Verdict::admit: {
            auto view = co_await admit(std::move(found), std::move(location), std::move(candidate),
                                       std::nullopt);
            if (!view) taken = fail(std::move(view.error()));
            break;
        }
    }
    // What failed is looked at again, and counted then.
    if (!taken) co_return taken;
    ++totals.matched;
    ++*count;
    co_return taken;
}

async::Task<> Replies::hold(Match match,
                            Location location,
                            Candidate candidate,
                            std::string reason) {
    const auto workspace = match.mailbox.workspace;
    rows::HeldRow held;
    held.id = MessageId::make(parts_.clock.now_ms());
    held.thread = match.thread.id;
    held.integration = location.integration;
    held.origin_mac = match.origin_mac;
    held.reason = std::move(reason);
    held.folder_mac = location.folder_mac;
    held.uid_validity = location.uid_validity;
    held.uid = candidate.uid;
    held.created_at_ms = parts_.clock.now_ms();
    HeldSender sender{candidate, location.folder};
    auto sealed = co_await keys::seal_record(
        &parts_.keeper, workspace, store::data_map::store::held_mails::sender.value,
        crypto::row_key(held.id), keys::encode_record(std::move(sender)), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    held.sealed_sender = std::move(*sealed);
    const auto body = [this, workspace, held](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto added, rows::insert_held(tx, workspace, held));
        if (!added) return {};
        events::Event event{"message.held",
                            {{"thread_id", held.thread.text()}, {"message_id", held.id.text()}}};
        return parts_.events.append(tx, workspace, event);
    };
    auto written = co_await parts_.database.write(body);
    if (written) parts_.events.published(workspace);
    co_return written;
}

async::Task<MessageView> Replies::accept_held(WorkspaceId workspace, MessageId id) {
    // Two accepted at once both let somebody join: the one that comes second looks again.
    for (int tries = 0;; ++tries) {
        auto accepted = co_await try_accept(workspace, id);
        const bool changed =
            !accepted && accepted.error().is(MailServiceError::thread_changed) && tries < 3;
        if (!changed) co_return accepted;
    }
}

async::Task<MessageView> Replies::try_accept(WorkspaceId workspace, MessageId id) {
    const auto body = [workspace, id](store::Transaction& tx) {
        return rows::load_held(tx, workspace, id);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    auto opened = co_await keys::open_record(
        &parts_.keeper, workspace, store::data_map::store::held_mails::sender.value,
        crypto::row_key(id), std::move(row->sealed_sender), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    auto sender = keys::decode_record<HeldSender>(*opened);
    if (!sender) co_return fail(std::move(sender.error()));
    auto mailbox = co_await parts_.mailboxes.find(workspace, row->integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    Location location{row->integration, sender->folder, row->folder_mac, row->uid_validity};
    auto matched = co_await match(&*mailbox, &location, &sender->candidate);
    if (!matched) co_return fail(std::move(matched.error()));
    auto& found = *matched;
    if (!found) co_return fail(MailServiceError::message_not_found);
    co_return co_await admit(std::move(*found), std::move(location), std::move(sender->candidate),
                             id);
}

}  // namespace postern::mail
