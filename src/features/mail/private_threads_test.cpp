#include "features/mail/private_threads.h"

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/private_trial.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {
namespace {

using store::fails_with;
using Ids = std::vector<ThreadId>;

/// Who works here, as far as anybody asks.
class PlayedColleagues final : public Colleagues {
public:
    std::map<PersonId, bool> all;  ///< true: writes, too

    Result<bool> may_read(store::Transaction&, WorkspaceId, PersonId person) const override {
        return all.contains(person);
    }
    Result<bool> may_write(store::Transaction&, WorkspaceId, PersonId person) const override {
        const auto found = all.find(person);
        return found != all.end() && found->second;
    }
};

class PrivateThreadsTest : public MailLab {
protected:
    PrivateThreadsTest() { colleagues.all = {{maya, true}, {noor, true}, {rita, false}}; }
    ~PrivateThreadsTest() override { stop(); }

    /// A thread of Maya's alone, or of everybody's.
    ThreadId thread_of(std::optional<PersonId> person) {
        ++clock.now;
        rows::NewThread thread;
        thread.workspace = workspace;
        thread.id = ThreadId::make(clock.now);
        thread.integration = integration;
        std::ranges::copy(thread.id.raw(), thread.token.begin());
        thread.private_to = person;
        thread.people = ensure(workspace, {k_lea});
        thread.head.content = store::SealedBytes(Bytes{1});
        thread.head.wraps.emplace_back(Bytes{2});
        write([&](store::Transaction& tx) { return rows::insert_thread(tx, thread, clock.now); });
        return thread.id;
    }
    MessageId message_in(ThreadId thread) {
        rows::NewMessage message;
        message.workspace = workspace;
        message.id = MessageId::make(clock.now);
        message.thread = thread;
        message.origin_mac = Bytes(message.id.bytes().begin(), message.id.bytes().end());
        message.body.content = store::SealedBytes(Bytes{1});
        message.raw.emplace();
        message.raw->content = store::SealedBytes(Bytes{1});
        message.raw->wraps.emplace_back(Bytes{2});
        write([&](store::Transaction& tx) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto added,
                        rows::insert_message(tx, message, clock.now));
            return events->append(
                tx, workspace,
                message_event("message.received", thread, message.id, MessageState::received));
        });
        return message.id;
    }
    MessageId held_in(ThreadId thread) {
        rows::HeldRow held;
        held.id = MessageId::make(clock.now);
        held.thread = thread;
        held.integration = integration;
        held.origin_mac = Bytes(held.id.bytes().begin(), held.id.bytes().end());
        held.reason = "not_a_participant";
        held.folder_mac = Bytes{1};
        held.sealed_sender = Bytes{1};
        write([&](store::Transaction& tx) -> Result<> {
            POSTERN_TRY([[maybe_unused]] const auto added, rows::insert_held(tx, workspace, held));
            return {};
        });
        return held.id;
    }
    Viewer as(PersonId person) { return {workspace, person}; }
    Ids listed(const Viewer& viewer, const rows::ListQuery& query = {}) {
        Ids out;
        for (const auto& row :
             read([&](store::Transaction& tx) { return rows::list_threads(tx, viewer, query); }))
            out.push_back(row.id);
        return out;
    }
    std::size_t held_by(const Viewer& viewer, std::optional<ThreadId> thread = std::nullopt) {
        HeldQuery query;
        query.thread = thread;
        return read([&](store::Transaction& tx) { return rows::list_held(tx, viewer, query); })
            .size();
    }
    template <typename F>
    auto look(F body) {
        return database->read_now(std::move(body));
    }
    std::size_t told_to(const Viewer& viewer) {
        return run(events->after(viewer, 0)).value().events.size();
    }
    Result<> add(ThreadId thread, PersonId person, std::optional<Viewer> viewer = std::nullopt) {
        return run(privacy().add(k_by, viewer.value_or(as(maya)), thread, person));
    }
    Result<> take_out(ThreadId thread, PersonId person) {
        return run(privacy().take_out(k_by, as(maya), thread, person));
    }
    PrivateThreads& privacy() {
        if (!service) {
            service = std::make_unique<PrivateThreads>(
                PrivateThreads::Parts{*database, *events, *audit, clock, colleagues});
        }
        return *service;
    }
    std::vector<std::string> actions() {
        std::vector<std::string> out;
        const auto records = run(audit->after(workspace, 0)).value();
        for (const auto& record : records)
            out.push_back(record.stored.action);
        return out;
    }
    UnattendedPage unattended(ThreadId before = {}, std::size_t limit = 50) {
        return run(privacy().unattended(workspace, before, limit)).value();
    }

    PlayedColleagues colleagues;
    std::unique_ptr<PrivateThreads> service;
    PersonId maya = PersonId::make(1);
    PersonId noor = PersonId::make(2);
    PersonId rita = PersonId::make(3);  ///< reads only
};

TEST_F(PrivateThreadsTest, everything_of_a_private_thread_is_for_its_people_alone) {
    const auto shared = thread_of(std::nullopt);
    const auto hers = thread_of(maya);
    const auto message = message_in(hers);
    const auto held = held_in(hers);
    const auto outsiders = {host(workspace), as(noor), as(rita), as(PersonId{}),
                            Viewer(other_workspace, maya)};
    for (const auto& viewer : outsiders) {
        const bool is_here = viewer.workspace() == workspace;
        EXPECT_EQ(listed(viewer), is_here ? Ids{shared} : Ids{});
        EXPECT_TRUE(fails_with(
            look([&](store::Transaction& tx) { return rows::load_seen_thread(tx, viewer, hers); }),
            MailServiceError::thread_not_found));
        EXPECT_TRUE(fails_with(look([&](store::Transaction& tx) {
                                   return rows::load_seen_message(tx, viewer, message);
                               }),
                               MailServiceError::message_not_found));
        EXPECT_TRUE(fails_with(
            look([&](store::Transaction& tx) { return rows::load_seen_raw(tx, viewer, message); }),
            MailServiceError::message_not_found));
        EXPECT_TRUE(fails_with(
            look([&](store::Transaction& tx) { return rows::load_seen_held(tx, viewer, held); }),
            MailServiceError::message_not_found));
        EXPECT_EQ(held_by(viewer), 0U);
        EXPECT_EQ(held_by(viewer, hers), 0U);
        EXPECT_EQ(told_to(viewer), 0U);
    }
    EXPECT_EQ(listed(as(maya)), (Ids{hers, shared}));
    const auto row =
        read([&](store::Transaction& tx) { return rows::load_seen_thread(tx, as(maya), hers); });
    EXPECT_EQ(row.private_to, std::optional(std::vector{maya}));
    EXPECT_TRUE(look(
        [&](store::Transaction& tx) { return rows::load_seen_message(tx, as(maya), message); }));
    EXPECT_TRUE(
        look([&](store::Transaction& tx) { return rows::load_seen_raw(tx, as(maya), message); }));
    EXPECT_TRUE(
        look([&](store::Transaction& tx) { return rows::load_seen_held(tx, as(maya), held); }));
    EXPECT_EQ(held_by(as(maya)), 1U);
    EXPECT_EQ(held_by(as(maya), hers), 1U);
    EXPECT_EQ(told_to(as(maya)), 1U);
    const auto everybodys =
        read([&](store::Transaction& tx) { return rows::load_seen_thread(tx, as(noor), shared); });
    EXPECT_EQ(everybodys.private_to, std::nullopt);
}

TEST_F(PrivateThreadsTest, pages_are_full_whatever_lies_between) {
    Ids hers;
    Ids shared;
    for (int i = 0; i < 40; ++i) {
        hers.insert(hers.begin(), thread_of(maya));
        if (i % 4 == 0) shared.insert(shared.begin(), thread_of(std::nullopt));
    }
    const auto creator = ensure(workspace, {k_lea}).front();
    for (const bool by_creator : {false, true}) {
        for (const bool by_integration : {false, true}) {
            rows::ListQuery query;
            query.limit = 3;
            if (by_creator) query.creator = creator;
            if (by_integration) query.integration = integration;
            Ids seen;
            while (true) {
                const auto page = listed(as(noor), query);
                seen.insert(seen.end(), page.begin(), page.end());
                if (page.size() < 3) break;
                query.before = page.back();
            }
            EXPECT_EQ(seen, shared);
            query.before = {};
            query.limit = 100;
            EXPECT_EQ(listed(as(maya), query).size(), hers.size() + shared.size());
        }
    }
}

TEST_F(PrivateThreadsTest, stream_goes_on_behind_what_it_does_not_show) {
    const auto hers = thread_of(maya);
    const auto shared = thread_of(std::nullopt);
    for (int i = 0; i < 450; ++i)
        message_in(hers);
    message_in(shared);
    for (int i = 0; i < 3; ++i)
        message_in(hers);
    const auto first = run(events->after(as(noor), 0)).value();
    ASSERT_EQ(first.events.size(), 1U);
    EXPECT_EQ(first.events[0].number, 451);
    EXPECT_EQ(first.looked_to, 454);
    const auto full = run(events->after(as(maya), 0)).value();
    EXPECT_EQ(full.events.size(), 200U);
    EXPECT_EQ(full.looked_to, 200);
    EXPECT_EQ(run(events->after(as(maya), 400)).value().events.size(), 54U);
    // Ahead of everything there is.
    EXPECT_EQ(run(events->after(as(maya), 900)).value().looked_to, 900);
}

TEST_F(PrivateThreadsTest, its_people_add_others_who_may_read) {
    const auto hers = thread_of(maya);
    EXPECT_TRUE(add(hers, noor));
    EXPECT_TRUE(add(hers, noor));
    EXPECT_EQ(listed(as(noor)), Ids{hers});
    EXPECT_TRUE(add(hers, rita));
    EXPECT_EQ(listed(as(rita)), Ids{hers});
    EXPECT_TRUE(fails_with(add(hers, PersonId::make(9)), MailServiceError::person_not_found));
    EXPECT_TRUE(fails_with(add(hers, PersonId{}), MailServiceError::person_not_found));
    // The second time added nobody.
    EXPECT_EQ(actions(), (std::vector<std::string>{"thread.person_added", "thread.person_added"}));
}

TEST_F(PrivateThreadsTest, nobody_else_changes_whose_it_is) {
    const auto hers = thread_of(maya);
    for (const auto& viewer : {as(noor), host(workspace), Viewer(other_workspace, maya)}) {
        for (const auto thread : {hers, ThreadId::make(7)}) {
            EXPECT_TRUE(fails_with(add(thread, noor, viewer), MailServiceError::thread_not_found));
            EXPECT_TRUE(fails_with(run(privacy().take_out(k_by, viewer, thread, maya)),
                                   MailServiceError::thread_not_found));
            EXPECT_TRUE(fails_with(run(privacy().share(k_by, viewer, thread)),
                                   MailServiceError::thread_not_found));
        }
    }
    EXPECT_EQ(listed(as(noor)), Ids{});
    EXPECT_EQ(actions(), std::vector<std::string>{});
}

TEST_F(PrivateThreadsTest, last_who_may_write_stays) {
    const auto hers = thread_of(maya);
    EXPECT_TRUE(fails_with(take_out(hers, maya), MailServiceError::last_of_thread));
    EXPECT_TRUE(fails_with(take_out(hers, noor), MailServiceError::person_not_found));
    EXPECT_TRUE(add(hers, rita));
    EXPECT_TRUE(fails_with(take_out(hers, maya), MailServiceError::last_of_thread));
    EXPECT_TRUE(add(hers, noor));
    // Suspended, she could not let anybody in.
    colleagues.all.erase(noor);
    EXPECT_TRUE(fails_with(take_out(hers, maya), MailServiceError::last_of_thread));
    colleagues.all[noor] = true;
    EXPECT_TRUE(take_out(hers, maya));
    EXPECT_EQ(listed(as(maya)), Ids{});
    EXPECT_TRUE(fails_with(take_out(hers, noor), MailServiceError::thread_not_found));
    EXPECT_EQ(listed(as(noor)), Ids{hers});
}

TEST_F(PrivateThreadsTest, shared_is_for_good) {
    const auto hers = thread_of(maya);
    message_in(hers);
    EXPECT_TRUE(run(privacy().share(k_by, as(maya), hers)));
    for (const auto& viewer : {as(noor), host(workspace)}) {
        EXPECT_EQ(listed(viewer), Ids{hers});
        EXPECT_EQ(told_to(viewer), 2U);
    }
    EXPECT_TRUE(
        fails_with(run(privacy().share(k_by, as(maya), hers)), MailServiceError::thread_is_shared));
    EXPECT_TRUE(fails_with(add(hers, noor), MailServiceError::thread_is_shared));
    EXPECT_TRUE(fails_with(take_out(hers, maya), MailServiceError::thread_is_shared));
    EXPECT_EQ(actions(), std::vector<std::string>{"thread.shared"});
}

TEST_F(PrivateThreadsTest, unattended_are_those_in_which_nobody_may_write) {
    const auto shared = thread_of(std::nullopt);
    const auto hers = thread_of(maya);
    const auto ritas = thread_of(rita);
    const auto noors = thread_of(noor);
    const auto left = thread_of(maya);
    write([&](store::Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto gone,
                    private_threads::rows::take_out(tx, workspace, left, maya));
        return {};
    });
    colleagues.all.erase(noor);
    const auto page = unattended();
    Ids ids;
    for (const auto& thread : page.threads)
        ids.push_back(thread.id);
    EXPECT_EQ(ids, (Ids{left, noors, ritas}));
    EXPECT_EQ(page.next, std::nullopt);
    EXPECT_GT(page.threads.at(0).created_at_ms, 0);
    for (const auto thread : {hers, shared, ThreadId::make(7)}) {
        EXPECT_TRUE(fails_with(run(privacy().share_unattended(k_by, workspace, thread)),
                               MailServiceError::thread_not_found));
        EXPECT_TRUE(fails_with(run(privacy().take_over(k_by, workspace, thread, rita)),
                               MailServiceError::thread_not_found));
    }
    EXPECT_TRUE(fails_with(run(privacy().share_unattended(k_by, other_workspace, left)),
                           MailServiceError::thread_not_found));
    EXPECT_TRUE(run(privacy().share_unattended(k_by, workspace, left)));
    EXPECT_TRUE(run(privacy().take_over(k_by, workspace, noors, maya)));
    EXPECT_EQ(listed(as(maya)), (Ids{left, noors, hers, shared}));
    EXPECT_EQ(listed(as(rita)), (Ids{left, ritas, shared}));
    EXPECT_EQ(unattended().threads.size(), 1U);
    EXPECT_EQ(actions(),
              (std::vector<std::string>{"thread.shared_unattended", "thread.taken_over"}));
}

TEST_F(PrivateThreadsTest, unattended_are_paged) {
    Ids all;
    for (int i = 0; i < 7; ++i) {
        all.insert(all.begin(), thread_of(noor));
        thread_of(maya);
    }
    colleagues.all.erase(noor);
    Ids seen;
    std::optional<ThreadId> at = ThreadId{};
    for (int pages = 0; at && pages < 9; ++pages) {
        const auto page = unattended(*at, 3);
        EXPECT_LE(page.threads.size(), 3U);
        for (const auto& thread : page.threads)
            seen.push_back(thread.id);
        at = page.next;
    }
    EXPECT_EQ(at, std::nullopt);
    EXPECT_EQ(seen, all);
}

TEST_F(PrivateThreadsTest, trial_finds_by_every_way_what_it_may_and_leaves_nothing) {
    PrivateTrial trial(*database, clock);
    for (const bool is_private : {true, false}) {
        const auto looks = run(trial.look(is_private)).value();
        EXPECT_EQ(looks.size(), 10U);
        for (const auto& each : looks) {
            EXPECT_TRUE(each.by_its_person) << each.where;
            EXPECT_EQ(each.by_a_colleague, !is_private) << each.where;
            EXPECT_EQ(each.by_nobodys_token, !is_private) << each.where;
        }
    }
    const auto left = database->read_now([](store::Transaction& tx) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row, tx.query_one("SELECT COUNT(*) FROM threads"));
        return row->integer(0);
    });
    EXPECT_EQ(left.value(), 0);
}

TEST_F(PrivateThreadsTest, are_counted_for_each_of_their_people) {
    thread_of(std::nullopt);
    const auto hers = thread_of(maya);
    thread_of(maya);
    EXPECT_TRUE(add(hers, rita));
    EXPECT_EQ(run(privacy().count_by_person(workspace)).value(),
              (std::map<PersonId, std::int64_t>{{maya, 2}, {rita, 1}}));
    EXPECT_TRUE(run(privacy().count_by_person(other_workspace)).value().empty());
}

}  // namespace
}  // namespace postern::mail::test
