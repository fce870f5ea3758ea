#include "features/mail/courier/known_ids.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/codec/mail/reply_address.h"
#include "foundation/codec/mail/thread_index.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_id_bytes_min = 16;
constexpr std::size_t k_id_bytes_max = 250;
constexpr std::size_t k_local_bytes_min = 8;
/// Around a needle: it stands in two keys.
constexpr std::size_t k_key_bytes = 40;
constexpr std::size_t k_query_bytes_max = imap::k_command_bytes_max - 1024;

constexpr std::string_view k_ses_prefix = "email-smtp.";
constexpr std::string_view k_ses_suffix = ".amazonaws.com";

/// email-smtp.eu-west-1.amazonaws.com -> eu-west-1.amazonses.com
std::string ses_domain(std::string_view host) {
    const auto name = codec::lower(host);
    const bool is_ses = name.starts_with(k_ses_prefix) && name.ends_with(k_ses_suffix) &&
                        name.size() > k_ses_prefix.size() + k_ses_suffix.size();
    if (!is_ses) return {};
    const auto region =
        name.substr(k_ses_prefix.size(), name.size() - k_ses_prefix.size() - k_ses_suffix.size());
    return (region == "us-east-1" ? "email" : region) + ".amazonses.com";
}

/// As many commands as keep each below 8 KB; the first alone asks for more than ids.
Result<std::vector<imap::SearchQuery>> in_commands(imap::SearchQuery::Replies what,
                                                   std::span<const std::string> needles) {
    std::vector<imap::SearchQuery> out;
    while (!needles.empty()) {
        std::size_t count = 0;
        std::size_t bytes = 0;
        while (count < needles.size()) {
            const auto more = 2 * (needles[count].size() + k_key_bytes);
            if (count != 0 && bytes + more > k_query_bytes_max) break;
            bytes += more;
            ++count;
        }
        what.needles = needles.first(count);
        POSTERN_TRY(auto query, imap::SearchQuery::replies(what));
        out.push_back(std::move(query));
        needles = needles.subspan(count);
        what.with_bounces = false;
        what.address_needle = {};
    }
    return out;
}

}  // namespace

bool is_learnable(std::string_view id) {
    const auto at = id.find('@');
    const auto fits = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    const bool has_form = id.size() >= k_id_bytes_min && id.size() <= k_id_bytes_max &&
                          at != std::string_view::npos && at >= k_local_bytes_min &&
                          at + 1 < id.size() && id.find('@', at + 1) == std::string_view::npos &&
                          id.find_first_of("<>") == std::string_view::npos &&
                          std::ranges::all_of(id, fits);
    // What reads as another id (an encoded word in it) is never met again.
    return has_form && codec::first_message_id("<" + std::string(id) + ">") == id;
}

std::string id_given_by(std::string_view reply_text, std::string_view host) {
    const auto open = reply_text.find('<');
    const auto close = reply_text.find('>', open == std::string_view::npos ? 0 : open);
    if (open != std::string_view::npos && close != std::string_view::npos) {
        const auto id = reply_text.substr(open + 1, close - open - 1);
        return is_learnable(id) ? std::string(id) : std::string();
    }
    const auto domain = ses_domain(host);
    auto token = codec::trim(reply_text);
    if (domain.empty() || !codec::equal_but_for_case(token.substr(0, 3), "ok ")) return {};
    token = codec::trim(token.substr(3));
    const auto is_token_char = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
    };
    auto id = std::string(token) + "@" + domain;
    return std::ranges::all_of(token, is_token_char) && is_learnable(id) ? id : std::string();
}

KnownIds::KnownIds(std::string label) : label_(std::move(label)) {
    if (const auto parsed = codec::IdLabel::parse(label_)) thread_index_.emplace(*parsed);
}

void KnownIds::learn(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        if (!is_learnable(id) || is_learned(id)) continue;
        learned_.push_back(id);
        if (learned_.size() > k_learned_max) learned_.pop_front();
    }
}

bool KnownIds::is_learned(std::string_view id) const {
    return std::ranges::find(learned_, id) != learned_.end();
}

void KnownIds::watch_addresses(std::string_view own) {
    const auto label = codec::IdLabel::parse(label_);
    if (!label) return;
    auto form = codec::ReplyAddressForm::make(own, *label);
    if (form) address_ = std::move(*form);
}

bool KnownIds::is_addressed(const std::vector<MailAddress>& recipients) const {
    const auto& form = address_;
    return form && std::ranges::any_of(recipients, [&form](const MailAddress& one) {
               return form->tag_of(one.address).has_value();
           });
}

bool KnownIds::contains(std::string_view id) const {
    return codec::ends_in_label(id, label_) || is_learned(id);
}

void KnownIds::append_from(std::string_view value,
                           std::size_t ids_max,
                           std::vector<std::string>& out) const {
    codec::append_labelled_ids(value, label_, ids_max, out);
    if (learned_.empty()) return;
    codec::MessageIdReader reader(value);
    while (out.size() < ids_max) {
        auto id = reader.next();
        if (!id) return;
        if (is_learned(*id) && std::ranges::find(out, *id) == out.end()) {
            out.push_back(*std::move(id));
        }
    }
}

bool KnownIds::are_in(ByteView header) const {
    const auto block = imap::HeaderBlock::parse(header);
    if (!block) return false;
    std::vector<std::string> ids;
    for (const auto* field : {"In-Reply-To", "References"}) {
        for (const auto value : block->all(field))
            append_from(value, 1, ids);
    }
    return !ids.empty();
}

std::optional<codec::ThreadIndexForm::Thread> KnownIds::hinted_thread(
    const imap::HeaderBlock& header) const {
    const auto& form = thread_index_;
    const auto value = header.first("Thread-Index");
    if (!form || !value) return std::nullopt;
    return form->thread_of(*value);
}

bool KnownIds::is_hinted(ByteView header) const {
    const auto block = imap::HeaderBlock::parse(header);
    return block && hinted_thread(*block).has_value();
}

Result<imap::SearchQuery> KnownIds::query_for_hints(imap::Uid first, imap::Uid last) const {
    const auto& form = thread_index_;
    if (!form) return fail(imap::ImapError::bad_argument, "label");
    return imap::SearchQuery::thread_index(form->needle(), label_, first, last);
}

Result<std::vector<imap::SearchQuery>> KnownIds::queries(imap::Uid first, imap::Uid last) const {
    imap::SearchQuery::Replies labelled{.first_uid = first, .last_uid = last, .needles = {}};
    labelled.with_bounces = true;
    if (address_) labelled.address_needle = address_->needle();
    std::vector<std::string> needles{label_};
    needles.insert(needles.end(), learned_.begin(), learned_.end());
    return in_commands(labelled, needles);
}

bool KnownIds::asks_in_several() const {
    const auto made = queries(1, 0);
    return !made || made->size() > 1;
}

Result<std::vector<imap::SearchQuery>> KnownIds::queries_for(const std::vector<std::string>& ids,
                                                             imap::Uid first,
                                                             imap::Uid last) {
    return in_commands({.first_uid = first, .last_uid = last, .needles = {}}, ids);
}

}  // namespace postern::mail::courier
