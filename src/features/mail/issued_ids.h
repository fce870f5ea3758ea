#pragma once

#include "features/mail/learned_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "foundation/codec/mail/our_message_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// One of our mails, named by an id that we issued, or that its server gave it instead.
struct IssuedId {
    rows::ThreadRow thread;
    std::uint32_t number = 0;  ///< of the mail in its thread
    std::string id;            ///< as it was named
};

/// Tells which of our mails an id from outside names: keeper's MAC decides what we issued, a row
/// what we learnt.
///
/// Executor: front's thread.
class IssuedIds {
public:
    static constexpr std::size_t k_checked_max = 16;

    explicit IssuedIds(Parts parts) : parts_(parts), learned_(parts) {}

    /// The id of the thread's mail of this number. Lifetime: mailbox outlives the call.
    async::Task<std::string> issue(const Mailbox* mailbox,
                                   std::array<std::uint8_t, 16> thread,
                                   std::uint32_t number);
    /// The first of `ids` (at most k_checked_max are looked at) that is one of this mailbox's.
    /// Lifetime: mailbox and ids outlive the call.
    async::Task<std::optional<IssuedId>> find(const Mailbox* mailbox,
                                              const std::vector<std::string>* ids);

private:
    async::Task<std::optional<IssuedId>> of_thread(const Mailbox* mailbox,
                                                   codec::OurMessageId id,
                                                   std::string text);

    async::Task<std::optional<IssuedId>> learned(const Mailbox* mailbox,
                                                 const std::vector<std::string>* ids);

    Parts parts_;
    LearnedIds learned_;
};

}  // namespace postern::mail
