#pragma once

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/front.h"
#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/courier/watched_folders.h"
#include "features/mail/protocol/courier_protocol.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace postern::mail::courier {

struct WatchOptions {
    /// How often the folders that IDLE does not cover are asked about; with it the connection
    /// shows that it is alive.
    std::chrono::milliseconds poll_interval{60'000};
    /// A server may end IDLE after 30 minutes; routers forget silent connections much earlier.
    std::chrono::milliseconds idle_max{5 * 60'000};
    /// So often mails are searched for whose Thread-Index alone is ours; and whenever a person asks
    /// for a search.
    std::chrono::milliseconds hints_interval{60 * 60'000};
    /// At most so often a folder beside INBOX is looked at that the server tells of by itself.
    std::chrono::milliseconds other_rest{15'000};
};

/// Watches one mailbox over one connection. One coroutine, run(), talks to the server; fetch() and
/// search_now() queue their wish and wake it, also while front still works on what it was told.
///
/// Lifecycle: begin(), then run() in a TaskGroup until it ends, which front hears once, unless
/// stop() ended it. Lifetime: front and group outlive it. Executor: the group's own thread.
class Watcher : public std::enable_shared_from_this<Watcher> {
public:
    static constexpr std::size_t k_waiting_max = 64;

    struct Parts {
        SessionContext context;
        Front* front = nullptr;
        async::TaskGroup* group = nullptr;
        WatchOptions options;
        std::shared_ptr<HeaderTrouble> trouble;
    };
    Watcher(Parts parts, Watch asked);
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    /// Signs in and gives every folder a cursor. Errors: MailError.
    async::Task<Watch::Answer> begin(OpenedUse opened);
    async::Job run();
    /// Ends it without a word to front.
    void stop();

    /// Counts from the next search on.
    void set(const SetWatch& asked);
    void watch_addresses();

    /// Errors: MailError, ipc::IpcError::busy.
    async::Task<SearchNow::Answer> search_now();
    /// Only mails that carry an id of ours, or go to a reply address, are given out. Errors:
    /// MailError, busy.
    async::Task<FetchMail::Answer> fetch(FetchMail asked);

private:
    template <typename Asked, typename Answer>
    struct Wish {
        Wish(const boost::asio::any_io_executor& executor, Asked what)
            : asked(std::move(what)), done(executor) {}
        Asked asked;
        async::Signal done;
        bool settled = false;
        Result<Answer> outcome = fail(MailError::timed_out);

        void settle(Result<Answer> with) {
            settled = true;
            outcome = std::move(with);
            done.set();
        }
    };
    using Fetch = Wish<FetchMail, FetchMail::Answer>;
    using Search = Wish<SearchNow, SearchNow::Answer>;
    struct Report {
        bool answered = false;
        bool taken = false;
    };

    template <typename W>
    async::Task<> wait_for(std::shared_ptr<W> wish, std::deque<std::shared_ptr<W>>* queue);
    void wake();
    void close_down(const Error& why);
    [[nodiscard]] Result<> check_alive() const;

    async::Task<> watch();
    /// What is due; false when nothing is.
    async::Task<bool> look_where_due(Deadline* next_poll);
    [[nodiscard]] bool may_wait(std::size_t at, const Error& error) const;
    async::Task<> wait_for_change(Deadline next_poll);
    [[nodiscard]] Deadline poll_after() const;
    async::Task<SearchNow::Answer> look_everywhere(bool inbox_anew);
    async::Task<SearchNow::Answer> look_at(std::size_t at);
    async::Task<> search_as_asked();
    /// False when front could not take it.
    async::Task<bool> report(FolderSearched told);
    static async::Job tell_front(std::shared_ptr<Watcher> self,
                                 std::shared_ptr<Report> report,
                                 FolderSearched told);
    async::Task<> serve_fetches();
    async::Task<FetchMail::Answer> fetch_now(FetchMail asked);
    async::Task<FetchMail::Answer> fetch_open(FetchMail asked);

    SessionContext context_;
    Front& front_;
    async::TaskGroup& group_;
    WatchOptions options_;
    std::shared_ptr<HeaderTrouble> trouble_;
    IntegrationId integration_;
    KnownIds ids_;
    bool by_headers_ = false;
    UnixMs seen_at_ms_ = 0;
    std::vector<FolderCursor> known_;
    std::string own_address_;  ///< as keeper says it
    bool by_address_ = false;

    std::unique_ptr<ImapSession> session_;
    std::unique_ptr<WatchedFolders> folders_;
    async::Signal wake_;
    std::deque<std::shared_ptr<Fetch>> fetches_;
    std::deque<std::shared_ptr<Search>> searches_;
    bool stopped_ = false;
    bool over_ = false;
};

}  // namespace postern::mail::courier
