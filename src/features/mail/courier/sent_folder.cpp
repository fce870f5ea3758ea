#include "features/mail/courier/sent_folder.h"

#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
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
#include <utility>

namespace postern::mail::courier {
namespace {

/// A search may hit ids that only contain ours; more than these are not looked at.
constexpr std::size_t k_hits_max = 20;

bool has_id(const imap::FetchedHeaders& mail, const std::string& id) {
    const auto block = imap::HeaderBlock::parse(mail.block);
    const auto value = block ? block->first("Message-ID") : std::nullopt;
    return value && codec::first_message_id(*value) == id;
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

async::Task<bool> SentFolder::is_there(imap::FolderName folder, std::string id) {
    auto& engine = session_.engine();
    auto opening = session_.run<imap::FolderState>(engine.examine(folder));
    const auto opened = co_await std::move(opening);
    if (!opened) co_return fail(opened.error());
    if (opened->exists == 0U) co_return false;
    const auto query = imap::SearchQuery::message_id(id);
    if (!query) co_return fail(MailError::not_found, query.error().detail());
    auto searching = session_.run<imap::SearchResult>(engine.search(*query));
    auto hits = co_await std::move(searching);
    if (!hits) co_return fail(hits.error());
    if (hits->uids.empty()) co_return false;
    // The newest: ours is among the last that were added.
    if (hits->uids.size() > k_hits_max) {
        hits->uids.erase(hits->uids.begin(), hits->uids.end() - k_hits_max);
    }
    auto uids = imap::UidSet::of(std::move(hits->uids));
    if (!uids) co_return fail(to_mail_error(uids.error()));
    const imap::HeaderRequest request{
        .uids = std::move(*uids), .fields = {"MESSAGE-ID"}, .with_mail_size = false};
    auto fetching = session_.run<imap::HeaderBatch>(engine.fetch_headers(request));
    const auto batch = co_await std::move(fetching);
    if (!batch) co_return fail(batch.error());
    co_return std::ranges::any_of(batch->mails, [&](const auto& mail) { return has_id(mail, id); });
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

async::Task<SaveSent::Answer> SentFolder::save(SaveSent asked) {
    SaveSent::Answer answer;
    auto listing = session_.run<imap::FolderList>(session_.engine().list_folders());
    const auto list = co_await std::move(listing);
    if (!list) co_return fail(list.error());
    const auto folder = sent_folder(*list);
    if (folder) {
        auto looking = is_there(*folder, asked.message_id);
        const auto found = co_await std::move(looking);
        if (!found) co_return fail(found.error());
        answer.was_there = *found;
    }
    if (folder && !answer.was_there && asked.raw.valid()) {
        auto appending = append(*folder, std::move(asked.raw));
        const auto appended = co_await std::move(appending);
        if (!appended) co_return fail(appended.error());
        answer.added = true;
    }
    answer.bytes = session_.bytes_received();
    co_return answer;
}

}  // namespace postern::mail::courier
