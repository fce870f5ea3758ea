#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"
#include "foundation/codec/mail/reply_address.h"
#include "foundation/codec/mail/thread_index.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {

/// Whether an id that a server gave to a mail of ours is fit to be searched for: long enough not to
/// stand in other ids by chance, nothing but printable characters, and read from a field as itself.
[[nodiscard]] bool is_learnable(std::string_view id);

/// The Message-ID that a submission server says it gave the mail (its answer to the final dot):
/// "<id>" as Exchange writes it, or the bare token of Amazon SES, whose domain depends on the host.
[[nodiscard]] std::string id_given_by(std::string_view reply_text, std::string_view host);

/// How answers to one mailbox's mails are told: they name an id that ends in its label, or was
/// learnt, or go to one of its reply addresses, once these are watched.
class KnownIds {
public:
    static constexpr std::size_t k_learned_max = 500;

    explicit KnownIds(std::string label);

    [[nodiscard]] const std::string& label() const noexcept { return label_; }
    /// Newest last; of more than k_learned_max the newest are kept.
    void learn(const std::vector<std::string>& ids);
    /// Nothing changes for a mailbox that cannot have such addresses.
    void watch_addresses(std::string_view own);
    [[nodiscard]] bool watches_addresses() const noexcept { return address_.has_value(); }
    [[nodiscard]] bool contains(std::string_view id) const;
    /// Those of a Message-ID, In-Reply-To or References value, each once, in their order: ids with
    /// our label before learnt ones.
    void append_from(std::string_view value,
                     std::size_t ids_max,
                     std::vector<std::string>& out) const;
    /// Whether the two fields of a reply hold one. A block that cannot be read holds none.
    [[nodiscard]] bool are_in(ByteView header) const;
    /// Whether one of them has the form of the mailbox's reply addresses; never, unless watched.
    [[nodiscard]] bool is_addressed(const std::vector<MailAddress>& recipients) const;
    /// The thread that the Thread-Index of a mail of ours, or of an answer to it, names.
    [[nodiscard]] std::optional<codec::ThreadIndexForm::Thread> hinted_thread(
        const imap::HeaderBlock& header) const;
    [[nodiscard]] bool is_hinted(ByteView header) const;
    /// Mails that may be hinted and name no id with our label. Errors: also for a mailbox without
    /// such a Thread-Index.
    [[nodiscard]] Result<imap::SearchQuery> query_for_hints(imap::Uid first, imap::Uid last) const;
    /// As many commands as keep each below 8 KB. `last` 0: up to the newest.
    [[nodiscard]] Result<std::vector<imap::SearchQuery>> queries(imap::Uid first,
                                                                 imap::Uid last) const;
    /// Whether those are more than one.
    [[nodiscard]] bool asks_in_several() const;
    /// The same for some learnt ids alone.
    [[nodiscard]] static Result<std::vector<imap::SearchQuery>> queries_for(
        const std::vector<std::string>& ids, imap::Uid first, imap::Uid last);

private:
    [[nodiscard]] bool is_learned(std::string_view id) const;

    std::string label_;
    std::deque<std::string> learned_;
    std::optional<codec::ReplyAddressForm> address_;
    std::optional<codec::ThreadIndexForm> thread_index_;
};

}  // namespace postern::mail::courier
