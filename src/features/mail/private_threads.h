#pragma once

#include "features/mail/mail_types.h"
#include "features/mail/ports.h"
#include "platform/audit/audit_log.h"
#include "platform/events/event_log.h"
#include "platform/store/database.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace postern::mail {

/// A private thread in which nobody is left who may write: none of its people works here, is let in
/// and has a role that writes.
struct UnattendedThread {
    ThreadId id;
    UnixMs created_at_ms = 0;
    UnixMs updated_at_ms = 0;
};
struct UnattendedPage {
    std::vector<UnattendedThread> threads;
    std::optional<ThreadId> next;  ///< where the next page goes on; nothing: that was all
};
/// So many private threads are looked at for one page.
inline constexpr std::int64_t k_private_threads_at_once = 5'000;

/// Who sees a private thread: its people say so, and, where none of them is left to, an owner.
///
/// Whoever does not see a thread is answered as if it were not there. What changes is recorded in
/// the same transaction. Executor: front's thread. Lifetime: outlives every coroutine it started.
class PrivateThreads {
public:
    struct Parts {
        store::Database& database;
        events::EventLog& events;
        audit::AuditLog& audit;
        const Clock& clock;
        const Colleagues& colleagues;
    };
    explicit PrivateThreads(Parts parts) : parts_(parts) {}

    /// Somebody who may read mail sees it, too. Whoever does already, still does.
    /// Errors: thread_not_found, thread_is_shared, person_not_found.
    async::Task<> add(audit::By by, Viewer viewer, ThreadId thread, PersonId person);
    /// Also of oneself. Errors: thread_not_found, thread_is_shared, person_not_found,
    /// last_of_thread where nobody who may write would stay.
    async::Task<> take_out(audit::By by, Viewer viewer, ThreadId thread, PersonId person);
    /// Everybody who reads mail sees it, for good. Errors: thread_not_found, thread_is_shared.
    async::Task<> share(audit::By by, Viewer viewer, ThreadId thread);

    /// Newest first, from below `before`, at most `limit`. A page may hold fewer and have a next.
    async::Task<UnattendedPage> unattended(WorkspaceId workspace,
                                           ThreadId before,
                                           std::size_t limit);
    /// One that is not unattended is not there. Errors: thread_not_found.
    async::Task<> share_unattended(audit::By by, WorkspaceId workspace, ThreadId thread);
    /// This person is one of its people from now on. Errors: thread_not_found, person_needed.
    async::Task<> take_over(audit::By by,
                            WorkspaceId workspace,
                            ThreadId thread,
                            std::optional<PersonId> person);

    /// How many each person sees.
    async::Task<std::map<PersonId, std::int64_t>> count_by_person(WorkspaceId workspace);

private:
    template <store::Body F>
    async::Task<> change(WorkspaceId workspace, audit::Act act, F body);

    Parts parts_;
};

}  // namespace postern::mail
