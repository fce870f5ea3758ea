#pragma once

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/parts.h"
#include "foundation/codec/mail/reply_address.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// The plus addresses that answers to one thread each may go to: what our mails name as Reply-To
/// once a probe arrived at one, and whose thread one is that a mail was sent to.
///
/// Executor: front's thread. Lifetime: what is pointed to outlives the call.
class ReplyAddresses {
public:
    using Token = std::array<std::uint8_t, 16>;
    static constexpr std::size_t k_checked_max = 4;
    /// A probe that has not arrived by then did not arrive.
    static constexpr std::chrono::hours k_arrives_within{24};

    explicit ReplyAddresses(Parts parts) : parts_(parts) {}

    /// Nothing for a mailbox that cannot have such addresses.
    [[nodiscard]] static std::optional<codec::ReplyAddressForm> form_of(const Mailbox& mailbox);

    async::Task<ReplyAddressState> state(const Mailbox* mailbox);
    /// Where the mailbox gets its mail: a probe says nothing about another place.
    async::Task<Bytes> place_mac(const Mailbox* mailbox);
    /// Of the thread, or the probe, with this token. Errors: reply_address_not_possible.
    async::Task<std::string> address_of(const Mailbox* mailbox, Token token);

    struct Given {
        std::string address;
        Bytes tag_mac;  ///< what it is found by, once stored
    };
    /// What a mail of this thread names as Reply-To; nothing unless that arrives.
    async::Task<std::optional<Given>> to_give(const Mailbox* mailbox, Token token);
    /// The thread that one of these was given out for (of the first k_checked_max that look so).
    async::Task<std::optional<rows::ThreadRow>> find(const Mailbox* mailbox,
                                                     const std::vector<MailAddress>* recipients);

    /// True for the mailbox's probe, which has arrived where it `was_delivered`.
    async::Task<bool> take_probe(const Mailbox* mailbox,
                                 const std::vector<MailAddress>* recipients,
                                 bool was_delivered);
    /// True for a bounce of the probe, which did not arrive.
    async::Task<bool> take_bounce(const Mailbox* mailbox, const std::vector<std::string>* our_ids);

private:
    async::Task<codec::ReplyAddressForm::Tag> tag_of(const Mailbox* mailbox, Token token);
    async::Task<std::optional<rows::ReplyProbeRow>> probe_of(const Mailbox* mailbox);
    async::Task<> settle(const Mailbox* mailbox, Token token, rows::ReplyProbeState state);

    Parts parts_;
};

}  // namespace postern::mail
