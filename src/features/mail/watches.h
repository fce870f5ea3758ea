#pragma once

#include "features/mail/learned_ids.h"
#include "features/mail/parts.h"
#include "features/mail/replies.h"
#include "platform/async/gate.h"
#include "platform/async/signal.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::mail {

/// Doubles with every failure; a part of it depends on the mailbox, so that a thousand of them do
/// not come back in the same moment.
[[nodiscard]] std::chrono::milliseconds watch_pause(std::int64_t failures,
                                                    IntegrationId integration);
/// The same where others mend it, a certificate or an address: 1, 2, then 4 hours.
[[nodiscard]] std::chrono::milliseconds slow_watch_pause(std::int64_t failures);

/// Keeps one watch at courier per mailbox whose replies are read, as long as a lease or grant
/// allows it: after a lost connection it tries again with growing pauses, after a refused sign-in
/// it waits for a person. A thousand that lost their server sign in a few at a time: few at one
/// host, so that it sees no storm, and a host that hangs holds up no other.
///
/// Executor: front's thread.
class Watches {
public:
    static constexpr std::size_t k_sign_ins_at_one_host = 8;
    static constexpr async::Gate::Limits k_sign_ins{
        .in_all = 64, .of_one_key = k_sign_ins_at_one_host, .waiting = 20'000};

    Watches(Parts parts, Replies& replies)
        : parts_(parts),
          replies_(replies),
          learned_(parts),
          sign_ins_(parts.jobs.executor(), k_sign_ins) {}

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
        std::string host;         // where it was last tried
        bool host_fails = false;  // it pauses because nobody can sign in there
        std::optional<MailError> ended;
        std::optional<Error> refused;
        std::int64_t failures = 0;
    };

    async::Job run(WorkspaceId workspace, IntegrationId integration);
    async::Task<> begin(WorkspaceId workspace,
                        IntegrationId integration,
                        std::shared_ptr<Watched> watched);
    void host_answers(const std::string& host);
    async::Task<> wait_while_watching(std::shared_ptr<Watched> watched);
    async::Task<> after_failure(WorkspaceId workspace,
                                IntegrationId integration,
                                std::shared_ptr<Watched> watched,
                                Error why,
                                bool had_begun);

    Parts parts_;
    Replies& replies_;
    LearnedIds learned_;
    async::Gate sign_ins_;
    std::map<IntegrationId, std::shared_ptr<Watched>> all_;
};

}  // namespace postern::mail
