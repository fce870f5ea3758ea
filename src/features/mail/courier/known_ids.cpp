#include "features/mail/courier/known_ids.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <cstddef>
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

}  // namespace

bool is_learnable(std::string_view id) {
    const auto at = id.find('@');
    const auto fits = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    return id.size() >= k_id_bytes_min && id.size() <= k_id_bytes_max &&
           at != std::string_view::npos && at >= k_local_bytes_min && at + 1 < id.size() &&
           id.find('@', at + 1) == std::string_view::npos &&
           id.find_first_of("<>") == std::string_view::npos && std::ranges::all_of(id, fits);
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

Result<std::vector<imap::SearchQuery>> KnownIds::queries(imap::Uid first, imap::Uid last) const {
    std::vector<imap::SearchQuery> out;
    std::vector<std::string> needles{label_};
    std::size_t bytes = 2 * (label_.size() + k_key_bytes);
    bool with_bounces = true;
    const auto add = [&]() -> Result<> {
        POSTERN_TRY(auto query, imap::SearchQuery::replies({.first_uid = first,
                                                            .last_uid = last,
                                                            .needles = needles,
                                                            .with_bounces = with_bounces}));
        out.push_back(std::move(query));
        needles.clear();
        bytes = 0;
        with_bounces = false;
        return {};
    };
    for (const auto& id : learned_) {
        const auto more = 2 * (id.size() + k_key_bytes);
        if (bytes + more > k_query_bytes_max) {
            if (auto added = add(); !added) return fail(std::move(added.error()));
        }
        needles.push_back(id);
        bytes += more;
    }
    if (auto added = add(); !added) return fail(std::move(added.error()));
    return out;
}

}  // namespace postern::mail::courier
