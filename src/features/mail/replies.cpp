#include "features/mail/replies.h"

#include "features/mail/authserv.h"
#include "features/mail/held_sender.h"
#include "features/mail/mail_service.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/reply_addresses.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/address.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

/// Why a mail is held, as the API says it.
std::string reason_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::hold_new_recipient: return "new_recipient";
        case Verdict::hold_unauthenticated: return "authentication_failed";
        case Verdict::hold_hint: return "thread_index_only";
        case Verdict::admit:
        case Verdict::refuse:
        case Verdict::hold_stranger: return "not_a_participant";
    }
    return "not_a_participant";
}

bool have_same_authors(const Candidate& a, const Candidate& b) {
    return std::ranges::equal(a.from, b.from, [](const auto& one, const auto& other) {
        return codec::is_same_address(one.address, other.address);
    });
}

/// One mail that lies in several folders has one origin: its Message-ID, else the place it lies at.
Bytes origin_of(const Candidate& candidate, const std::string& folder, std::uint32_t uid_validity) {
    if (!candidate.message_id.empty()) return to_bytes("id:" + candidate.message_id);
    return to_bytes("uid:" + std::to_string(uid_validity) + ":" + std::to_string(candidate.uid) +
                    ":" + folder);
}

/// Of a held mail that was accepted beside another one of the same origin.
Bytes origin_beside(Bytes origin_mac, MessageId held) {
    const auto id = held.bytes();
    origin_mac.insert(origin_mac.end(), id.begin(), id.end());
    return to_bytes(crypto::sha256(origin_mac));
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
    rows::LedgerEntry entry{searched.by_headers ? "fetch_thread_fields" : "search",
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

async::Task<std::optional<rows::ThreadRow>> Replies::thread_of(const Mailbox* mailbox,
                                                               const Candidate* candidate) {
    auto issued = co_await issued_.find(mailbox, &candidate->our_ids);
    if (!issued) co_return fail(std::move(issued.error()));
    auto& found = *issued;
    if (found) co_return std::optional<rows::ThreadRow>(std::move(found->thread));
    co_return co_await reply_addresses_.find(mailbox, &candidate->recipients);
}

/// Where no id of ours stands: also one that is forged, or names a thread that is gone, says more.
async::Task<std::optional<rows::ThreadRow>> Replies::hinted_thread(const Mailbox* mailbox,
                                                                   const Candidate* candidate) {
    using Found = std::optional<rows::ThreadRow>;
    std::array<std::uint8_t, 16> token{};
    if (!candidate->our_ids.empty() || candidate->hinted_thread.size() != token.size()) {
        co_return Found{};
    }
    std::ranges::copy(candidate->hinted_thread, token.begin());
    const auto workspace = mailbox->workspace;
    const auto load = [workspace, token](store::Transaction& tx) {
        return rows::find_thread(tx, workspace, token);
    };
    auto row = co_await parts_.database.read(load);
    if (!row) co_return fail(std::move(row.error()));
    auto thread = std::move(*row);
    if (!thread || thread->integration != mailbox->id) co_return Found{};
    co_return thread;
}

async::Task<std::optional<Replies::Match>> Replies::match(const Mailbox* mailbox,
                                                          const Location* location,
                                                          const Candidate* candidate) {
    auto thread = co_await thread_of(mailbox, candidate);
    if (!thread) co_return fail(std::move(thread.error()));
    Match out;
    if (!*thread) {
        thread = co_await hinted_thread(mailbox, candidate);
        if (!thread) co_return fail(std::move(thread.error()));
        out.by_hint = true;
    }
    auto& found = *thread;
    if (!found) co_return std::optional<Match>{};
    out.mailbox = *mailbox;
    out.thread = std::move(*found);
    const auto form = ReplyAddresses::form_of(*mailbox);
    const auto is_one = [&form](const MailAddress& to) {
        return form->tag_of(to.address).has_value();
    };
    if (form && std::ranges::any_of(candidate->recipients, is_one)) {
        auto address = co_await reply_addresses_.address_of(mailbox, out.thread.token);
        if (!address) co_return fail(std::move(address.error()));
        out.reply_address = std::move(*address);
    }
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

async::Task<Replies::Known> Replies::known(WorkspaceId workspace,
                                           ThreadId thread,
                                           Bytes origin_mac) {
    const auto body = [workspace, thread, origin_mac](store::Transaction& tx) -> Result<Known> {
        Known out;
        POSTERN_TRY(out.message, rows::find_origin(tx, workspace, thread, origin_mac));
        POSTERN_TRY(out.held, rows::find_held(tx, workspace, thread, origin_mac));
        return out;
    };
    co_return co_await parts_.database.read(body);
}

async::Task<rows::ProbeRow> Replies::probe_of(const Mailbox* mailbox) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto load = [workspace, integration](store::Transaction& tx) {
        return rows::load_probe(tx, workspace, integration);
    };
    auto row = co_await parts_.database.read(load);
    // Some have a single server's name from before.
    if (row && !row->authserv_id.empty()) row->authserv_id = organisation_of(row->authserv_id);
    co_return row;
}

/// Whose results count in this mailbox. The provider writes its own above all that came with the
/// mail, so the topmost name in a participant's mail is learnt; the probe has it learnt anew. What
/// was learnt stays as long as it is seen.
async::Task<std::string> Replies::authserv_of(const Mailbox* mailbox, const Candidate* candidate) {
    auto row = co_await probe_of(mailbox);
    if (!row) co_return fail(std::move(row.error()));
    const auto& results = candidate->authentication;
    if (!row->authserv_is_open || results.empty()) co_return std::move(row->authserv_id);
    auto authserv = std::move(row->authserv_id);
    const bool is_seen = std::ranges::any_of(
        results, [&](const auto& one) { return organisation_of(one.server) == authserv; });
    if (!is_seen) authserv = organisation_of(results.front().server);
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto body = [workspace, integration, authserv](store::Transaction& tx) {
        return rows::put_authserv(tx, workspace, integration, authserv);
    };
    auto learnt = co_await parts_.database.write(body);
    if (!learnt) co_return fail(std::move(learnt.error()));
    co_return authserv;
}

/// Of nobody but participants anything is learnt.
async::Task<Verdict> Replies::verdict_on(const Mailbox* mailbox,
                                         const Match* match,
                                         const Candidate* candidate) {
    JudgedBy by{match->head.people, mailbox->address, "", ReplyAddresses::form_of(*mailbox),
                match->reply_address};
    const auto verdict = judge(*candidate, by);
    if (verdict != Verdict::admit) co_return verdict;
    if (match->by_hint) co_return Verdict::hold_hint;
    auto authserv = co_await authserv_of(mailbox, candidate);
    if (!authserv) co_return fail(std::move(authserv.error()));
    by.authserv = std::move(*authserv);
    co_return judge(*candidate, by);
}

async::Task<> Replies::take_bounce(Mailbox mailbox, Location location, Candidate candidate) {
    auto& totals = totals_[location.integration];
    auto row = co_await probe_of(&mailbox);
    if (!row) co_return fail(std::move(row.error()));
    const auto& authserv = row->authserv_id;
    const bool is_false = candidate.has_sender ||
                          (!authserv.empty() && is_forged(candidate.authentication, authserv));
    if (is_false) {
        ++totals.refused;
        co_return Result<>{};
    }
    auto probe = co_await reply_addresses_.take_bounce(&mailbox, &candidate.our_ids);
    if (!probe) co_return fail(std::move(probe.error()));
    if (*probe) co_return Result<>{};
    FetchMail fetch;
    fetch.integration = location.integration;
    fetch.folder = std::move(location.folder);
    fetch.uid_validity = location.uid_validity;
    fetch.uid = candidate.uid;
    auto kept = co_await bounces_.take(&mailbox, std::move(fetch), location.folder_mac, &candidate);
    if (!kept) co_return fail(std::move(kept.error()));
    ++(*kept ? totals.matched : totals.refused);
    co_return Result<>{};
}

async::Task<> Replies::take(Mailbox mailbox, Location location, Candidate candidate) {
    if (candidate.is_bounce) {
        co_return co_await take_bounce(std::move(mailbox), std::move(location),
                                       std::move(candidate));
    }
    // Where our copies of it may lie, only what a mail system wrote on top tells that it came in.
    const bool was_delivered =
        candidate.has_sender || codec::equal_but_for_case(location.folder, "INBOX");
    auto probe =
        co_await reply_addresses_.take_probe(&mailbox, &candidate.recipients, was_delivered);
    if (!probe) co_return fail(std::move(probe.error()));
    if (*probe) co_return Result<>{};
    auto& totals = totals_[location.integration];
    auto matched = co_await match(&mailbox, &location, &candidate);
    if (!matched) co_return fail(std::move(matched.error()));
    auto& match_found = *matched;
    if (!match_found) {
        ++totals.refused;
        co_return Result<>{};
    }
    auto& found = *match_found;
    auto before = co_await known(mailbox.workspace, found.thread.id, found.origin_mac);
    if (!before) co_return fail(std::move(before.error()));
    if (before->message || before->held) {
        co_return co_await take_known(std::move(found), std::move(location), std::move(candidate),
                                      std::move(*before));
    }
    auto judged = co_await verdict_on(&mailbox, &found, &candidate);
    if (!judged) co_return fail(std::move(judged.error()));
    const auto verdict = *judged;
    Result<> taken{};
    auto* count = &totals.kept;
    if (verdict == Verdict::refuse) {
        count = &totals.refused;
    } else if (verdict == Verdict::admit) {
        auto view = co_await admit(std::move(found), std::move(location), std::move(candidate),
                                   std::nullopt);
        if (!view) taken = fail(std::move(view.error()));
    } else {
        count = &totals.held;
        taken = co_await hold(std::move(found), std::move(location), std::move(candidate),
                              reason_of(verdict));
    }
    // What failed is looked at again, and counted then.
    if (!taken) co_return taken;
    ++totals.matched;
    ++*count;
    co_return taken;
}

/// A further copy: of one whose content was gone it brings that, of one that is held the place
/// where it lies now. A copy that is judged otherwise may be another mail under this id.
async::Task<> Replies::take_known(Match match,
                                  Location location,
                                  Candidate candidate,
                                  Known known) {
    const auto workspace = match.mailbox.workspace;
    const auto stored = std::move(known.message);
    if (stored) {
        if (stored->has_raw || stored->message.direction != Direction::in) co_return Result<>{};
        auto lacks = co_await lacks_content(workspace, stored->message);
        if (!lacks) co_return fail(std::move(lacks.error()));
        if (!*lacks) co_return Result<>{};
    }
    auto judged = co_await verdict_on(&match.mailbox, &match, &candidate);
    if (!judged) co_return fail(std::move(judged.error()));
    const auto verdict = *judged;
    if (stored) {
        if (verdict != Verdict::admit) co_return Result<>{};
        const auto id = stored->message.id;
        co_return co_await fill(std::move(match), std::move(location), std::move(candidate), id);
    }
    auto held = std::move(known.held);
    const bool is_same =
        held && (verdict == Verdict::admit ||
                 (verdict != Verdict::refuse && reason_of(verdict) == held->reason));
    if (!held || !is_same) co_return Result<>{};
    const bool is_there = held->folder_mac == location.folder_mac &&
                          held->uid_validity == location.uid_validity && held->uid == candidate.uid;
    if (is_there) co_return Result<>{};
    auto comparing = is_by_authors_of(workspace, *held, &candidate);
    const auto same_authors = co_await std::move(comparing);
    if (!same_authors) co_return fail(same_authors.error());
    if (*same_authors) {
        co_return co_await move_held(std::move(match), std::move(location), std::move(candidate),
                                     std::move(*held));
    }
    // A person decides about whom they were shown. What needs no decision waits for none.
    if (verdict != Verdict::admit) co_return Result<>{};
    auto view =
        co_await admit(std::move(match), std::move(location), std::move(candidate), std::nullopt);
    if (!view) co_return fail(std::move(view.error()));
    co_return Result<>{};
}

async::Task<bool> Replies::is_by_authors_of(WorkspaceId workspace,
                                            rows::HeldRow held,
                                            const Candidate* candidate) {
    auto opened = co_await keys::open_record(
        &parts_.keeper, workspace, store::data_map::store::held_mails::sender.value,
        crypto::row_key(held.id), std::move(held.sealed_sender), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    const auto before = decode_held_sender(*opened);
    if (!before) co_return fail(Error(before.error()));
    co_return have_same_authors(before->candidate, *candidate);
}

async::Task<> Replies::move_held(Match match,
                                 Location location,
                                 Candidate candidate,
                                 rows::HeldRow held) {
    const auto workspace = match.mailbox.workspace;
    auto sealed = co_await seal_sender(&match, &location, &candidate, held.id);
    if (!sealed) co_return fail(std::move(sealed.error()));
    held.sealed_sender = std::move(*sealed);
    held.folder_mac = location.folder_mac;
    held.uid_validity = location.uid_validity;
    held.uid = candidate.uid;
    const auto body = [workspace, held](store::Transaction& tx) {
        return rows::move_held(tx, workspace, held);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<Bytes> Replies::seal_sender(const Match* match,
                                        const Location* location,
                                        const Candidate* candidate,
                                        MessageId id) {
    HeldSender sender{*candidate, location->folder};
    co_return co_await keys::seal_record(
        &parts_.keeper, match->mailbox.workspace, store::data_map::store::held_mails::sender.value,
        crypto::row_key(id), keys::encode_record(std::move(sender)), keeper_deadline());
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
    auto sealed = co_await seal_sender(&match, &location, &candidate, held.id);
    if (!sealed) co_return fail(std::move(sealed.error()));
    held.sealed_sender = std::move(*sealed);
    const auto body = [this, workspace, held](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto added, rows::insert_held(tx, workspace, held));
        if (!added) return {};
        events::Event event{"message.held",
                            held.thread,
                            {{"thread_id", held.thread.text()}, {"message_id", held.id.text()}}};
        return parts_.events.append(tx, workspace, event);
    };
    auto written = co_await parts_.database.write(body);
    if (written) parts_.events.published(workspace);
    co_return written;
}

async::Task<MessageView> Replies::accept_held(audit::By by, Viewer viewer, MessageId id) {
    // Two accepted at once both let somebody join: the one that comes second looks again.
    for (int tries = 0;; ++tries) {
        auto accepted = co_await try_accept(by, viewer, id);
        const bool changed =
            !accepted && accepted.error().is(MailServiceError::thread_changed) && tries < 3;
        if (!changed) co_return accepted;
    }
}

async::Task<MessageView> Replies::try_accept(audit::By by, Viewer viewer, MessageId id) {
    const auto workspace = viewer.workspace();
    const auto body = [viewer, id](store::Transaction& tx) {
        return rows::load_seen_held(tx, viewer, id);
    };
    auto row = co_await parts_.database.read(body);
    if (!row) co_return fail(std::move(row.error()));
    auto opened = co_await keys::open_record(
        &parts_.keeper, workspace, store::data_map::store::held_mails::sender.value,
        crypto::row_key(id), std::move(row->sealed_sender), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    auto sender = decode_held_sender(*opened);
    if (!sender) co_return fail(std::move(sender.error()));
    auto open =
        co_await parts_.mailboxes.check_open(workspace, row->integration, MailVerb::read_replies);
    if (!open) co_return fail(std::move(open.error()));
    auto mailbox = co_await parts_.mailboxes.find(workspace, row->integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    Location location{row->integration, sender->folder, row->folder_mac, row->uid_validity};
    auto matched = co_await match(&*mailbox, &location, &sender->candidate);
    if (!matched) co_return fail(std::move(matched.error()));
    auto& found = *matched;
    if (!found) co_return fail(MailServiceError::message_not_found);
    auto before = co_await known(workspace, found->thread.id, found->origin_mac);
    if (!before) co_return fail(std::move(before.error()));
    // Another author's mail under this id is in the thread: this one is stored beside it.
    if (before->message) found->origin_mac = origin_beside(found->origin_mac, id);
    std::optional<Accepted> accepted = Accepted{id, std::move(by), viewer};
    co_return co_await admit(std::move(*found), std::move(location), std::move(sender->candidate),
                             std::move(accepted));
}

}  // namespace postern::mail
