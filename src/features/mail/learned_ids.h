#pragma once

#include "features/mail/mail_store.h"
#include "features/mail/parts.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// Message-IDs that servers gave to our mails instead of ours: replies name those. Stored sealed
/// and found by a MAC; courier searches for them beside our own label.
///
/// Executor: front's thread.
class LearnedIds {
public:
    /// Of one mailbox, the newest: what courier searches for.
    static constexpr std::int64_t k_watched_max = 500;

    explicit LearnedIds(Parts parts) : parts_(parts) {}

    /// That a server gave this id to that mail. Nothing is learnt from our own id, nor from an
    /// empty one.
    async::Task<> learn(const Mailbox* mailbox, MessageId message, std::string id);
    /// Oldest first.
    async::Task<std::vector<std::string>> all(WorkspaceId workspace, IntegrationId integration);
    async::Task<std::optional<rows::MessageRow>> find(const Mailbox* mailbox, std::string id);

private:
    async::Task<Bytes> mac_of(WorkspaceId workspace, std::string id);

    Parts parts_;
};

}  // namespace postern::mail
