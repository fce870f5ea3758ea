#include "features/mail/courier/watcher.h"

#include "features/mail/courier/candidate.h"
#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/courier/watched_folders.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/uid_set.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/os/files.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

using std::chrono_literals::operator""min;

/// Front answers within it or has lost the mail's report; it fetches meanwhile.
constexpr std::chrono::milliseconds k_report_max = 15min;
constexpr std::chrono::milliseconds k_wish_max = 15min;

}  // namespace

Watcher::Watcher(Parts parts, Watch asked)
    : context_(std::move(parts.context)),
      front_(*parts.front),
      group_(*parts.group),
      options_(parts.options),
      trouble_(std::move(parts.trouble)),
      integration_(asked.integration),
      ids_(std::move(asked.search_label)),
      by_headers_(asked.by_headers),
      seen_at_ms_(asked.seen_at_ms),
      known_(std::move(asked.cursors)),
      by_address_(asked.by_address),
      wake_(group_.executor()) {
    ids_.learn(asked.learned_ids);
}

Watcher::~Watcher() = default;

async::Task<Watch::Answer> Watcher::begin(OpenedUse opened) {
    own_address_ = opened.destination.address;
    if (by_address_) watch_addresses();
    auto opening = open_imap(context_, std::move(opened));
    auto session = co_await std::move(opening);
    if (!session) {
        close_down(session.error());
        co_return fail(session.error());
    }
    session_ = std::move(*session);
    context_.use->on_end([this] {
        session_->abort();
        wake_.set();
    });
    folders_ = std::make_unique<WatchedFolders>(*session_, ids_, trouble_, options_.other_rest);
    folders_->look_by_headers(by_headers_);
    folders_->seen_at(seen_at_ms_);
    auto beginning = folders_->begin(std::exchange(known_, {}));
    const auto begun = co_await std::move(beginning);
    if (!begun) {
        close_down(begun.error());
        co_return fail(begun.error());
    }
    auto notifying = folders_->notify();
    const auto notified = co_await std::move(notifying);
    if (!notified) {
        close_down(notified.error());
        co_return fail(notified.error());
    }
    Watch::Answer answer;
    answer.cursors = folders_->cursors();
    answer.bytes = session_->bytes_received();
    co_return answer;
}

async::Job Watcher::run() {
    const auto self = shared_from_this();
    auto watching = watch();
    const auto ended = co_await std::move(watching);
    const auto why = ended ? Error(MailError::connection_lost) : ended.error();
    close_down(why);
    if (stopped_) co_return;
    auto telling = front_.watch_ended(WatchEnded{integration_, mail_error_of(why)});
    // Front that cannot be told is gone, and with it everything that would want to know.
    (void)co_await std::move(telling);
}

void Watcher::close_down(const Error& why) {
    over_ = true;
    context_.use->on_end(nullptr);
    folders_.reset();
    session_.reset();
    for (auto& wish : std::exchange(fetches_, {}))
        wish->settle(fail(why));
    for (auto& wish : std::exchange(searches_, {}))
        wish->settle(fail(why));
}

void Watcher::stop() {
    stopped_ = true;
    context_.use->end();
}

void Watcher::set(const SetWatch& asked) {
    std::vector<std::string> further;
    std::ranges::copy_if(asked.learned_ids, std::back_inserter(further),
                         [&](const auto& id) { return !ids_.contains(id); });
    ids_.learn(asked.learned_ids);
    by_headers_ = asked.by_headers;
    if (!folders_) return;
    folders_->look_by_headers(by_headers_);
    if (further.empty()) return;
    folders_->look_back_for(further);
    wake();
}

void Watcher::watch_addresses() {
    by_address_ = true;
    // Before begin() nobody has said yet whose mailbox it is.
    if (!own_address_.empty()) ids_.watch_addresses(own_address_);
}

void Watcher::wake() {
    wake_.set();
    if (session_) session_->wake();
}

Result<> Watcher::check_alive() const {
    if (context_.use->ended()) return fail(MailError::use_ended);
    if (session_->closed()) return fail(MailError::connection_lost);
    return {};
}

async::Task<> Watcher::watch() {
    auto next_poll = poll_after();
    auto next_hints = Deadline::in(options_.hints_interval);
    while (true) {
        if (const auto alive = check_alive(); !alive) co_return fail(alive.error());
        auto serving = serve_fetches();
        const auto served = co_await std::move(serving);
        if (!served) co_return fail(served.error());
        if (!searches_.empty()) {
            auto searching = search_as_asked();
            const auto searched = co_await std::move(searching);
            if (!searched) co_return fail(searched.error());
            continue;
        }
        if (next_hints.passed()) {
            folders_->look_for_hints();
            next_hints = Deadline::in(options_.hints_interval);
        }
        auto looking = look_where_due(&next_poll);
        const auto looked = co_await std::move(looking);
        if (!looked) co_return fail(looked.error());
        if (*looked) continue;
        auto waiting = wait_for_change(next_poll);
        const auto waited = co_await std::move(waiting);
        if (!waited) co_return fail(waited.error());
    }
}

Deadline Watcher::poll_after() const {
    // A server that tells of every folder is asked only to see that it is still there.
    return Deadline::in(folders_->is_notified()
                            ? std::max(options_.idle_max, options_.poll_interval)
                            : options_.poll_interval);
}

/// A folder that is no longer there, or that the server does not want to tell about now; in INBOX,
/// one mail.
bool Watcher::may_wait(std::size_t at, const Error& error) const {
    return !session_->closed() && (at != 0 || error.is(MailError::mail_refused));
}

async::Task<bool> Watcher::look_where_due(Deadline* next_poll) {
    const bool lost = folders_->take_news();
    const bool polls = next_poll->passed();
    if (polls && folders_->wants_notify()) {
        auto notifying = folders_->notify();
        const auto notified = co_await std::move(notifying);
        if (!notified) co_return fail(notified.error());
    }
    if (lost || polls) {
        auto looking = look_everywhere(false);
        const auto looked = co_await std::move(looking);
        if (!looked) co_return fail(looked.error());
        *next_poll = poll_after();
        co_return true;
    }
    const auto at = folders_->is_due(0) ? std::optional<std::size_t>(0) : folders_->next_other();
    if (!at) co_return false;
    auto looking = look_at(*at);
    const auto looked = co_await std::move(looking);
    const bool goes_on = looked || may_wait(*at, looked.error());
    if (!goes_on) co_return fail(looked.error());
    if (!looked) folders_->postpone(*at);
    if (folders_->is_postponed(*at)) *next_poll = next_poll->at_most(options_.poll_interval);
    co_return true;
}

async::Task<> Watcher::wait_for_change(Deadline next_poll) {
    auto opening = folders_->open(0);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    // It, or another one, may have got mail meanwhile.
    if (folders_->is_due(0) || session_->engine().has_folder_news()) co_return Result<>{};
    if (session_->engine().take_mailbox_changed()) {
        folders_->note_change();
        co_return Result<>{};
    }
    auto until = folders_->size() > 1 ? next_poll.at_most(options_.idle_max)
                                      : Deadline::in(options_.idle_max);
    if (const auto rested = folders_->next_rested(); rested && rested->at() < until.at()) {
        until = *rested;
    }
    auto idling = session_->idle(until);
    const auto idled = co_await std::move(idling);
    if (!idled) co_return fail(idled.error());
    if (*idled == ImapSession::IdleEnd::changed) folders_->note_change();
    co_return Result<>{};
}

async::Task<> Watcher::search_as_asked() {
    auto wishes = std::exchange(searches_, {});
    folders_->look_for_hints();
    auto looking = look_everywhere(true);
    auto looked = co_await std::move(looking);
    for (auto& wish : wishes)
        wish->settle(looked);
    if (!looked) co_return fail(looked.error());
    co_return Result<>{};
}

async::Task<SearchNow::Answer> Watcher::look_everywhere(bool inbox_anew) {
    SearchNow::Answer sum;
    for (std::size_t i = 0; i < folders_->size(); ++i) {
        // INBOX last: it is to be open at the end.
        const std::size_t at = (i + 1) % folders_->size();
        const bool anew = at == 0 && (inbox_anew || folders_->wants_resync(0));
        auto asking = at != 0 ? folders_->poll(at) : anew ? folders_->resync(0) : folders_->open(0);
        const auto asked = co_await std::move(asking);
        if (!asked && (at == 0 || session_->closed())) co_return fail(asked.error());
        // A folder that is no longer there, or that the server does not want to tell about now.
        if (!asked || !folders_->is_due(at)) continue;
        auto looking = look_at(at);
        const auto looked = co_await std::move(looking);
        const bool goes_on = looked || may_wait(at, looked.error());
        if (!goes_on) co_return fail(looked.error());
        if (!looked) {
            folders_->postpone(at);
            continue;
        }
        sum.searched += looked->searched;
        sum.candidates += looked->candidates;
    }
    co_return sum;
}

async::Task<SearchNow::Answer> Watcher::look_at(std::size_t at) {
    SearchNow::Answer sum;
    auto bytes_before = session_->bytes_received();
    auto searching = folders_->search(at);
    const auto round = co_await std::move(searching);
    if (!round) co_return fail(round.error());
    if (!round->is_due) co_return sum;
    const auto& hits = round->hits;
    const auto validity = folders_->cursor(at).uid_validity;
    auto first = round->first;
    sum.searched = round->next - first;
    // Once at least: front learns of a search that hit nothing, too.
    for (std::size_t done = 0; done == 0 || done < hits.size();
         done += WatchedFolders::k_batch_max) {
        const auto count = std::min(hits.size() - done, WatchedFolders::k_batch_max);
        const bool last = done + count == hits.size();
        FolderSearched told;
        told.integration = integration_;
        told.validity_changed = round->validity_changed;
        told.by_headers = round->by_headers;
        told.first = first;
        told.next = last ? round->next : hits[done + count - 1] + 1;
        if (count != 0) {
            const auto from = hits.begin() + static_cast<std::ptrdiff_t>(done);
            const auto to = from + static_cast<std::ptrdiff_t>(count);
            auto reading = folders_->headers(at, std::vector<imap::Uid>(from, to));
            auto candidates = co_await std::move(reading);
            // Another UIDVALIDITY now: the round is void, and the next one tells so.
            if (!candidates && candidates.error().is(MailError::not_found)) co_return sum;
            if (!candidates) co_return fail(candidates.error());
            told.candidates = std::move(*candidates);
        }
        told.folder = folders_->cursor(at).folder;
        told.uid_validity = validity;
        told.bytes = session_->bytes_received() - bytes_before;
        bytes_before = session_->bytes_received();
        sum.candidates += told.candidates.size();
        const auto next = told.next;
        auto reporting = report(std::move(told));
        const auto taken = co_await std::move(reporting);
        if (!taken) co_return fail(taken.error());
        if (!*taken) folders_->postpone(at);
        const bool same = folders_->cursor(at).uid_validity == validity;
        if (!*taken || !same) co_return sum;
        folders_->commit(at, next);
        first = next;
    }
    co_return sum;
}

async::Job Watcher::tell_front(std::shared_ptr<Watcher> self,
                               std::shared_ptr<Report> report,
                               FolderSearched told) {
    auto telling = self->front_.folder_searched(std::move(told));
    const auto answer = co_await std::move(telling);
    report->answered = true;
    report->taken = answer.has_value();
    self->wake_.set();
}

async::Task<bool> Watcher::report(FolderSearched told) {
    const auto report = std::make_shared<Report>();
    const auto until = Deadline::in(k_report_max);
    group_.spawn("folder_searched", tell_front(shared_from_this(), report, std::move(told)));
    while (!report->answered) {
        auto waiting = wake_.wait(until);
        const auto waited = co_await std::move(waiting);
        if (const auto alive = check_alive(); !alive) co_return fail(alive.error());
        if (!waited) co_return fail(to_mail_error(waited.error()));
        auto serving = serve_fetches();
        const auto served = co_await std::move(serving);
        if (!served) co_return fail(served.error());
    }
    co_return report->taken;
}

template <typename W>
async::Task<> Watcher::wait_for(std::shared_ptr<W> wish, std::deque<std::shared_ptr<W>>* queue) {
    if (over_) co_return fail(MailError::connection_lost);
    if (queue->size() >= k_waiting_max) co_return fail(ipc::IpcError::busy);
    const auto self = shared_from_this();
    queue->push_back(wish);
    wake();
    auto waiting = wish->done.wait(Deadline::in(k_wish_max));
    const auto waited = co_await std::move(waiting);
    if (!wish->settled) std::erase(*queue, wish);
    if (!waited) co_return fail(to_mail_error(waited.error()));
    co_return Result<>{};
}

async::Task<SearchNow::Answer> Watcher::search_now() {
    const auto wish = std::make_shared<Search>(group_.executor(), SearchNow{integration_});
    auto waiting = wait_for(wish, &searches_);
    const auto waited = co_await std::move(waiting);
    if (!waited) co_return fail(waited.error());
    co_return std::move(wish->outcome);
}

async::Task<FetchMail::Answer> Watcher::fetch(FetchMail asked) {
    const auto wish = std::make_shared<Fetch>(group_.executor(), std::move(asked));
    auto waiting = wait_for(wish, &fetches_);
    const auto waited = co_await std::move(waiting);
    if (!waited) co_return fail(waited.error());
    if (context_.use->ended()) co_return fail(MailError::use_ended);
    co_return std::move(wish->outcome);
}

async::Task<> Watcher::serve_fetches() {
    while (!fetches_.empty()) {
        const auto wish = fetches_.front();
        fetches_.pop_front();
        auto fetching = fetch_now(std::move(wish->asked));
        auto fetched = co_await std::move(fetching);
        wish->settle(std::move(fetched));
        if (const auto alive = check_alive(); !alive) co_return fail(alive.error());
    }
    co_return Result<>{};
}

async::Task<FetchMail::Answer> Watcher::fetch_now(FetchMail asked) {
    const auto at = folders_->find(asked.folder);
    if (!at) co_return fail(MailError::not_found, "folder");
    auto opening = folders_->open(*at);
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (folders_->cursor(*at).uid_validity != asked.uid_validity) {
        co_return fail(MailError::not_found, "UIDVALIDITY");
    }
    const auto uid = asked.uid;
    auto fetching = fetch_open(std::move(asked));
    auto fetched = co_await std::move(fetching);
    const bool refused = !fetched && fetched.error().is(MailError::provider_refused) &&
                         session_->is_refusal(fetched.error());
    if (refused && folders_->note_refusal(*at, uid)) co_return fail(MailError::mail_refused);
    co_return std::move(fetched);
}

/// Of the open folder.
async::Task<FetchMail::Answer> Watcher::fetch_open(FetchMail asked) {
    auto set = imap::UidSet::of({asked.uid});
    if (!set) co_return fail(MailError::not_found, "uid");
    // Asked before the body: a larger one would end the connection; and whoever asks gets no other
    // mail than an answer to one of ours.
    std::vector<std::string> fields{"IN-REPLY-TO", "REFERENCES", "THREAD-INDEX"};
    if (ids_.watches_addresses()) fields.insert(fields.end(), {"TO", "CC"});
    const imap::HeaderRequest request{
        .uids = std::move(*set), .fields = std::move(fields), .with_mail_size = true};
    auto looking = session_->run<imap::HeaderBatch>(session_->engine().fetch_headers(request));
    const auto looked = co_await std::move(looking);
    if (!looked) co_return fail(looked.error());
    if (looked->mails.empty()) co_return fail(MailError::not_found);
    const auto& mail = looked->mails.front();
    bool ours = !asked.is_bounce && (ids_.are_in(mail.block) || ids_.is_hinted(mail.block) ||
                                     ids_.is_addressed(read_recipients(mail.block)));
    if (asked.is_bounce) {
        auto asking = folders_->is_bounce_of_ours(asked.uid);
        const auto answer = co_await std::move(asking);
        if (!answer) co_return fail(answer.error());
        ours = *answer;
    }
    if (!ours) co_return fail(MailError::not_found, "no id of ours");
    const auto bytes_max = std::min(asked.bytes_max, k_mail_bytes_max);
    if (mail.mail_bytes.value_or(0) > bytes_max) co_return fail(MailError::too_large);

    auto file = os::empty_memory_file();
    if (!file) co_return fail(MailError::mail_unreadable, file.error().detail());
    const int fd = file->get();
    imap::BodyRequest body{.uid = asked.uid, .bytes_max = bytes_max, .sink = [fd](ByteView piece) {
                               return os::append(fd, piece);
                           }};
    auto fetching =
        session_->run<imap::FetchedBody>(session_->engine().fetch_body(std::move(body)));
    const auto fetched = co_await std::move(fetching);
    if (!fetched) co_return fail(fetched.error());
    if (session_->engine().take_mailbox_changed()) folders_->note_change();
    if (const auto sealed = os::seal_memory_file(fd); !sealed) {
        co_return fail(MailError::mail_unreadable, sealed.error().detail());
    }
    FetchMail::Answer answer;
    answer.raw = std::move(*file);
    answer.bytes = fetched->bytes;
    co_return answer;
}

}  // namespace postern::mail::courier
