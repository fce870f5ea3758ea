#include "features/vault/tickets.h"

#include "features/vault/sealing.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/random.h"
#include "platform/ipc/peer.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::vault {

Result<Bytes> Tickets::add(TicketUse use, UnixMs now) {
    // A clock that was set back ends them too.
    std::erase_if(tickets_, [&](const auto& item) {
        return now >= item.second.made_ms + k_ticket_ms || now < item.second.made_ms;
    });
    if (tickets_.size() >= k_tickets_max) {
        return fail(Error(ipc::IpcError::busy).with_retry_after(k_ticket_ms / 1000));
    }
    auto ticket = crypto::random_bytes(k_ticket_bytes);
    tickets_.emplace(ticket, Entry{std::move(use), now});
    return ticket;
}

Result<keys::Redeem::Answer> Tickets::redeem(ByteView ticket, UnixMs now) {
    // Looked up, not compared: 128 random bits cannot be found by timing in 30 seconds.
    auto node = tickets_.extract(to_bytes(ticket));
    if (node.empty()) return fail(keys::KeyError::ticket_refused);
    const auto& [use, made_ms] = node.mapped();
    const bool fresh = now >= made_ms && now < made_ms + k_ticket_ms && now < use.until_ms;
    if (!fresh) return fail(keys::KeyError::ticket_refused);
    const auto joined = crypto::open_secret(use.wrap_key, use.credential, use.place);
    if (!joined) return fail(keys::KeyError::ticket_refused);
    auto content = split_content(*joined);
    if (!content) return fail(keys::KeyError::ticket_refused);
    keys::Redeem::Answer answer;
    answer.workspace = use.key.workspace;
    answer.integration = use.key.integration;
    answer.epoch = use.epoch;
    answer.verb = use.verb;
    answer.by_grant = use.by_grant;
    answer.grant = use.grant;
    answer.until_ms = use.until_ms;
    answer.destination = std::move(content->destination);
    answer.credential = std::move(content->credential);
    return answer;
}

void Tickets::drop_all(const IntegrationKey& key) {
    std::erase_if(tickets_, [&](const auto& item) { return item.second.use.key == key; });
}

void Tickets::drop_workspace(const std::optional<WorkspaceId>& workspace) {
    std::erase_if(tickets_, [&](const auto& entry) {
        return !workspace || entry.second.use.key.workspace == *workspace;
    });
}

void Tickets::drop_epoch(const IntegrationKey& key, std::uint64_t epoch) {
    std::erase_if(tickets_, [&](const auto& item) {
        return item.second.use.key == key && item.second.use.epoch == epoch;
    });
}

void Tickets::drop_other_epochs(const IntegrationKey& key, std::uint64_t kept) {
    std::erase_if(tickets_, [&](const auto& item) {
        return item.second.use.key == key && item.second.use.epoch != kept;
    });
}

void Tickets::drop_of_lease(const IntegrationKey& key) {
    std::erase_if(tickets_, [&](const auto& item) {
        return item.second.use.key == key && !item.second.use.by_grant;
    });
}

void Tickets::drop_of_grant(const IntegrationKey& key, GrantId grant) {
    std::erase_if(tickets_, [&](const auto& item) {
        const auto& use = item.second.use;
        return use.key == key && use.by_grant && use.grant == grant;
    });
}

}  // namespace postern::vault
