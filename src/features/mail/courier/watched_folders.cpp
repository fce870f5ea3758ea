#include "features/mail/courier/watched_folders.h"

#include "features/mail/courier/author_kind.h"
#include "features/mail/courier/bounce.h"
#include "features/mail/courier/candidate.h"
#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "platform/async/task.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr UnixMs k_day_ms = 86'400'000;

/// Front learns that there is one, and nothing of it.
Candidate nothing_of(imap::Uid uid, bool is_bounce = false) {
    Candidate out;
    out.uid = uid;
    out.is_bounce = is_bounce;
    return out;
}

bool may_be_bounce(ByteView header) {
    const auto block = imap::HeaderBlock::parse(header);
    return block && courier::may_be_bounce(*block);
}

}  // namespace

void HeaderTrouble::note(const std::vector<Mail>& batch) {
    if (doubtful.size() + unreadable.size() + batch.size() > k_entries_max) {
        doubtful.clear();
        unreadable.clear();
    }
    auto& into = batch.size() == 1 ? unreadable : doubtful;
    into.insert(batch.begin(), batch.end());
}

bool HeaderTrouble::refused(const Mail& mail, bool for_now) {
    if (refusals.size() >= k_entries_max && !refusals.contains(mail)) refusals.clear();
    auto& count = refusals[mail];
    ++(for_now ? count.for_now : count.plain);
    return count.plain >= k_refusals_max || count.for_now >= k_refusals_for_now_max;
}

async::Task<> WatchedFolders::begin(std::vector<FolderCursor> known) {
    auto listing = session_.run<imap::FolderList>(session_.engine().list_folders());
    const auto list = co_await std::move(listing);
    if (!list) co_return fail(list.error());
    for (auto& name : folders_to_watch(*list)) {
        FolderCursor cursor;
        cursor.folder = name.utf8();
        const auto old = std::ranges::find(known, cursor.folder, &FolderCursor::folder);
        if (old != known.end()) cursor = *old;
        folders_.push_back(Folder{.name = std::move(name), .cursor = std::move(cursor)});
    }
    // From the last, so that erasing one moves none that is still to come.
    for (std::size_t at = folders_.size(); at-- > 1;) {
        auto polling = poll(at);
        const auto polled = co_await std::move(polling);
        if (polled && by_headers_ && folders_[at].renumbered) {
            auto finding = find_start(at);
            const auto found = co_await std::move(finding);
            if (!found) co_return fail(found.error());
        }
        if (polled) continue;
        if (session_.closed()) co_return fail(polled.error());
        folders_.erase(folders_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    auto opening = resync(0);
    const auto opened = co_await std::move(opening);
    if (!opened || !by_headers_ || !folders_[0].renumbered) co_return opened;
    auto finding = find_start(0);
    co_return co_await std::move(finding);
}

std::vector<FolderCursor> WatchedFolders::cursors() const {
    std::vector<FolderCursor> out;
    out.reserve(folders_.size());
    for (const auto& folder : folders_)
        out.push_back(folder.cursor);
    return out;
}

std::optional<std::size_t> WatchedFolders::find(const std::string& folder) const {
    for (std::size_t at = 0; at < folders_.size(); ++at) {
        if (folders_[at].cursor.folder == folder) return at;
    }
    return std::nullopt;
}

Result<> WatchedFolders::note_state(Folder& folder, const imap::FolderState& state) {
    auto& cursor = folder.cursor;
    if (!state.uid_validity || !state.uid_next || *state.uid_next == 0) {
        return fail(MailError::protocol_violation, "no UIDVALIDITY or UIDNEXT");
    }
    if (cursor.uid_validity != *state.uid_validity) {
        // The old numbers mean nothing now, the floor included: the whole folder is searched for
        // our label, which finds no foreign mail. What was taken in before is known by its
        // Message-ID.
        const bool is_new = cursor.uid_validity == 0;
        folder.validity_changed = folder.validity_changed || !is_new;
        folder.renumbered = folder.renumbered || !is_new;
        cursor.uid_validity = *state.uid_validity;
        cursor.next_uid = is_new ? *state.uid_next : 1;
    }
    folder.end = *state.uid_next;
    // A server that was set back without saying so: what it gives out again is looked at again.
    folder.renumbered = folder.renumbered || cursor.next_uid > folder.end;
    cursor.next_uid = std::min(cursor.next_uid, folder.end);
    return {};
}

async::Task<> WatchedFolders::notify() {
    notified_ = false;
    if (!session_.engine().capabilities().notify) co_return Result<>{};
    std::vector<imap::FolderName> names;
    names.reserve(folders_.size());
    for (const auto& folder : folders_)
        names.push_back(folder.name);
    auto asking = session_.run<imap::Done>(session_.engine().notify(names));
    const auto asked = co_await std::move(asking);
    if (!asked && session_.closed()) co_return fail(asked.error());
    // One that offers it and refuses is polled, as one that does not offer it.
    notified_ = wants_notify_ = asked.has_value();
    co_return Result<>{};
}

bool WatchedFolders::take_news() {
    auto& engine = session_.engine();
    for (const auto& told : engine.take_folder_news()) {
        const auto at = find(told.folder.utf8());
        if (!at || *at == open_) continue;
        // Servers may leave UIDVALIDITY out where it did not change (RFC 5465 section 5.4).
        auto state = told.state;
        if (!state.uid_validity) state.uid_validity = folders_[*at].cursor.uid_validity;
        // A state that makes no sense is asked for at the next poll.
        (void)note_state(folders_[*at], state);
    }
    // Once for each notify(): a server that says so all the time is polled.
    const bool lost = engine.take_news_lost() && notified_;
    notified_ = notified_ && !lost;
    return lost;
}

std::optional<std::size_t> WatchedFolders::next_other() const {
    for (std::size_t at = 1; at < folders_.size(); ++at) {
        const auto& rests = folders_[at].rests_until;
        if (is_due(at) && (!rests || rests->passed())) return at;
    }
    return std::nullopt;
}

std::optional<Deadline> WatchedFolders::next_rested() const {
    std::optional<Deadline> first;
    for (std::size_t at = 1; at < folders_.size(); ++at) {
        const auto& rests = folders_[at].rests_until;
        if (!is_due(at) || !rests) continue;
        if (!first || rests->at() < first->at()) first = rests;
    }
    return first;
}

async::Task<> WatchedFolders::open(std::size_t at) {
    if (open_ == at) co_return Result<>{};
    auto opening = resync(at);
    co_return co_await std::move(opening);
}

async::Task<> WatchedFolders::resync(std::size_t at) {
    open_ = k_none;
    auto examining = session_.run<imap::FolderState>(session_.engine().examine(folders_[at].name));
    const auto state = co_await std::move(examining);
    if (!state) co_return fail(state.error());
    open_ = at;
    auto& folder = folders_[at];
    folder.changed = folder.postponed = false;
    folder.open_searches = 0;
    co_return note_state(folder, *state);
}

async::Task<> WatchedFolders::poll(std::size_t at) {
    auto asking =
        session_.run<imap::FolderState>(session_.engine().ask_folder_state(folders_[at].name));
    const auto state = co_await std::move(asking);
    if (!state) co_return fail(state.error());
    folders_[at].postponed = false;
    co_return note_state(folders_[at], *state);
}

void WatchedFolders::note_change() {
    if (open_ < folders_.size()) folders_[open_].changed = true;
}

bool WatchedFolders::is_due(std::size_t at) const {
    const auto& folder = folders_[at];
    const bool more = folder.changed || folder.end > folder.cursor.next_uid;
    return (more || folder.validity_changed) && !folder.postponed;
}

bool WatchedFolders::wants_resync(std::size_t at) const {
    return folders_[at].postponed || folders_[at].open_searches >= k_open_searches_max;
}

async::Task<WatchedFolders::Round> WatchedFolders::search(std::size_t at) {
    auto opening = open(at);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (!is_due(at)) co_return Round{};
    if (by_headers_) {
        auto looking = look_at_headers(at);
        co_return co_await std::move(looking);
    }
    auto& folder = folders_[at];
    Round round{.is_due = true,
                .by_headers = false,
                .first = folder.cursor.next_uid,
                .next = folder.cursor.next_uid,
                .validity_changed = folder.validity_changed,
                .hits = {}};

    if (at != 0) folder.rests_until = Deadline::in(rest_);
    const bool to_the_newest = folder.changed;
    folder.changed = false;
    auto queries = known_.queries(round.first, to_the_newest ? 0 : folder.end - 1);
    if (!queries) co_return fail(MailError::protocol_violation, queries.error().detail());
    auto asking = ask_server(std::move(*queries));
    auto found = co_await std::move(asking);
    if (!found) co_return fail(found.error());
    // Told while the server searched: perhaps too late for this search.
    if (session_.engine().take_mailbox_changed()) folder.changed = true;
    if (to_the_newest) ++folder.open_searches;
    round.hits = std::move(*found);
    round.next = std::max(round.first, folder.end);
    if (!round.hits.empty()) round.next = std::max(round.next, round.hits.back() + 1);
    co_return round;
}

/// Ascending, each once.
async::Task<std::vector<imap::Uid>> WatchedFolders::ask_server(
    std::vector<imap::SearchQuery> queries) {
    std::vector<imap::Uid> out;
    for (const auto& query : queries) {
        auto searching = session_.run<imap::SearchResult>(session_.engine().search(query));
        const auto found = co_await std::move(searching);
        if (!found) co_return fail(found.error());
        out.insert(out.end(), found->uids.begin(), found->uids.end());
    }
    std::ranges::sort(out);
    const auto [first, last] = std::ranges::unique(out);
    out.erase(first, last);
    co_return out;
}

/// The fields of old mail are nobody's business: of a folder whose numbers are new only what came
/// since the cursors were true is looked at. A day more, because servers date in zones of theirs.
async::Task<> WatchedFolders::find_start(std::size_t at) {
    auto opening = open(at);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    auto start = folders_[at].end;
    if (seen_at_ms_ > k_day_ms) {
        const auto query = imap::SearchQuery::since(seen_at_ms_ - k_day_ms);
        if (!query) co_return fail(to_mail_error(query.error()));
        auto searching = session_.run<imap::SearchResult>(session_.engine().search(*query));
        const auto found = co_await std::move(searching);
        if (!found && !session_.is_refusal(found.error())) co_return fail(found.error());
        if (found && !found->uids.empty()) start = std::min(start, found->uids.front());
    }
    folders_[at].cursor.next_uid = start;
    folders_[at].renumbered = false;
    co_return Result<>{};
}

async::Task<WatchedFolders::Round> WatchedFolders::look_at_headers(std::size_t at) {
    // Without a search "up to the newest" its end must be known.
    if (folders_[at].changed) {
        auto asking = resync(at);
        const auto asked = co_await std::move(asking);
        if (!asked) co_return fail(asked.error());
    }
    if (folders_[at].renumbered) {
        auto finding = find_start(at);
        const auto found = co_await std::move(finding);
        if (!found) co_return fail(found.error());
    }
    if (at != 0) folders_[at].rests_until = Deadline::in(rest_);
    const auto first = folders_[at].cursor.next_uid;
    const auto end = std::max(first, folders_[at].end);
    Round round{.is_due = true,
                .by_headers = true,
                .first = first,
                .next = end - first > k_headers_round ? first + k_headers_round : end,
                .validity_changed = folders_[at].validity_changed,
                .hits = {}};
    std::vector<imap::Uid> batch;
    for (auto uid = round.first; uid < round.next; ++uid) {
        const auto mail = mail_at(at, uid);
        if (trouble_->unreadable.contains(mail)) continue;
        const bool alone = trouble_->doubtful.contains(mail);
        if (!alone) batch.push_back(uid);
        if (alone) {
            auto looking = add_hits(at, {uid}, &round.hits);
            const auto looked = co_await std::move(looking);
            if (!looked) co_return fail(looked.error());
        }
        if (batch.size() < k_headers_batch && uid + 1 < round.next) continue;
        auto looking = add_hits(at, std::exchange(batch, {}), &round.hits);
        const auto looked = co_await std::move(looking);
        if (!looked) co_return fail(looked.error());
    }
    std::ranges::sort(round.hits);
    co_return round;
}

/// What is no hit is wiped within this call, and nobody is told of it.
async::Task<> WatchedFolders::add_hits(std::size_t at,
                                       std::vector<imap::Uid> uids,
                                       std::vector<imap::Uid>* hits) {
    if (uids.empty()) co_return Result<>{};
    std::vector<std::string> fields{"IN-REPLY-TO", "REFERENCES"};
    auto fetching = fetch_fields(at, std::move(uids), std::move(fields));
    const auto fetched = co_await std::move(fetching);
    if (!fetched) co_return fail(fetched.error());
    for (const auto& mail : fetched->mails) {
        if (known_.are_in(mail.block)) hits->push_back(mail.uid);
    }
    co_return Result<>{};
}

async::Task<std::vector<Candidate>> WatchedFolders::headers(std::size_t at,
                                                            std::vector<imap::Uid> uids) {
    const auto validity = folders_[at].cursor.uid_validity;
    auto opening = open(at);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (folders_[at].cursor.uid_validity != validity) co_return fail(MailError::not_found);
    std::vector<Candidate> out;
    std::vector<imap::Uid> batch;
    for (const auto uid : uids) {
        const auto mail = mail_at(at, uid);
        if (trouble_->unreadable.contains(mail)) {
            out.push_back(nothing_of(uid));
        } else if (trouble_->doubtful.contains(mail)) {
            auto fetching = fetch_headers(at, {uid});
            auto alone = co_await std::move(fetching);
            if (!alone) co_return fail(alone.error());
            std::ranges::move(*alone, std::back_inserter(out));
        } else {
            batch.push_back(uid);
        }
    }
    if (!batch.empty()) {
        auto fetching = fetch_headers(at, std::move(batch));
        auto rest = co_await std::move(fetching);
        if (!rest) co_return fail(rest.error());
        std::ranges::move(*rest, std::back_inserter(out));
    }
    std::ranges::sort(out, {}, &Candidate::uid);
    auto naming = name_originals(at, &out);
    const auto named = co_await std::move(naming);
    if (!named) co_return fail(named.error());
    for (auto& candidate : out) {
        if (candidate.our_ids.empty()) candidate = nothing_of(candidate.uid, candidate.is_bounce);
    }
    co_return out;
}

/// A bounce counts for what it is about, not for what it may answer.
async::Task<> WatchedFolders::name_originals(std::size_t at, std::vector<Candidate>* candidates) {
    BounceReader bounces(session_, known_);
    bool all_named = true;
    for (auto& candidate : *candidates) {
        if (!candidate.is_bounce) continue;
        auto reading = bounces.original_id(candidate.uid);
        auto named = co_await std::move(reading);
        if (!named && !session_.is_refusal(named.error())) co_return fail(named.error());
        candidate.our_ids.clear();
        if (!named) {
            all_named = note_refusal(at, candidate.uid) && all_named;
            continue;
        }
        auto id = std::move(*named);
        if (id) candidate.our_ids.push_back(std::move(*id));
    }
    if (!all_named) co_return fail(MailError::mail_refused);
    co_return Result<>{};
}

async::Task<bool> WatchedFolders::is_bounce_of_ours(imap::Uid uid) {
    BounceReader bounces(session_, known_);
    auto reading = bounces.original_id(uid);
    const auto id = co_await std::move(reading);
    if (!id) co_return fail(id.error());
    co_return id->has_value();
}

async::Task<std::vector<Candidate>> WatchedFolders::fetch_headers(std::size_t at,
                                                                  std::vector<imap::Uid> uids) {
    std::vector<Candidate> out;
    auto choosing = choose(at, std::move(uids), &out);
    auto chosen = co_await std::move(choosing);
    if (!chosen) co_return fail(chosen.error());
    uids = std::move(*chosen);
    if (uids.empty()) co_return out;
    auto fetching = fetch_fields(at, uids, candidate_fields());
    const auto fetched = co_await std::move(fetching);
    if (!fetched) co_return fail(fetched.error());
    for (const auto& mail : fetched->mails)
        out.push_back(read_candidate(mail.uid, mail.block, known_));
    for (const auto uid : uids) {
        if (trouble_->unreadable.contains(mail_at(at, uid))) out.push_back(nothing_of(uid));
    }
    co_return out;
}

/// Those whose sender may be asked for: answers to ours, and what a mail system may have written.
/// A server whose search finds too much shows no more of other mail than in the absence of one.
async::Task<std::vector<imap::Uid>> WatchedFolders::choose(std::size_t at,
                                                           std::vector<imap::Uid> uids,
                                                           std::vector<Candidate>* others) {
    auto asking = fetch_fields(at, uids, {"IN-REPLY-TO", "REFERENCES", "CONTENT-TYPE"});
    const auto asked = co_await std::move(asking);
    if (!asked) co_return fail(asked.error());
    for (const auto uid : uids) {
        if (trouble_->unreadable.contains(mail_at(at, uid))) others->push_back(nothing_of(uid));
    }
    std::vector<imap::Uid> chosen;
    std::vector<imap::Uid> unclear;
    for (const auto& mail : asked->mails) {
        const bool is_one = known_.are_in(mail.block) || may_be_bounce(mail.block);
        (is_one ? chosen : unclear).push_back(mail.uid);
    }
    if (unclear.empty()) co_return chosen;
    // What qmail writes is told by its author alone.
    auto naming = fetch_fields(at, std::move(unclear), {"FROM"});
    const auto named = co_await std::move(naming);
    if (!named) co_return fail(named.error());
    for (const auto& mail : named->mails) {
        if (may_be_bounce(mail.block))
            chosen.push_back(mail.uid);
        else
            others->push_back(nothing_of(mail.uid));
    }
    std::ranges::sort(chosen);
    co_return chosen;
}

/// A batch that is refused is asked for in halves, so that one mail keeps back no other.
async::Task<imap::HeaderBatch> WatchedFolders::fetch_fields(std::size_t at,
                                                            std::vector<imap::Uid> uids,
                                                            std::vector<std::string> fields) {
    imap::HeaderBatch out;
    std::vector<std::vector<imap::Uid>> batches{std::move(uids)};
    unsigned refused = 0;
    while (!batches.empty() && refused < k_refused_at_once_max) {
        const auto batch = std::move(batches.back());
        batches.pop_back();
        auto set = imap::UidSet::of(batch);
        if (!set) co_return fail(to_mail_error(set.error()));
        const imap::HeaderRequest request{
            .uids = std::move(*set), .fields = fields, .with_mail_size = false};
        auto fetching = session_.run<imap::HeaderBatch>(session_.engine().fetch_headers(request));
        auto fetched = co_await std::move(fetching);
        if (fetched) {
            std::ranges::move(fetched->mails, std::back_inserter(out.mails));
            continue;
        }
        if (fetched.error().is(MailError::too_large)) note_too_large(at, batch);
        if (!session_.is_refusal(fetched.error())) co_return fail(fetched.error());
        if (batch.size() > 1) {
            const auto half = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
            batches.emplace_back(half, batch.end());
            batches.emplace_back(batch.begin(), half);
        } else if (note_refusal(at, batch.front())) {
            trouble_->note({mail_at(at, batch.front())});
        } else {
            ++refused;
        }
    }
    if (session_.engine().take_mailbox_changed()) note_change();
    if (refused != 0) co_return fail(MailError::mail_refused);
    co_return out;
}

HeaderTrouble::Mail WatchedFolders::mail_at(std::size_t at, imap::Uid uid) const {
    const auto& cursor = folders_[at].cursor;
    return {cursor.folder, cursor.uid_validity, uid};
}

void WatchedFolders::note_too_large(std::size_t at, const std::vector<imap::Uid>& batch) {
    std::vector<HeaderTrouble::Mail> mails;
    mails.reserve(batch.size());
    for (const auto uid : batch)
        mails.push_back(mail_at(at, uid));
    trouble_->note(mails);
}

bool WatchedFolders::note_refusal(std::size_t at, imap::Uid uid) {
    return trouble_->refused(mail_at(at, uid), session_.refused_for_now());
}

void WatchedFolders::commit(std::size_t at, imap::Uid next) {
    folders_[at].cursor.next_uid = next;
    folders_[at].validity_changed = folders_[at].renumbered = false;
}

void WatchedFolders::postpone(std::size_t at) {
    folders_[at].postponed = true;
}

}  // namespace postern::mail::courier
