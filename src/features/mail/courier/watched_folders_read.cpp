#include "features/mail/courier/author_kind.h"
#include "features/mail/courier/bounce.h"
#include "features/mail/courier/candidate.h"
#include "features/mail/courier/header_trouble.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/watched_folders.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/results.h"
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
        const bool is_answer =
            known_.is_addressed(candidate.recipients) || folders_[at].hints.contains(candidate.uid);
        const bool is_ours = !candidate.our_ids.empty() || (!candidate.is_bounce && is_answer);
        if (!is_ours) candidate = nothing_of(candidate.uid, candidate.is_bounce);
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
        const bool is_one = known_.are_in(mail.block) || may_be_bounce(mail.block) ||
                            folders_[at].hints.contains(mail.uid);
        (is_one ? chosen : unclear).push_back(mail.uid);
    }
    if (unclear.empty()) co_return chosen;
    // What qmail writes is told by its author alone, an answer without ids by where it goes.
    std::vector<std::string> fields{"FROM"};
    if (known_.watches_addresses()) fields.insert(fields.end(), {"TO", "CC"});
    auto naming = fetch_fields(at, std::move(unclear), std::move(fields));
    const auto named = co_await std::move(naming);
    if (!named) co_return fail(named.error());
    for (const auto& mail : named->mails) {
        if (may_be_bounce(mail.block) || known_.is_addressed(read_recipients(mail.block)))
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

}  // namespace postern::mail::courier
