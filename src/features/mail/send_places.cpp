#include "features/mail/send_places.h"

#include "features/mail/mail_store.h"

#include <cstddef>
#include <map>
#include <string>

namespace postern::mail {
namespace {

template <typename Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

template <typename Key>
void take_one(std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

bool SendPlaces::may_have_one(const rows::OutboxRow& row) const {
    return !are_taken() && !hosts_.contains(row.message) &&
           count_of(of_mailbox_, row.integration) < k_send_places_of_mailbox;
}

bool SendPlaces::take(const rows::OutboxRow& row, const std::string& host) {
    const bool is_bounded = !host.empty();
    if (!may_have_one(row)) return false;
    if (is_bounded && count_of(of_host_, host) >= k_send_places_of_host) return false;
    hosts_.emplace(row.message, host);
    ++of_mailbox_[row.integration];
    if (is_bounded) ++of_host_[host];
    return true;
}

void SendPlaces::give_back(const rows::OutboxRow& row) {
    const auto found = hosts_.find(row.message);
    if (found == hosts_.end()) return;
    take_one(of_mailbox_, row.integration);
    take_one(of_host_, found->second);
    hosts_.erase(found);
}

}  // namespace postern::mail
