#include "features/outreach/creators.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/manual_clock_test.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/random.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"
#include "platform/private_threads/private_thread_rows.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::outreach {
namespace {

using keys::KeyError;
using store::fails_with;
using store::StoreError;

using postern::test::ManualClock;

/// A wrap is a number that it knows the key of, as long as its creator is not erased.
class PlayedKeeper final : public keys::test::PlayedPeer {
public:
    explicit PlayedKeeper(net::test::Loop& loop) : PlayedPeer(loop) {
        serve<keys::ComputeMacs>(
            "ComputeMacs", [](const keys::ComputeMacs& ask) { return keys::test::played(ask); });
        serve<keys::CreateSubjects>("CreateSubjects", [this](const keys::CreateSubjects& ask) {
            for (const auto& id : ask.subjects)
                subjects.insert({ask.workspace, id});
            return ipc::Nothing{};
        });
        serve<keys::SealKeys>("SealKeys", [this](const keys::SealKeys& ask) {
            keys::SealKeys::Answer out;
            for (const auto& request : ask.requests)
                out.keys.push_back(seal(ask.workspace, request));
            return out;
        });
        serve<keys::OpenKeys>("OpenKeys", [this](const keys::OpenKeys& ask) {
            keys::OpenKeys::Answer out;
            last_handle = ask.handle;
            for (const auto& opening : ask.openings)
                out.keys.push_back(open(ask.workspace, opening));
            return out;
        });
    }

    std::set<std::pair<WorkspaceId, CreatorId>> subjects;
    std::vector<std::string> calls;
    std::string fails;            ///< the name of the call that is refused
    std::string answers_nothing;  ///< the name of the call whose answer is empty
    std::uint64_t last_handle = 0;

private:
    template <typename Method, typename F>
    void serve(const std::string& name, F function) {
        router_.on<Method>([this, name, function](Method ask) {
            return answer<Method>(name, function, std::move(ask));
        });
    }
    template <typename Method, typename F>
    async::Task<typename Method::Answer> answer(std::string name, F function, Method ask) {
        calls.push_back(name);
        if (fails == name) co_return fail(KeyError::storage_failed);
        if (answers_nothing == name) co_return typename Method::Answer{};
        co_return function(ask);
    }
    static Secret copy_of(const Secret& secret) {
        return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
    }
    keys::SealedKey seal(WorkspaceId workspace, const keys::KeyRequest& request) {
        keys::SealedKey out;
        out.key = crypto::random_key();
        const auto number = wraps_.size();
        out.wraps.push_back(
            {static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number & 0xffU)});
        wraps_.push_back({workspace, request.subjects.at(0), request.row, copy_of(out.key)});
        return out;
    }
    Secret open(WorkspaceId workspace, const keys::KeyOpening& opening) {
        if (opening.wrap.size() != 2) return {};
        const std::size_t number = (std::size_t{opening.wrap[0]} << 8U) | opening.wrap[1];
        if (number >= wraps_.size()) return {};
        const auto& wrap = wraps_[number];
        const bool is_its_place = wrap.workspace == workspace && wrap.row == opening.row &&
                                  wrap.subject == opening.subjects.at(0);
        if (!is_its_place || !subjects.contains({workspace, wrap.subject})) return {};
        return copy_of(wrap.key);
    }

    struct Wrap {
        WorkspaceId workspace;
        CreatorId subject;
        Bytes row;
        Secret key;
    };
    std::vector<Wrap> wraps_;
};

class CreatorsTest : public ::testing::Test {
protected:
    std::unique_ptr<store::Database> open(store::StoreKind kind, std::string_view name) {
        store::Database::Options options;
        options.kind = kind;
        options.file = folder.file(name);
        options.create = true;
        options.readers = 0;
        options.clock = &clock;
        return store::open_or_fail(options);
    }
    std::unique_ptr<Creators> open_creators() {
        return std::make_unique<Creators>(Creators::Parts{*database, *index, keeper.link, clock});
    }
    /// As if its file were gone, and front started again.
    void lose_index() {
        change(*index, "DELETE FROM creator_addresses");
        change(*index, "DELETE FROM meta WHERE name = 'creators_complete'");
        creators = open_creators();
    }
    template <typename T>
    Result<T> run(async::Task<T> task) {
        return loop.run(std::move(task));
    }
    Result<CreatorId> ensure(std::string name, std::string address) {
        return run(creators->ensure(workspace, std::move(name), std::move(address)));
    }
    CreatorId made(std::string name, std::string address) {
        ++clock.now;
        const auto id = ensure(std::move(name), std::move(address)).value();
        write_to(id, workspace);
        return id;
    }
    /// Thread 1 of each workspace, which everybody sees, has them in it.
    void write_to(CreatorId id, WorkspaceId of) {
        const auto body = [&](store::Transaction& tx) {
            return tx.execute(
                "INSERT INTO thread_people (workspace_id, thread_id, creator_id, head_wrap) "
                "VALUES ($1, $2, $3, $4)",
                {of, ThreadId::make(1), id, store::SealedBytes(Bytes{1})});
        };
        ASSERT_TRUE(database->write_now(body));
    }
    private_threads::Viewer host(std::optional<WorkspaceId> of = std::nullopt) {
        return {of.value_or(workspace), std::nullopt};
    }
    Result<Creator> get(CreatorId id) { return run(creators->get(host(), id, 7)); }
    std::optional<CreatorId> find(std::string address) {
        return run(creators->find(workspace, std::move(address))).value();
    }
    Result<std::vector<Creator>> list(CreatorId after, std::int64_t limit) {
        return run(creators->list(host(), after, limit, 7));
    }
    std::int64_t count(store::Database& where, store::SqlText sql) {
        return where
            .read_now([&](store::Transaction& tx) -> Result<std::int64_t> {
                POSTERN_TRY(const auto row, tx.query_one(sql));
                return row->integer(0);
            })
            .value();
    }
    std::int64_t profiles() { return count(*database, "SELECT count(*) FROM creators"); }
    std::int64_t addresses() { return count(*index, "SELECT count(*) FROM creator_addresses"); }
    static void change(store::Database& where, store::SqlText sql) {
        const auto done = where.write_now([&](store::Transaction& tx) { return tx.execute(sql); });
        ASSERT_TRUE(done.has_value()) << done.error().detail();
    }

    store::TestFolder folder;
    ManualClock clock;
    net::test::Loop loop;
    PlayedKeeper keeper{loop};
    std::unique_ptr<store::Database> database = open(store::StoreKind::store, "store.db");
    std::unique_ptr<store::Database> index = open(store::StoreKind::index, "index.db");
    std::unique_ptr<Creators> creators = open_creators();
    WorkspaceId workspace = WorkspaceId::make(1);
    WorkspaceId other_workspace = WorkspaceId::make(2);
};

TEST_F(CreatorsTest, new_address_is_a_new_creator_with_name_and_address) {
    const auto id = made("Maya", "maya@studio.example");
    const auto creator = get(id).value();
    EXPECT_EQ(creator.id, id);
    EXPECT_EQ(creator.name, "Maya");
    EXPECT_EQ(creator.address, "maya@studio.example");
    EXPECT_EQ(creator.created_at_ms, clock.now);
    EXPECT_EQ(keeper.last_handle, 7);
    EXPECT_NE(made("Noor", "noor@studio.example"), id);
    EXPECT_EQ(profiles(), 2);
}

TEST_F(CreatorsTest, address_in_another_case_is_the_same_creator_and_keeps_name_and_spelling) {
    const auto id = made("Maya", "Maya@Studio.Example");
    for (const std::string same : {"maya@studio.example", "MAYA@STUDIO.EXAMPLE",
                                   "Maya@Studio.Example", "mAyA@sTuDiO.eXaMpLe"}) {
        EXPECT_EQ(made("Somebody", same), id) << same;
        EXPECT_EQ(find(same), id) << same;
    }
    EXPECT_EQ(get(id)->name, "Maya");
    EXPECT_EQ(get(id)->address, "Maya@Studio.Example");
    EXPECT_EQ(profiles(), 1);
    EXPECT_EQ(addresses(), 1);
}

TEST_F(CreatorsTest, addresses_that_only_resemble_are_other_creators) {
    const auto id = made("Maya", "maya@studio.example");
    for (const std::string other :
         {"maya@studio.exampl", "maya@studio.example.org", "aya@studio.example",
          "maya@studio.example ", "maya+x@studio.example", "måya@studio.example"}) {
        EXPECT_FALSE(find(other).has_value()) << other;
        EXPECT_NE(made("Other", other), id) << other;
    }
}

TEST_F(CreatorsTest, only_ascii_letters_are_compared_without_case) {
    const auto id = made("Åsa", "\xC3\xA5sa@studio.example");
    EXPECT_FALSE(find("\xC3\x85sa@studio.example").has_value());
    EXPECT_EQ(find("\xC3\xA5SA@studio.example"), id);
}

TEST_F(CreatorsTest, viewer_sees_whoever_is_in_a_thread_that_they_see) {
    const auto person = PersonId::make(1);
    const auto id = ensure("Maya", "maya@studio.example").value();
    // In no thread yet.
    EXPECT_TRUE(fails_with(get(id), OutreachError::not_found));
    const auto thread = ThreadId::make(5);
    const auto write = [&](store::Transaction& tx) -> Result<> {
        auto begun = private_threads::rows::begin(tx, workspace, thread, person, 1);
        if (!begun) return begun;
        return store::done(
            tx.execute("INSERT INTO thread_people (workspace_id, thread_id, creator_id, head_wrap) "
                       "VALUES ($1, $2, $3, $4)",
                       {workspace, thread, id, store::SealedBytes(Bytes{1})}));
    };
    ASSERT_TRUE(database->write_now(write));
    for (const auto& outside : {host(), private_threads::Viewer(workspace, PersonId::make(2)),
                                private_threads::Viewer(other_workspace, person)}) {
        EXPECT_TRUE(fails_with(run(creators->get(outside, id, 7)), OutreachError::not_found));
        EXPECT_TRUE(run(creators->list(outside, {}, 9, 7))->empty());
    }
    const private_threads::Viewer one_of_them(workspace, person);
    EXPECT_EQ(run(creators->get(one_of_them, id, 7))->name, "Maya");
    EXPECT_EQ(run(creators->list(one_of_them, {}, 9, 7))->size(), 1U);
    write_to(id, workspace);
    EXPECT_EQ(get(id)->name, "Maya");
    EXPECT_EQ(list({}, 9)->size(), 1U);
}

TEST_F(CreatorsTest, another_workspace_has_its_own) {
    const auto ours = made("Maya", "maya@studio.example");
    EXPECT_FALSE(run(creators->find(other_workspace, "maya@studio.example")).value().has_value());
    const auto theirs = run(creators->ensure(other_workspace, "M.", "maya@studio.example")).value();
    write_to(theirs, other_workspace);
    EXPECT_NE(ours, theirs);
    EXPECT_EQ(run(creators->get(host(other_workspace), theirs, 7))->name, "M.");
    EXPECT_EQ(get(ours)->name, "Maya");
    EXPECT_TRUE(fails_with(get(theirs), OutreachError::not_found));
    EXPECT_TRUE(
        fails_with(run(creators->get(host(other_workspace), ours, 7)), OutreachError::not_found));
    EXPECT_EQ(list({}, 10)->size(), 1);
    EXPECT_EQ(find("maya@studio.example"), ours);
}

TEST_F(CreatorsTest, unknown_ones_are_not_found) {
    EXPECT_FALSE(find("nobody@studio.example").has_value());
    EXPECT_FALSE(find("").has_value());
    EXPECT_TRUE(fails_with(get(CreatorId::make(1)), OutreachError::not_found));
    EXPECT_TRUE(fails_with(get({}), OutreachError::not_found));
    EXPECT_TRUE(list({}, 10)->empty());
    EXPECT_EQ(addresses(), 0) << "looking is not making";
}

TEST_F(CreatorsTest, neither_store_holds_name_or_address_in_clear) {
    made("Marjolein", "marjolein@studio.example");
    for (const std::string file : {"store.db", "index.db"}) {
        EXPECT_EQ(store::raw_hits(folder.file(file), "arjolein"), 0) << file;
        EXPECT_EQ(store::raw_hits(folder.file(file), "studio.example"), 0) << file;
    }
}

TEST_F(CreatorsTest, list_is_by_age_from_a_cursor) {
    std::vector<CreatorId> ids;
    for (const std::string name : {"a", "b", "c", "d"})
        ids.push_back(made(name, name + "@studio.example"));
    const auto names = [&](CreatorId after, std::int64_t limit) {
        std::string out;
        for (const auto& creator : list(after, limit).value())
            out += creator.name;
        return out;
    };
    EXPECT_EQ(names({}, 10), "abcd");
    EXPECT_EQ(names({}, 2), "ab");
    EXPECT_EQ(names(ids[1], 2), "cd");
    EXPECT_EQ(names(ids[2], 10), "d");
    EXPECT_EQ(names(ids[3], 10), "");
    EXPECT_EQ(names({}, 0), "");
}

TEST_F(CreatorsTest, two_at_once_agree_on_one) {
    std::optional<Result<CreatorId>> first;
    std::optional<Result<CreatorId>> second;
    loop.start(creators->ensure(workspace, "Maya", "maya@studio.example"), first);
    loop.start(creators->ensure(workspace, "M.", "Maya@Studio.example"), second);
    loop.run_until([&] { return first.has_value() && second.has_value(); });
    ASSERT_TRUE(first->has_value() && second->has_value());
    EXPECT_EQ(first->value(), second->value());
    EXPECT_EQ(profiles(), 1);
    write_to(first->value(), workspace);
    EXPECT_FALSE(get(first->value())->name.empty());
}

TEST_F(CreatorsTest, what_failed_between_index_and_profile_is_made_good_by_the_next_use) {
    for (const std::string call : {"CreateSubjects", "SealKeys"}) {
        const auto address = call + "@studio.example";
        keeper.fails = call;
        EXPECT_TRUE(fails_with(ensure("Maya", address), KeyError::storage_failed));
        const auto claimed = find(address);
        ASSERT_TRUE(claimed.has_value());
        EXPECT_TRUE(fails_with(get(*claimed), OutreachError::not_found));
        keeper.fails.clear();
        EXPECT_EQ(made("Maya", address), *claimed);
        EXPECT_EQ(get(*claimed)->address, address);
    }
}

TEST_F(CreatorsTest, profile_that_cannot_be_stored_is_told_and_made_good) {
    change(
        *database,
        store::EngineText{
            "CREATE TRIGGER refuse BEFORE INSERT ON creators BEGIN SELECT RAISE(ABORT, 'x'); END",
            "CREATE TRIGGER refuse BEFORE INSERT ON creators FOR EACH ROW EXECUTE FUNCTION "
            "refuse()"});
    EXPECT_TRUE(fails_with(ensure("Maya", "maya@studio.example"), StoreError::row_refused));
    change(*database, store::EngineText{"DROP TRIGGER refuse", "DROP TRIGGER refuse ON creators"});
    const auto id = made("Maya", "maya@studio.example");
    EXPECT_EQ(get(id)->name, "Maya");
    EXPECT_EQ(addresses(), 1);
}

TEST_F(CreatorsTest, index_that_refuses_makes_nobody) {
    change(*index, store::EngineText{"CREATE TRIGGER refuse BEFORE INSERT ON creator_addresses "
                                     "BEGIN SELECT RAISE(ABORT, 'x'); END",
                                     "CREATE TRIGGER refuse BEFORE INSERT ON creator_addresses FOR "
                                     "EACH ROW EXECUTE FUNCTION refuse()"});
    EXPECT_TRUE(fails_with(ensure("Maya", "maya@studio.example"), StoreError::row_refused));
    EXPECT_EQ(profiles(), 0);
    EXPECT_TRUE(keeper.subjects.empty());
    index->close();
    EXPECT_TRUE(fails_with(run(creators->find(workspace, "x@y.example")), StoreError::closed));
}

TEST_F(CreatorsTest, keeper_that_fails_is_told) {
    const auto id = made("Maya", "maya@studio.example");
    keeper.fails = "ComputeMacs";
    EXPECT_TRUE(fails_with(ensure("N", "n@studio.example"), KeyError::storage_failed));
    EXPECT_TRUE(
        fails_with(run(creators->find(workspace, "n@studio.example")), KeyError::storage_failed));
    keeper.fails = "OpenKeys";
    EXPECT_TRUE(fails_with(get(id), KeyError::storage_failed));
    EXPECT_TRUE(fails_with(list({}, 10), KeyError::storage_failed));
    EXPECT_EQ(profiles(), 1);
    keeper.link.close();
    EXPECT_TRUE(fails_with(get(id), ipc::IpcError::closed));
    EXPECT_TRUE(fails_with(ensure("N", "n@studio.example"), ipc::IpcError::closed));
}

TEST_F(CreatorsTest, answer_with_too_few_keys_is_an_error_and_no_crash) {
    const auto id = made("Maya", "maya@studio.example");
    keeper.answers_nothing = "ComputeMacs";
    EXPECT_TRUE(fails_with(ensure("N", "n@studio.example"), KeyError::cannot_open));
    keeper.answers_nothing = "SealKeys";
    EXPECT_TRUE(fails_with(ensure("N", "n@studio.example"), KeyError::cannot_open));
    keeper.answers_nothing = "OpenKeys";
    EXPECT_TRUE(fails_with(get(id), KeyError::cannot_open));
    EXPECT_TRUE(fails_with(list({}, 10), KeyError::cannot_open)) << "not a shorter list";
}

TEST_F(CreatorsTest, erased_one_has_no_name_and_no_address_and_hides_nobody_else) {
    const auto erased = made("Maya", "maya@studio.example");
    const auto other = made("Noor", "noor@studio.example");
    keeper.subjects.erase({workspace, erased});
    const auto gone = get(erased).value();
    EXPECT_EQ(gone.id, erased);
    EXPECT_EQ(gone.name, "");
    EXPECT_EQ(gone.address, "");
    const auto all = list({}, 10).value();
    ASSERT_EQ(all.size(), 2);
    EXPECT_EQ(all[0].name, "");
    EXPECT_EQ(all[1].id, other);
    EXPECT_EQ(all[1].name, "Noor");
}

TEST_F(CreatorsTest, profile_does_not_open_in_the_place_of_another) {
    const auto first = made("Maya", "maya@studio.example");
    const auto second = made("Noor", "noor@studio.example");
    change(*database,
           "UPDATE creators SET profile = (SELECT profile FROM creators ORDER BY creator_id "
           "LIMIT 1)");
    EXPECT_EQ(get(first)->name, "Maya");
    EXPECT_FALSE(get(second).has_value());
    EXPECT_FALSE(list({}, 10).has_value());
    change(*database,
           "UPDATE creators SET profile_wrap = (SELECT profile_wrap FROM creators ORDER BY "
           "creator_id LIMIT 1)");
    EXPECT_EQ(get(second)->name, "") << "a wrap that does not open is as an erased one";
}

TEST_F(CreatorsTest, damaged_profile_is_an_error) {
    const auto id = made("Maya", "maya@studio.example");
    change(*database, store::EngineText{"UPDATE creators SET profile = x'01'",
                                        "UPDATE creators SET profile = '\\x01'"});
    EXPECT_FALSE(get(id).has_value());
    EXPECT_FALSE(list({}, 10).has_value());
}

TEST_F(CreatorsTest, lost_index_row_makes_a_second_creator_and_leaves_the_first) {
    const auto id = made("Maya", "maya@studio.example");
    change(*index, "DELETE FROM creator_addresses");
    EXPECT_FALSE(find("maya@studio.example").has_value());
    EXPECT_NE(made("Maya", "maya@studio.example"), id);
    EXPECT_EQ(get(id)->address, "maya@studio.example");
}

TEST_F(CreatorsTest, lost_index_is_made_anew_and_nobody_twice) {
    const auto lea = made("Lea", "lea@creators.example");
    const auto bo = made("Bo", "Bo@creators.example");
    const auto erased = made("Eve", "eve@creators.example");
    keeper.subjects.erase({workspace, erased});
    const auto elsewhere = run(creators->ensure(other_workspace, "Lea", "lea@creators.example"));
    ASSERT_TRUE(elsewhere);
    lose_index();
    ASSERT_TRUE(run(creators->complete_index()));
    EXPECT_EQ(addresses(), 3);
    EXPECT_EQ(made("Lea", "LEA@creators.example"), lea);
    EXPECT_EQ(made("Bo", "bo@creators.example"), bo);
    EXPECT_EQ(run(creators->ensure(other_workspace, "", "lea@creators.example")), *elsewhere);
    EXPECT_EQ(profiles(), 4);
}

TEST_F(CreatorsTest, first_use_completes_a_lost_index_or_fails) {
    const auto lea = made("Lea", "lea@creators.example");
    lose_index();
    keeper.fails = "OpenKeys";
    EXPECT_TRUE(fails_with(ensure("Lea", "lea@creators.example"), KeyError::storage_failed));
    keeper.fails.clear();
    EXPECT_EQ(made("Lea", "lea@creators.example"), lea);
    EXPECT_EQ(profiles(), 1);
}

TEST_F(CreatorsTest, index_that_is_emptied_under_the_running_server_is_made_anew) {
    const auto lea = made("Lea", "lea@creators.example");
    const auto empty = [this] {
        change(*index, "DELETE FROM creator_addresses");
        change(*index, "DELETE FROM meta WHERE name = 'creators_complete'");
    };
    empty();
    EXPECT_EQ(find("lea@creators.example"), lea);
    empty();
    EXPECT_EQ(made("Lea", "lea@creators.example"), lea);
    EXPECT_EQ(profiles(), 1);
}

TEST_F(CreatorsTest, complete_index_is_not_read_again) {
    ASSERT_TRUE(run(creators->complete_index()));
    (void)made("Lea", "lea@creators.example");
    keeper.calls.clear();
    ASSERT_TRUE(run(creators->complete_index()));
    EXPECT_TRUE(keeper.calls.empty());
}

TEST_F(CreatorsTest, index_that_could_not_be_completed_is_tried_again) {
    const auto lea = made("Lea", "lea@creators.example");
    lose_index();
    for (const std::string call : {"OpenKeys", "ComputeMacs"}) {
        keeper.fails = call;
        EXPECT_TRUE(fails_with(run(creators->complete_index()), KeyError::storage_failed)) << call;
    }
    keeper.fails.clear();
    ASSERT_TRUE(run(creators->complete_index()));
    EXPECT_EQ(find("lea@creators.example"), lea);
}

TEST_F(CreatorsTest, more_creators_than_a_page_are_indexed) {
    for (int i = 0; i < 1201; ++i)
        (void)made("", "c" + std::to_string(i) + "@creators.example");
    lose_index();
    ASSERT_TRUE(run(creators->complete_index()));
    EXPECT_EQ(addresses(), 1201);
}

}  // namespace
}  // namespace postern::outreach
