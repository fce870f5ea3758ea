#pragma once

#include "features/mail/learned_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "platform/async/signal.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace postern::mail {

/// Tries, after a mailbox's first sent mail and weekly, whether its server's search finds our mail.
/// Where it does not, courier looks at the thread fields of every new mail instead, and each sent
/// mail, or a day, is a reason to try again.
///
/// Executor: front's thread.
class Probes {
public:
    static constexpr auto k_interval = std::chrono::hours(7 * 24);
    static constexpr auto k_interval_by_headers = std::chrono::hours(24);
    static constexpr auto k_interval_when_refused = std::chrono::hours(1);

    explicit Probes(Parts parts)
        : parts_(parts), vault_(parts.keeper), learned_(parts), wake_(parts.jobs.executor()) {}

    async::Job run();
    /// A mail of this mailbox was sent: perhaps its first.
    void sent(WorkspaceId workspace, IntegrationId integration);
    /// Its server refused to search.
    void search_refused(WorkspaceId workspace, IntegrationId integration);
    enum class Why { time, sent, search_refused };
    /// Where it is due and the mailbox is open; true when it was probed.
    async::Task<bool> probe_if_due(WorkspaceId workspace, IntegrationId integration, Why why);

private:
    async::Task<std::optional<std::string>> newest_root(WorkspaceId workspace,
                                                        IntegrationId integration);
    async::Task<> store(WorkspaceId workspace,
                        IntegrationId integration,
                        bool was_by_headers,
                        ProbeSearch::Answer answer);

    Parts parts_;
    MessageVault vault_;
    LearnedIds learned_;
    async::Signal wake_;
    std::map<IntegrationId, std::pair<WorkspaceId, Why>> asked_;
};

}  // namespace postern::mail
