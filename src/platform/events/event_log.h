#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/database.h"

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::events {

/// An id's text or the name of a state: letters, digits, "_" and "." only.
struct EventField {
    PublicText name;
    std::string value;
};

/// Something that happened, as clients see it: a kind and ids, never content.
struct Event {
    PublicText kind;                 ///< "message.received"
    std::optional<ThreadId> thread;  ///< what it tells of is for those who see this one
    std::vector<EventField> ids;
};

struct StoredEvent {
    std::int64_t number = 0;
    UnixMs at_ms = 0;
    std::string kind;
    std::string ids_json;
};

/// A part of what happened, as one viewer sees it.
struct News {
    std::vector<StoredEvent> events;  ///< oldest first
    std::int64_t looked_to = 0;       ///< number of the last event that was looked at, seen or not
};

/// How many of a workspace's newest events are kept for clients that come back.
inline constexpr std::int64_t k_events_kept = 10'000;

/// The events of all workspaces: rows written in the transaction of the change they tell of, and a
/// wake for whoever streams them.
class EventLog {
public:
    EventLog(boost::asio::any_io_executor executor, store::Database& database, const Clock& clock)
        : executor_(std::move(executor)), database_(database), clock_(clock) {}

    /// Part of the caller's transaction. Call published() when it is committed.
    [[nodiscard]] Result<> append(store::Transaction& transaction,
                                  WorkspaceId workspace,
                                  const Event& event) const;
    void published(WorkspaceId workspace);
    /// For when nothing happened but who may see it changed.
    void wake_all();
    /// A transaction of its own, then published().
    async::Task<> publish(WorkspaceId workspace, Event event);

    /// What the viewer sees of the events after `number`, at most 200 of them.
    async::Task<News> after(private_threads::Viewer viewer, std::int64_t number);
    async::Task<std::int64_t> newest(WorkspaceId workspace);

    /// Wakes whenever the workspace has something new.
    class Listener {
    public:
        Listener(EventLog& log, WorkspaceId workspace);
        ~Listener();
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;
        /// Errors: deadline_passed, cancelled.
        async::Task<> wait(Deadline deadline) { return signal_.wait(deadline); }

    private:
        friend class EventLog;
        EventLog& log_;
        WorkspaceId workspace_;
        async::Signal signal_;
    };

private:
    boost::asio::any_io_executor executor_;
    store::Database& database_;
    const Clock& clock_;
    std::map<WorkspaceId, std::list<Listener*>> listeners_;
};

}  // namespace postern::events
