#include "features/mail/courier/sent_folder.h"

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "foundation/codec/mail/message_id.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

/// A search may hit ids that only contain ours; more than these are not looked at.
constexpr std::size_t k_hits_max = 20;

bool has_id(const imap::FetchedHeaders& mail, const std::string& id) {
    const auto block = imap::HeaderBlock::parse(mail.block);
    const auto value = block ? block->first("Message-ID") : std::nullopt;
    return value && codec::first_message_id(*value) == id;
}

std::vector<std::string> ids_of(const imap::HeaderBlock& header, std::string_view field) {
    std::vector<std::string> out;
    const auto value = header.first(field);
    if (!value) return out;
    codec::MessageIdReader reader(*value);
    while (auto id = reader.next())
        out.push_back(*std::move(id));
    return out;
}

bool is_same_but_for_its_id(const imap::HeaderBlock& ours, const imap::HeaderBlock& theirs) {
    const auto date = ours.first("Date");
    return date && theirs.first("Date") == date &&
           ids_of(ours, "References") == ids_of(theirs, "References") &&
           ids_of(ours, "In-Reply-To") == ids_of(theirs, "In-Reply-To");
}

/// Header fields of the newest mails that the search finds: ours is among the last that were added.
async::Task<imap::HeaderBatch> newest_hits(ImapSession* session,
                                           imap::SearchQuery query,
                                           std::vector<std::string> fields) {
    auto searching = session->run<imap::SearchResult>(session->engine().search(query));
    auto hits = co_await std::move(searching);
    if (!hits) co_return fail(hits.error());
    if (hits->uids.empty()) co_return imap::HeaderBatch{};
    if (hits->uids.size() > k_hits_max) {
        hits->uids.erase(hits->uids.begin(), hits->uids.end() - k_hits_max);
    }
    auto uids = imap::UidSet::of(std::move(hits->uids));
    if (!uids) co_return fail(to_mail_error(uids.error()));
    const imap::HeaderRequest request{
        .uids = std::move(*uids), .fields = std::move(fields), .with_mail_size = false};
    auto fetching = session->run<imap::HeaderBatch>(session->engine().fetch_headers(request));
    co_return co_await std::move(fetching);
}

/// Feeds APPEND from the mapped mail.
imap::MailSource source_of(std::shared_ptr<const os::Mapping> mail) {
    return [mail = std::move(mail),
            at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
        const auto rest = mail->bytes().subspan(at);
        const auto count = std::min(rest.size(), into.size());
        std::copy_n(rest.begin(), count, into.begin());
        at += count;
        return count;
    };
}

}  // namespace

async::Task<bool> SentFolder::is_there(std::string id) {
    const auto query = imap::SearchQuery::message_id(id);
    if (!query) co_return fail(MailError::not_found, query.error().detail());
    auto fetching = newest_hits(&session_, *query, {"MESSAGE-ID"});
    const auto batch = co_await std::move(fetching);
    if (!batch) co_return fail(batch.error());
    co_return std::ranges::any_of(batch->mails, [&](const auto& mail) { return has_id(mail, id); });
}

/// A copy in which a server wrote another Message-ID: our root token still stands in it, and date
/// and thread fields are exactly what we sent. An answer that the user wrote elsewhere has another
/// date. Empty: there is none.
async::Task<std::string> SentFolder::rewritten_id(ByteView header) {
    const auto ours = imap::HeaderBlock::parse(header);
    const auto references = ours ? ours->first("References") : std::nullopt;
    const auto root = references ? codec::first_message_id(*references) : std::nullopt;
    if (!root) co_return std::string();
    const std::vector<std::string> needles{*root};
    const auto query = imap::SearchQuery::replies({.needles = needles});
    if (!query) co_return std::string();
    auto fetching =
        newest_hits(&session_, *query, {"MESSAGE-ID", "REFERENCES", "IN-REPLY-TO", "DATE"});
    const auto batch = co_await std::move(fetching);
    if (!batch) co_return fail(batch.error());
    for (const auto& mail : batch->mails) {
        const auto theirs = imap::HeaderBlock::parse(mail.block);
        if (!theirs || !is_same_but_for_its_id(*ours, *theirs)) continue;
        const auto value = theirs->first("Message-ID");
        auto id = value ? codec::first_message_id(*value).value_or("") : "";
        if (is_learnable(id)) co_return id;
    }
    co_return std::string();
}

async::Task<> SentFolder::append(imap::FolderName folder, os::Fd raw) {
    auto mapped = os::Mapping::of_sealed(raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(MailError::mail_unreadable, mapped.error().detail());
    const auto mail = std::make_shared<const os::Mapping>(std::move(*mapped));
    imap::AppendRequest request{.folder = std::move(folder),
                                .seen = true,
                                .bytes = mail->bytes().size(),
                                .source = source_of(mail)};
    auto appending = session_.run<imap::Appended>(session_.engine().append(std::move(request)));
    const auto appended = co_await std::move(appending);
    if (!appended) co_return fail(appended.error());
    co_return Result<>{};
}

async::Task<> SentFolder::look_for(imap::FolderName folder,
                                   const SaveSent* asked,
                                   SaveSent::Answer* answer) {
    auto opening = session_.run<imap::FolderState>(session_.engine().examine(folder));
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (opened->exists == 0U) co_return Result<>{};
    auto looking = is_there(asked->message_id);
    const auto found = co_await std::move(looking);
    if (!found) co_return fail(found.error());
    answer->was_there = *found;
    if (*found || !asked->raw.valid()) co_return Result<>{};
    auto mapped = os::Mapping::of_sealed(asked->raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(MailError::mail_unreadable, mapped.error().detail());
    const auto mail = mapped->bytes();
    const auto end = as_text(mail).find("\r\n\r\n");
    auto asking = rewritten_id(mail.first(std::min(end, mail.size())));
    auto given = co_await std::move(asking);
    if (!given) co_return fail(given.error());
    answer->was_there = !given->empty();
    answer->given_id = std::move(*given);
    co_return Result<>{};
}

async::Task<SaveSent::Answer> SentFolder::save(SaveSent asked) {
    SaveSent::Answer answer;
    auto listing = session_.run<imap::FolderList>(session_.engine().list_folders());
    const auto list = co_await std::move(listing);
    if (!list) co_return fail(list.error());
    const auto folder = sent_folder(*list);
    if (folder) {
        auto looking = look_for(*folder, &asked, &answer);
        const auto looked = co_await std::move(looking);
        if (!looked) co_return fail(looked.error());
    }
    if (folder && !answer.was_there && asked.raw.valid() && !asked.look_only) {
        auto appending = append(*folder, std::move(asked.raw));
        const auto appended = co_await std::move(appending);
        if (!appended) co_return fail(appended.error());
        answer.added = true;
    }
    answer.bytes = session_.bytes_received();
    co_return answer;
}

}  // namespace postern::mail::courier
