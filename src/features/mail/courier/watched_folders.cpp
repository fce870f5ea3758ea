#include "features/mail/courier/watched_folders.h"

#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
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

/// Mails further up, or some of the hits once more.
void add_found(WatchedFolders::Round& round, std::vector<imap::Uid> uids) {
    if (uids.empty()) return;
    round.first = std::min(round.first, uids.front());
    std::ranges::move(uids, std::back_inserter(round.hits));
    std::ranges::sort(round.hits);
    const auto [first, last] = std::ranges::unique(round.hits);
    round.hits.erase(first, last);
}

}  // namespace

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
        if (polled && wants_start(at)) {
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
    if (!opened || !wants_start(0)) co_return opened;
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
        folder.is_new = is_new;
        folder.validity_changed = folder.validity_changed || !is_new;
        folder.renumbered = folder.renumbered || !is_new;
        cursor.uid_validity = *state.uid_validity;
        cursor.next_uid = is_new ? *state.uid_next : 1;
        folder.began = 0;
        folder.hints.clear();
    }
    if (folder.began == 0) folder.began = folder.hinted = cursor.next_uid;
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
    const bool looks_back =
        !folder.late.empty() || (folder.wants_hints && folder.hinted < folder.cursor.next_uid);
    return (more || folder.validity_changed || looks_back) && !folder.postponed;
}

void WatchedFolders::look_for_hints() {
    for (auto& folder : folders_)
        folder.wants_hints = !by_headers_;
}

void WatchedFolders::look_back_for(const std::vector<std::string>& ids) {
    if (by_headers_) return;
    for (auto& folder : folders_) {
        folder.late.insert(folder.late.end(), ids.begin(), ids.end());
        if (folder.late.size() <= KnownIds::k_learned_max) continue;
        const auto over = folder.late.size() - KnownIds::k_learned_max;
        folder.late.erase(folder.late.begin(),
                          folder.late.begin() + static_cast<std::ptrdiff_t>(over));
    }
}

bool WatchedFolders::wants_resync(std::size_t at) const {
    const auto& folder = folders_[at];
    // What is looked for below its end is missed above it.
    const bool has_open_end = folder.wants_hints && folder.open_searches != 0;
    return folder.postponed || has_open_end || folder.open_searches >= k_open_searches_max;
}

async::Task<WatchedFolders::Round> WatchedFolders::search(std::size_t at) {
    auto opening = open(at);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (!is_due(at)) co_return Round{};
    auto& folder = folders_[at];
    if (by_headers_) {
        folder.late.clear();
        folder.wants_hints = false;
        auto looking = look_at_headers(at);
        co_return co_await std::move(looking);
    }
    if (folder.changed && known_.asks_in_several()) {
        auto ending = resync(at);
        const auto ended = co_await std::move(ending);
        if (!ended) co_return fail(ended.error());
    }
    auto looking_back = search_back(at);
    auto missed = co_await std::move(looking_back);
    if (!missed) co_return fail(missed.error());
    Round round{.is_due = true,
                .by_headers = false,
                .first = folder.cursor.next_uid,
                .next = folder.cursor.next_uid,
                .validity_changed = folder.validity_changed,
                .hits = {}};

    if (at != 0) folder.rests_until = Deadline::in(rest_);
    // Several commands have one end, told before: each alone would end at a mail of its own.
    const bool to_the_newest = folder.changed && !known_.asks_in_several();
    if (to_the_newest) folder.changed = false;
    std::vector<imap::SearchQuery> queries;
    if (to_the_newest || folder.end > round.first) {
        auto made = known_.queries(round.first, to_the_newest ? 0 : folder.end - 1);
        if (!made) co_return fail(MailError::protocol_violation, made.error().detail());
        queries = std::move(*made);
    }
    auto asking = ask_server(std::move(queries));
    auto found = co_await std::move(asking);
    if (!found) co_return fail(found.error());
    // Told while the server searched: perhaps too late for this search.
    if (session_.engine().take_mailbox_changed()) folder.changed = true;
    if (to_the_newest) ++folder.open_searches;
    round.hits = std::move(*found);
    round.next = std::max(round.first, folder.end);
    if (!round.hits.empty()) round.next = std::max(round.next, round.hits.back() + 1);
    auto hinting = search_for_hints(at, round.next);
    auto hinted = co_await std::move(hinting);
    if (!hinted) co_return fail(hinted.error());
    add_found(round, std::move(*missed));
    add_found(round, std::move(*hinted));
    co_return round;
}

/// Below `end`: of what the server finds that whose Thread-Index is ours. Of the rest nothing else
/// is asked for.
async::Task<std::vector<imap::Uid>> WatchedFolders::search_for_hints(std::size_t at,
                                                                     imap::Uid end) {
    auto& folder = folders_[at];
    folder.hints.clear();
    std::vector<imap::Uid> out;
    if (!folder.wants_hints || folder.hinted >= end) co_return out;
    const auto query = known_.query_for_hints(folder.hinted, end - 1);
    if (!query) co_return out;
    folder.hinting = end;
    auto searching = session_.run<imap::SearchResult>(session_.engine().search(*query));
    const auto found = co_await std::move(searching);
    if (!found && !session_.is_refusal(found.error())) co_return fail(found.error());
    if (!found || found->uids.empty() || found->uids.size() > k_hints_max) co_return out;
    auto asking = fetch_fields(at, found->uids, {"THREAD-INDEX"});
    const auto asked = co_await std::move(asking);
    if (!asked) co_return fail(asked.error());
    for (const auto& mail : asked->mails) {
        if (known_.is_hinted(mail.block)) folder.hints.insert(mail.uid);
    }
    out.assign(folder.hints.begin(), folder.hints.end());
    co_return out;
}

/// What lies before the cursor and names an id that was learnt too late for its search.
async::Task<std::vector<imap::Uid>> WatchedFolders::search_back(std::size_t at) {
    auto& folder = folders_[at];
    // More may be learnt while the server searches.
    const auto late = std::exchange(folder.late, {});
    if (late.empty() || folder.began >= folder.cursor.next_uid) {
        co_return std::vector<imap::Uid>{};
    }
    auto queries = KnownIds::queries_for(late, folder.began, folder.cursor.next_uid - 1);
    if (!queries) co_return fail(MailError::protocol_violation, queries.error().detail());
    auto asking = ask_server(std::move(*queries));
    auto found = co_await std::move(asking);
    if (!found) folder.late.insert(folder.late.begin(), late.begin(), late.end());
    co_return found;
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

/// An answer may have come before the first watch began. Where numbers are new, the search for our
/// ids goes over the whole folder, but fields are not looked at there.
bool WatchedFolders::wants_start(std::size_t at) const {
    const auto& folder = folders_[at];
    return (folder.is_new && seen_at_ms_ != 0) || (folder.renumbered && by_headers_);
}

/// The fields of old mail are nobody's business: only what came since answers may have come is
/// looked at. A day more, because servers date in zones of theirs.
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
    auto& folder = folders_[at];
    folder.cursor.next_uid = start;
    if (folder.is_new) folder.began = folder.hinted = start;
    folder.is_new = folder.renumbered = false;
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

void WatchedFolders::commit(std::size_t at, imap::Uid next) {
    auto& folder = folders_[at];
    folder.cursor.next_uid = next;
    folder.validity_changed = folder.renumbered = false;
    if (folder.hinting == 0 || next < folder.hinting) return;
    folder.hinted = std::exchange(folder.hinting, 0);
    folder.wants_hints = false;
}

void WatchedFolders::postpone(std::size_t at) {
    folders_[at].postponed = true;
}

}  // namespace postern::mail::courier
