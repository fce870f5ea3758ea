#include "features/mail/private_threads.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/ports.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/audit/record.h"
#include "platform/events/event_log.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace postern::mail {

namespace private_rows = private_threads::rows;
using store::Transaction;

namespace {

constexpr std::int64_t k_page = 500;

events::Event thread_event(PublicText kind, ThreadId thread) {
    return {kind, thread, {{"thread_id", thread.text()}}};
}

audit::Act thread_act(audit::By by, PublicText action, ThreadId thread) {
    return {std::move(by), action, {{"thread_id", thread.text()}}};
}

using People = std::vector<PersonId>;

/// Who sees a thread that this viewer sees. Errors: thread_not_found, thread_is_shared.
Result<People> people_of(Transaction& tx, const Viewer& viewer, ThreadId thread) {
    if (auto seen = rows::see_thread(tx, viewer, thread); !seen) {
        return fail(std::move(seen.error()));
    }
    POSTERN_TRY(auto people, private_rows::people_of(tx, viewer.workspace(), thread));
    if (!people) return fail(MailServiceError::thread_is_shared);
    return std::move(*people);
}

/// The same, of somebody who is named. Errors: thread_not_found, thread_is_shared, and
/// person_not_found of a stranger in a thread that everybody sees.
Result<People> people_with(Transaction& tx,
                           const Colleagues& colleagues,
                           const Viewer& viewer,
                           ThreadId thread,
                           PersonId person) {
    POSTERN_TRY(const auto known, colleagues.may_read(tx, viewer.workspace(), person));
    auto people = people_of(tx, viewer, thread);
    if (!people && !known && people.error().is(MailServiceError::thread_is_shared)) {
        return fail(MailServiceError::person_not_found);
    }
    return people;
}

Result<bool> is_attended(Transaction& tx,
                         const Colleagues& colleagues,
                         WorkspaceId workspace,
                         const People& people) {
    for (const auto person : people) {
        POSTERN_TRY(const auto may, colleagues.may_write(tx, workspace, person));
        if (may) return true;
    }
    return false;
}

/// Errors: thread_not_found, whatever else it is.
Result<> check_unattended(Transaction& tx,
                          const Colleagues& colleagues,
                          WorkspaceId workspace,
                          ThreadId thread) {
    POSTERN_TRY(const auto people, private_rows::people_of(tx, workspace, thread));
    if (!people) return fail(MailServiceError::thread_not_found);
    POSTERN_TRY(const auto attended, is_attended(tx, colleagues, workspace, *people));
    if (attended) return fail(MailServiceError::thread_not_found);
    return {};
}

Result<UnattendedPage> look(Transaction& tx,
                            const Colleagues& colleagues,
                            WorkspaceId workspace,
                            ThreadId before,
                            std::size_t limit) {
    UnattendedPage out;
    auto at = before;
    for (std::int64_t looked = 0; looked < k_private_threads_at_once; looked += k_page) {
        POSTERN_TRY(const auto page, private_rows::list(tx, workspace, at, k_page));
        for (const auto& each : page) {
            if (out.threads.size() == limit) {
                out.next = out.threads.back().id;
                return out;
            }
            at = each.id;
            POSTERN_TRY(const auto attended, is_attended(tx, colleagues, workspace, each.people));
            if (attended) continue;
            POSTERN_TRY(const auto row, rows::load_thread(tx, workspace, each.id));
            out.threads.push_back({each.id, row.created_at_ms, row.updated_at_ms});
        }
        if (static_cast<std::int64_t>(page.size()) < k_page) return out;
    }
    out.next = at;
    return out;
}

}  // namespace

template <store::Body F>
async::Task<> PrivateThreads::change(WorkspaceId workspace, audit::Act act, F body) {
    auto changed = co_await parts_.audit.record(workspace, std::move(act), std::move(body));
    if (changed) parts_.events.published(workspace);
    co_return changed;
}

async::Task<> PrivateThreads::add(audit::By by, Viewer viewer, ThreadId thread, PersonId person) {
    const auto workspace = viewer.workspace();
    const auto look_first = [this, viewer, thread, person](Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto people, people_with(tx, parts_.colleagues, viewer, thread, person));
        return std::ranges::find(people, person) != people.end();
    };
    const auto is_one = co_await parts_.database.read(look_first);
    if (!is_one) co_return fail(is_one.error());
    if (*is_one) co_return Result<>{};
    auto act = thread_act(std::move(by), "thread.person_added", thread);
    act.about.push_back({"person_id", person.text()});
    const auto body = [this, viewer, thread, person,
                       now = parts_.clock.now_ms()](Transaction& tx) -> Result<> {
        const auto w = viewer.workspace();
        POSTERN_TRY([[maybe_unused]] const auto people, people_of(tx, viewer, thread));
        POSTERN_TRY(const auto may, parts_.colleagues.may_read(tx, w, person));
        if (!may) return fail(MailServiceError::person_not_found);
        POSTERN_TRY([[maybe_unused]] const auto added,
                    private_rows::add(tx, w, thread, person, now));
        return parts_.events.append(tx, w, thread_event("thread.people", thread));
    };
    co_return co_await change(workspace, std::move(act), body);
}

async::Task<> PrivateThreads::take_out(audit::By by,
                                       Viewer viewer,
                                       ThreadId thread,
                                       PersonId person) {
    const auto workspace = viewer.workspace();
    auto act = thread_act(std::move(by), "thread.person_taken_out", thread);
    act.about.push_back({"person_id", person.text()});
    const auto body = [this, viewer, thread, person](Transaction& tx) -> Result<> {
        const auto w = viewer.workspace();
        POSTERN_TRY(auto people, people_with(tx, parts_.colleagues, viewer, thread, person));
        if (std::erase(people, person) == 0) return fail(MailServiceError::person_not_found);
        POSTERN_TRY(const auto attended, is_attended(tx, parts_.colleagues, w, people));
        if (!attended) return fail(MailServiceError::last_of_thread);
        POSTERN_TRY([[maybe_unused]] const auto gone,
                    private_rows::take_out(tx, w, thread, person));
        return parts_.events.append(tx, w, thread_event("thread.people", thread));
    };
    co_return co_await change(workspace, std::move(act), body);
}

async::Task<> PrivateThreads::share(audit::By by, Viewer viewer, ThreadId thread) {
    const auto body = [this, viewer, thread](Transaction& tx) -> Result<> {
        const auto w = viewer.workspace();
        POSTERN_TRY([[maybe_unused]] const auto people, people_of(tx, viewer, thread));
        if (auto shared = private_rows::share(tx, w, thread); !shared) return shared;
        return parts_.events.append(tx, w, thread_event("thread.shared", thread));
    };
    auto act = thread_act(std::move(by), "thread.shared", thread);
    co_return co_await change(viewer.workspace(), std::move(act), body);
}

async::Task<UnattendedPage> PrivateThreads::unattended(WorkspaceId workspace,
                                                       ThreadId before,
                                                       std::size_t limit) {
    const auto body = [this, workspace, before, limit](Transaction& tx) {
        return look(tx, parts_.colleagues, workspace, before, limit);
    };
    co_return co_await parts_.database.read(body);
}

async::Task<> PrivateThreads::share_unattended(audit::By by,
                                               WorkspaceId workspace,
                                               ThreadId thread) {
    const auto body = [this, workspace, thread](Transaction& tx) -> Result<> {
        auto checked = check_unattended(tx, parts_.colleagues, workspace, thread);
        if (!checked) return checked;
        if (auto shared = private_rows::share(tx, workspace, thread); !shared) return shared;
        return parts_.events.append(tx, workspace, thread_event("thread.shared", thread));
    };
    auto act = thread_act(std::move(by), "thread.shared_unattended", thread);
    co_return co_await change(workspace, std::move(act), body);
}

async::Task<> PrivateThreads::take_over(audit::By by,
                                        WorkspaceId workspace,
                                        ThreadId thread,
                                        std::optional<PersonId> person) {
    const auto body = [this, workspace, thread, person,
                       now = parts_.clock.now_ms()](Transaction& tx) -> Result<> {
        auto checked = check_unattended(tx, parts_.colleagues, workspace, thread);
        if (!checked) return checked;
        if (!person) return fail(MailServiceError::person_needed);
        POSTERN_TRY([[maybe_unused]] const auto added,
                    private_rows::add(tx, workspace, thread, *person, now));
        return parts_.events.append(tx, workspace, thread_event("thread.people", thread));
    };
    auto act = thread_act(std::move(by), "thread.taken_over", thread);
    if (person) act.about.push_back({"person_id", person->text()});
    co_return co_await change(workspace, std::move(act), body);
}

async::Task<std::map<PersonId, std::int64_t>> PrivateThreads::count_by_person(
    WorkspaceId workspace) {
    const auto body =
        [workspace](Transaction& tx) -> Result<std::vector<std::pair<PersonId, std::int64_t>>> {
        return private_rows::count_by_person(tx, workspace);
    };
    auto found = co_await parts_.database.read(body);
    if (!found) co_return fail(std::move(found.error()));
    co_return std::map<PersonId, std::int64_t>(found->begin(), found->end());
}

}  // namespace postern::mail
