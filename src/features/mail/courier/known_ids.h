#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {

/// Whether an id that a server gave to a mail of ours is fit to be searched for: long enough not to
/// stand in other ids by chance, and nothing but printable characters.
[[nodiscard]] bool is_learnable(std::string_view id);

/// The Message-ID that a submission server says it gave the mail (its answer to the final dot):
/// "<id>" as Exchange writes it, or the bare token of Amazon SES, whose domain depends on the host.
[[nodiscard]] std::string id_given_by(std::string_view reply_text, std::string_view host);

/// How the ids of one mailbox's mails are told: they end in its label, or were learnt.
class KnownIds {
public:
    static constexpr std::size_t k_learned_max = 500;

    explicit KnownIds(std::string label) : label_(std::move(label)) {}

    [[nodiscard]] const std::string& label() const noexcept { return label_; }
    /// Newest last; of more than k_learned_max the newest are kept.
    void learn(const std::vector<std::string>& ids);
    [[nodiscard]] bool contains(std::string_view id) const;
    /// Those of a Message-ID, In-Reply-To or References value, each once, in their order: ids with
    /// our label before learnt ones.
    void append_from(std::string_view value,
                     std::size_t ids_max,
                     std::vector<std::string>& out) const;
    /// Whether the two fields of a reply hold one. A block that cannot be read holds none.
    [[nodiscard]] bool are_in(ByteView header) const;
    /// As many commands as keep each below 8 KB. `last` 0: up to the newest.
    [[nodiscard]] Result<std::vector<imap::SearchQuery>> queries(imap::Uid first,
                                                                 imap::Uid last) const;

private:
    [[nodiscard]] bool is_learned(std::string_view id) const;

    std::string label_;
    std::deque<std::string> learned_;
};

}  // namespace postern::mail::courier
