#pragma once

#include "features/mail/parts.h"
#include "features/mail/replies.h"
#include "platform/async/signal.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace postern::mail {

/// Doubles with every failure; a part of it depends on the mailbox, so that a thousand of them do
/// not come back in the same moment.
[[nodiscard]] std::chrono::milliseconds watch_pause(std::int64_t failures,
                                                    IntegrationId integration);

/// Keeps one watch at courier per mailbox whose replies are read, as long as a lease or grant
/// allows it: after a lost connection it tries again with growing pauses, after a refused sign-in
/// it waits for a person.
///
/// Executor: front's thread.
class Watches {
public:
    Watches(Parts parts, Replies& replies) : parts_(parts), replies_(replies) {}

    /// Starts watching everything that is active.
    async::Task<> start();
    /// A mailbox was connected, unlocked, granted, sealed or cut off.
    void mailbox_changed(WorkspaceId workspace, IntegrationId integration);
    /// Courier says that a watch is over.
    void ended(IntegrationId integration, MailError reason);
    /// Courier is a new process.
    void courier_restarted();
    [[nodiscard]] bool watching(IntegrationId integration) const;
    [[nodiscard]] std::size_t count() const noexcept;
    /// Resumes when the mailbox is watched, or with the error that keeps it from being so.
    async::Task<> until_watching(WorkspaceId workspace,
                                 IntegrationId integration,
                                 Deadline deadline);

private:
    struct Watched {
        explicit Watched(const boost::asio::any_io_executor& executor) : wake(executor) {}
        /// The state below is fresh.
        void settle();
        async::Signal wake;  // something changed: look again
        std::vector<std::shared_ptr<async::Signal>> waiting;
        bool watching = false;
        std::optional<MailError> ended;
        std::optional<Error> refused;
        std::int64_t failures = 0;
    };

    async::Job run(WorkspaceId workspace, IntegrationId integration);
    async::Task<> begin(WorkspaceId workspace, IntegrationId integration);
    async::Task<> wait_while_watching(std::shared_ptr<Watched> watched);
    async::Task<> after_failure(WorkspaceId workspace,
                                IntegrationId integration,
                                std::shared_ptr<Watched> watched,
                                Error why);

    Parts parts_;
    Replies& replies_;
    std::map<IntegrationId, std::shared_ptr<Watched>> all_;
};

}  // namespace postern::mail
