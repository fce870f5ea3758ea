#include "platform/private_threads/private_thread_rows.h"

#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::private_threads {
namespace {

using store::Transaction;
using People = std::optional<std::vector<PersonId>>;

constexpr UnixMs k_now = 1'000;

template <typename IdType>
IdType id(std::uint8_t number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = number;
    return IdType(bytes);
}

class PrivateThreadRowsTest : public ::testing::Test {
protected:
    PrivateThreadRowsTest() {
        store::Database::Options options;
        options.file = folder.file("store.db");
        options.create = true;
        options.readers = 0;
        database = store::open_or_fail(options);
    }
    template <store::Body F>
    auto write(F body) {
        auto done = database->write_now(std::move(body));
        EXPECT_TRUE(done.has_value());
        return done;
    }
    People people(std::uint8_t thread, std::optional<WorkspaceId> of = std::nullopt) {
        const auto workspace = of.value_or(ours);
        return database
            ->read_now([&](Transaction& tx) {
                return rows::people_of(tx, workspace, id<ThreadId>(thread));
            })
            .value();
    }
    void begin(std::uint8_t thread, PersonId person) {
        write([&](Transaction& tx) {
            return rows::begin(tx, ours, id<ThreadId>(thread), person, k_now);
        });
    }
    bool add(std::uint8_t thread, PersonId person) {
        return write([&](Transaction& tx) {
                   return rows::add(tx, ours, id<ThreadId>(thread), person, k_now);
               })
            .value();
    }
    bool take_out(std::uint8_t thread, PersonId person) {
        return write([&](Transaction& tx) {
                   return rows::take_out(tx, ours, id<ThreadId>(thread), person);
               })
            .value();
    }

    store::TestFolder folder;
    std::unique_ptr<store::Database> database;
    WorkspaceId ours = id<WorkspaceId>(1);
    WorkspaceId theirs = id<WorkspaceId>(2);
    PersonId maya = id<PersonId>(1);
    PersonId olga = id<PersonId>(2);
};

TEST_F(PrivateThreadRowsTest, thread_without_rows_is_everybodys) {
    EXPECT_EQ(people(1), std::nullopt);
    begin(1, maya);
    EXPECT_EQ(people(1), People({maya}));
    EXPECT_EQ(people(1, theirs), std::nullopt);
    EXPECT_EQ(people(2), std::nullopt);
}

TEST_F(PrivateThreadRowsTest, people_come_once_and_go) {
    begin(1, olga);
    EXPECT_TRUE(add(1, maya));
    EXPECT_FALSE(add(1, maya));
    EXPECT_EQ(people(1), People({maya, olga}));
    EXPECT_TRUE(take_out(1, olga));
    EXPECT_FALSE(take_out(1, olga));
    EXPECT_EQ(people(1), People({maya}));
}

TEST_F(PrivateThreadRowsTest, without_its_people_it_stays_private) {
    begin(1, maya);
    begin(2, maya);
    EXPECT_TRUE(add(2, olga));
    write([&](Transaction& tx) { return rows::end_place(tx, theirs, maya); });
    EXPECT_EQ(people(1), People({maya}));
    write([&](Transaction& tx) { return rows::end_place(tx, ours, maya); });
    EXPECT_EQ(people(1), People(std::vector<PersonId>{}));
    EXPECT_EQ(people(2), People({olga}));
}

TEST_F(PrivateThreadRowsTest, sharing_leaves_nothing) {
    begin(1, maya);
    begin(2, maya);
    write([&](Transaction& tx) { return rows::share(tx, ours, id<ThreadId>(1)); });
    EXPECT_EQ(people(1), std::nullopt);
    EXPECT_EQ(people(2), People({maya}));
    const auto left = database->read_now([](Transaction& tx) -> Result<std::int64_t> {
        POSTERN_TRY(const auto row, tx.query_one("SELECT COUNT(*) FROM thread_members"));
        return row->integer(0);
    });
    EXPECT_EQ(left.value(), 1);
}

TEST_F(PrivateThreadRowsTest, are_listed_newest_first_and_counted) {
    for (std::uint8_t thread = 1; thread <= 5; ++thread)
        begin(thread, thread % 2 == 0 ? maya : olga);
    EXPECT_TRUE(add(5, maya));
    const auto listed = [&](ThreadId before, std::int64_t limit) {
        const auto found = database->read_now(
            [&](Transaction& tx) { return rows::list(tx, ours, before, limit); });
        std::vector<ThreadId> out;
        for (const auto& each : found.value())
            out.push_back(each.id);
        return out;
    };
    EXPECT_EQ(listed({}, 2), (std::vector{id<ThreadId>(5), id<ThreadId>(4)}));
    EXPECT_EQ(listed(id<ThreadId>(4), 9),
              (std::vector{id<ThreadId>(3), id<ThreadId>(2), id<ThreadId>(1)}));
    const auto counts =
        database->read_now([&](Transaction& tx) { return rows::count_by_person(tx, ours); });
    EXPECT_EQ(counts.value(),
              (std::vector<std::pair<PersonId, std::int64_t>>{{maya, 3}, {olga, 3}}));
}

}  // namespace
}  // namespace postern::private_threads
