#include "features/mail/courier/bounce.h"

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"
#include "platform/async/task.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::mail::courier {
namespace {

constexpr std::string_view k_our_ids_start = "ptn1.";
constexpr std::string_view k_field = "message-id:";
constexpr unsigned k_part_of_original = 3;

}  // namespace

std::optional<std::string> named_message_id(std::string_view text, const KnownIds& known) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = codec::trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!codec::equal_but_for_case(line.substr(0, k_field.size()), k_field)) continue;
        line.remove_prefix(k_field.size());
        // A long id may stand in a line of its own.
        if (codec::trim(line).empty()) line = text.substr(0, text.find('\n'));
        auto id = codec::first_message_id(line);
        if (id && known.contains(*id)) return id;
    }
    return std::nullopt;
}

/// Of the mail that the bounce holds; empty where it holds none.
async::Task<std::string> BounceReader::held_id(imap::Uid uid) {
    auto set = imap::UidSet::of({uid});
    if (!set) co_return fail(to_mail_error(set.error()));
    const imap::HeaderRequest request{.uids = std::move(*set),
                                      .fields = {"MESSAGE-ID"},
                                      .with_mail_size = false,
                                      .part = k_part_of_original};
    auto fetching = session_.run<imap::HeaderBatch>(session_.engine().fetch_headers(request));
    const auto fetched = co_await std::move(fetching);
    // Servers may refuse to tell of a part that the mail does not have.
    const bool is_missing =
        !fetched && session_.is_refusal(fetched.error()) && !session_.refused_for_now();
    if (is_missing) co_return std::string();
    if (!fetched) co_return fail(fetched.error());
    if (fetched->mails.empty()) co_return std::string();
    const auto block = imap::HeaderBlock::parse(fetched->mails.front().block);
    const auto value = block ? block->first("Message-ID") : std::nullopt;
    co_return value ? codec::first_message_id(*value).value_or("") : std::string();
}

async::Task<bool> BounceReader::names_ours(imap::Uid uid) {
    const auto query = imap::SearchQuery::names_message_id(uid, k_our_ids_start);
    if (!query) co_return fail(to_mail_error(query.error()));
    auto searching = session_.run<imap::SearchResult>(session_.engine().search(*query));
    const auto found = co_await std::move(searching);
    if (!found) co_return fail(found.error());
    co_return !found->uids.empty();
}

/// Empty where it is too large to be a mere bounce.
async::Task<WipedBytes> BounceReader::read_plain(imap::Uid uid) {
    auto set = imap::UidSet::of({uid});
    if (!set) co_return fail(to_mail_error(set.error()));
    const imap::HeaderRequest request{
        .uids = std::move(*set), .fields = {"MESSAGE-ID"}, .with_mail_size = true};
    auto sizing = session_.run<imap::HeaderBatch>(session_.engine().fetch_headers(request));
    const auto sized = co_await std::move(sizing);
    if (!sized) co_return fail(sized.error());
    if (sized->mails.empty()) co_return WipedBytes{};
    const auto bytes = sized->mails.front().mail_bytes.value_or(k_plain_bytes_max + 1);
    if (bytes > k_plain_bytes_max) co_return WipedBytes{};
    const auto text = std::make_shared<WipedBytes>();
    imap::BodyRequest body{
        .uid = uid, .bytes_max = k_plain_bytes_max, .sink = [text](ByteView piece) -> Result<> {
            text->append(piece);
            return {};
        }};
    auto fetching = session_.run<imap::FetchedBody>(session_.engine().fetch_body(std::move(body)));
    const auto fetched = co_await std::move(fetching);
    if (!fetched) co_return fail(fetched.error());
    co_return std::move(*text);
}

async::Task<std::optional<std::string>> BounceReader::original_id(imap::Uid uid) {
    using Id = std::optional<std::string>;
    auto looking = held_id(uid);
    auto held = co_await std::move(looking);
    if (!held) co_return fail(held.error());
    if (!held->empty()) {
        const bool ours = known_.contains(*held);
        co_return ours ? Id(std::move(*held)) : Id();
    }
    auto asking = names_ours(uid);
    const auto named = co_await std::move(asking);
    if (!named) co_return fail(named.error());
    if (!*named) co_return Id();
    auto reading = read_plain(uid);
    const auto text = co_await std::move(reading);
    if (!text) co_return fail(text.error());
    co_return named_message_id(as_text(*text), known_);
}

}  // namespace postern::mail::courier
