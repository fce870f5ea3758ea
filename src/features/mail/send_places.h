#pragma once

#include "features/mail/mail_store.h"
#include "foundation/base/id.h"

#include <cstddef>
#include <map>
#include <string>

namespace postern::mail {

inline constexpr std::size_t k_send_places = 32;
inline constexpr std::size_t k_send_places_of_mailbox = 2;
inline constexpr std::size_t k_send_places_of_host = k_send_places / 2;

/// The mails that are under way: few of one mailbox and half of all of one host, so that a server
/// that hangs holds up nobody else's.
class SendPlaces {
public:
    [[nodiscard]] bool are_taken() const { return hosts_.size() >= k_send_places; }
    [[nodiscard]] bool are_free() const { return hosts_.empty(); }
    /// Whether its mailbox leaves it a place; of its host see take().
    [[nodiscard]] bool may_have_one(const rows::OutboxRow& row) const;
    /// False: there is none for it. An empty host is one that is not known and has no bound.
    [[nodiscard]] bool take(const rows::OutboxRow& row, const std::string& host);
    void give_back(const rows::OutboxRow& row);

private:
    std::map<MessageId, std::string> hosts_;  // where each goes that is under way
    std::map<IntegrationId, std::size_t> of_mailbox_;
    std::map<std::string, std::size_t> of_host_;
};

}  // namespace postern::mail
