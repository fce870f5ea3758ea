#include "features/mail/courier/search_probe.h"

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "platform/async/task.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

/// Of all that is found the newest are looked at: enough to tell.
constexpr std::size_t k_looked_at_max = 5;
constexpr std::size_t k_ids_max = 64;

}  // namespace

/// Nothing where the server refuses to search. That it cannot at the moment says nothing of it.
async::Task<std::optional<std::vector<imap::Uid>>> SearchProber::search(std::string needle) {
    using Found = std::optional<std::vector<imap::Uid>>;
    const std::vector<std::string> needles{std::move(needle)};
    const auto query = imap::SearchQuery::replies({.needles = needles});
    if (!query) co_return fail(MailError::protocol_violation, query.error().detail());
    auto searching = session_.run<imap::SearchResult>(session_.engine().search(*query));
    auto found = co_await std::move(searching);
    if (found) co_return Found(std::move(found->uids));
    const bool refuses = session_.is_refusal(found.error()) && !session_.refused_for_now();
    if (!refuses) co_return fail(found.error());
    co_return Found{};
}

/// Every one names an id of ours, and `of_thread` the one that was asked for.
async::Task<bool> SearchProber::are_ours(std::vector<imap::Uid> uids,
                                         imap::Uid of_thread,
                                         const ProbeSearch* asked) {
    if (uids.size() > k_looked_at_max) {
        uids.erase(uids.begin(), uids.end() - static_cast<std::ptrdiff_t>(k_looked_at_max));
    }
    if (std::ranges::find(uids, of_thread) == uids.end()) uids.push_back(of_thread);
    const auto count = uids.size();
    auto set = imap::UidSet::of(std::move(uids));
    if (!set) co_return fail(to_mail_error(set.error()));
    const imap::HeaderRequest request{
        .uids = std::move(*set), .fields = {"IN-REPLY-TO", "REFERENCES"}, .with_mail_size = false};
    auto fetching = session_.run<imap::HeaderBatch>(session_.engine().fetch_headers(request));
    const auto fetched = co_await std::move(fetching);
    if (!fetched) co_return fail(fetched.error());
    KnownIds known(asked->search_label);
    known.learn(asked->learned_ids);
    bool is_of_thread = false;
    for (const auto& mail : fetched->mails) {
        const auto block = imap::HeaderBlock::parse(mail.block);
        std::vector<std::string> ids;
        if (block) {
            for (const auto* field : {"In-Reply-To", "References"}) {
                for (const auto value : block->all(field))
                    known.append_from(value, k_ids_max, ids);
            }
        }
        if (ids.empty()) co_return false;
        if (mail.uid == of_thread)
            is_of_thread = std::ranges::find(ids, asked->root_id) != ids.end();
    }
    co_return is_of_thread && fetched->mails.size() == count;
}

async::Task<SearchProbe> SearchProber::probe(const ProbeSearch* asked) {
    auto listing = session_.run<imap::FolderList>(session_.engine().list_folders());
    const auto list = co_await std::move(listing);
    if (!list) co_return fail(list.error());
    const auto folder = sent_folder(*list);
    if (!folder) co_return SearchProbe::nothing_to_search;
    auto opening = session_.run<imap::FolderState>(session_.engine().examine(*folder));
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    auto trying = search(asked->other_label);
    auto nothing = co_await std::move(trying);
    if (!nothing) co_return fail(nothing.error());
    const auto of_nobody = std::move(*nothing);
    if (!of_nobody || !of_nobody->empty()) co_return SearchProbe::fails;
    if (opened->exists == 0U) co_return SearchProbe::nothing_to_search;
    auto searching = search(asked->search_label);
    auto found = co_await std::move(searching);
    if (!found) co_return fail(found.error());
    auto hits = std::move(*found);
    if (!hits || hits->empty()) co_return SearchProbe::fails;
    auto asking = search(asked->root_id);
    auto named = co_await std::move(asking);
    if (!named) co_return fail(named.error());
    const auto of_thread = std::move(*named);
    const bool is_found = of_thread && !of_thread->empty() &&
                          std::ranges::find(*hits, of_thread->back()) != hits->end();
    if (!is_found) co_return SearchProbe::fails;
    auto looking = are_ours(std::move(*hits), of_thread->back(), asked);
    const auto ours = co_await std::move(looking);
    if (!ours) co_return fail(ours.error());
    co_return *ours ? SearchProbe::works : SearchProbe::fails;
}

async::Task<ProbeSearch::Answer> SearchProber::run(ProbeSearch asked) {
    auto probing = probe(&asked);
    const auto result = co_await std::move(probing);
    if (!result) co_return fail(result.error());
    co_return ProbeSearch::Answer{*result, session_.bytes_received()};
}

}  // namespace postern::mail::courier
