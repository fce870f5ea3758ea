#include "platform/store/database.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/opening.h"
#include "platform/store/run_transaction.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace postern::store {
namespace {

constexpr SqlText k_swapped = "SELECT $2, $1";
constexpr SqlText k_repeated = "SELECT $1, $2, $1";
constexpr SqlText k_body = "SELECT body FROM notes WHERE workspace_id = $2 AND number = $1";

enum class TestError { refused };
constexpr ErrorInfo describe(TestError) {
    return {"refused", "Refused."};
}

class DatabaseTest : public testing::Test {
protected:
    TestFolder folder_;
    std::unique_ptr<Database> database_ = open_or_fail(options_for(folder_));

    /// What one statement answers inside a write.
    template <typename F>
    Result<> write(F body) {
        return database_->write_now([&](Transaction& transaction) -> Result<> {
            auto done = body(transaction);
            if (!done) return fail(done.error());
            return {};
        });
    }
};

TEST_F(DatabaseTest, binds_by_number_when_parameters_stand_in_another_order) {
    const auto done = database_->read_now([](Transaction& transaction) -> Result<> {
        POSTERN_TRY(const auto swapped, transaction.query_one(k_swapped, {1, 2}));
        EXPECT_EQ(swapped->integer(0), 2);
        EXPECT_EQ(swapped->integer(1), 1);
        POSTERN_TRY(const auto repeated, transaction.query_one(k_repeated, {1, 2}));
        EXPECT_EQ(repeated->integer(2), 1);
        return {};
    });
    EXPECT_TRUE(done);
}

TEST_F(DatabaseTest, returns_what_was_stored_when_values_are_at_their_limits) {
    Bytes large(1U << 20U);
    for (std::size_t i = 0; i < large.size(); ++i)
        large[i] = static_cast<std::uint8_t>(i * 31);
    const std::pair<std::int64_t, Bytes> cases[] = {
        {5'000'000'000, {0, 1, 0, 2, 0}},
        {std::numeric_limits<std::int64_t>::max(), large},
        {std::numeric_limits<std::int64_t>::min(), {}},
        {-5'000'000'000, Bytes(1, 0)},
    };
    for (const auto& [number, bytes] : cases) {
        const SealedBytes body(bytes);
        ASSERT_TRUE(write([&](Transaction& t) { return add_note(t, number, body); }));
        const auto found = database_->read_now([&](Transaction& t) -> Result<SealedBytes> {
            POSTERN_TRY(const auto row, t.query_one(k_body, {number, k_installation}));
            return row->sealed(0);
        });
        ASSERT_TRUE(found);
        EXPECT_EQ(*found, body);
    }
}

TEST_F(DatabaseTest, keeps_text_whole_or_refuses_it_when_it_holds_nul) {
    const std::string text("a\0b", 3);
    const auto found = database_->read_now([&](Transaction& t) -> Result<std::string> {
        POSTERN_TRY(const auto row, t.query_one("SELECT $1", {Clear::text(text)}));
        return row->clear_text(0);
    });
    if (tests_on_postgres()) {
        EXPECT_TRUE(fails_with(found, StoreError::row_refused));
    } else {
        EXPECT_EQ(found.value_or(""), text);
    }
}

TEST_F(DatabaseTest, tells_null_from_empty_when_reading_back) {
    ASSERT_TRUE(write([](Transaction& t) { return add_note(t, 1); }));
    ASSERT_TRUE(write([](Transaction& t) { return add_note(t, 2, SealedBytes()); }));
    const auto done = database_->read_now([](Transaction& t) -> Result<> {
        POSTERN_TRY(const auto first, t.query_one(k_body, {1, k_installation}));
        POSTERN_TRY(const auto second, t.query_one(k_body, {2, k_installation}));
        POSTERN_TRY(const auto third, t.query_one(k_body, {3, k_installation}));
        EXPECT_TRUE(first->is_null(0));
        EXPECT_FALSE(second->is_null(0));
        EXPECT_FALSE(third.has_value());
        return {};
    });
    EXPECT_TRUE(done);
}

TEST_F(DatabaseTest, counts_changed_rows_when_a_statement_changes_none) {
    const auto done = database_->write_now([](Transaction& t) -> Result<> {
        EXPECT_EQ(add_note(t, 1).value_or(-1), 1);
        EXPECT_EQ(add_note(t, 2).value_or(-1), 1);
        EXPECT_EQ(t.execute("UPDATE notes SET body = NULL").value_or(-1), 2);
        EXPECT_EQ(t.execute("UPDATE notes SET body = NULL WHERE number = 9").value_or(-1), 0);
        EXPECT_EQ(t.execute("SELECT 1").value_or(-1), 0);
        EXPECT_EQ(t.execute("INSERT INTO notes (workspace_id, number) VALUES ($1, 1) "
                            "ON CONFLICT DO NOTHING",
                            {k_installation})
                      .value_or(-1),
                  0);
        POSTERN_TRY(const auto rows, t.query("DELETE FROM notes RETURNING number"));
        EXPECT_EQ(rows.size(), 2U);
        return {};
    });
    EXPECT_TRUE(done);
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, rolls_back_when_the_body_returns_an_error) {
    const auto done = database_->write_now([](Transaction& t) -> Result<int> {
        POSTERN_TRY([[maybe_unused]] const auto changed, add_note(t, 1));
        return fail(TestError::refused);
    });
    EXPECT_TRUE(fails_with(done, TestError::refused));
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, rolls_back_when_the_body_swallows_a_conflict) {
    const auto done = database_->write_now([](Transaction& t) -> Result<int> {
        EXPECT_TRUE(add_note(t, 1));
        EXPECT_TRUE(fails_with(add_note(t, 1), StoreError::conflict));
        EXPECT_TRUE(fails_with(add_note(t, 2), StoreError::conflict));
        return 1;
    });
    EXPECT_TRUE(fails_with(done, StoreError::conflict));
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, lets_the_body_name_the_error_when_a_statement_failed) {
    const auto done = database_->write_now([](Transaction& t) -> Result<> {
        if (add_note(t, 1) && add_note(t, 1)) return {};
        return fail(TestError::refused);
    });
    EXPECT_TRUE(fails_with(done, TestError::refused));
}

TEST_F(DatabaseTest, rolls_back_when_a_column_had_another_type_than_read) {
    const auto done = database_->write_now([](Transaction& t) -> Result<std::int64_t> {
        POSTERN_TRY([[maybe_unused]] const auto changed, add_note(t, 1));
        POSTERN_TRY(const auto row, t.query_one("SELECT label FROM notes"));
        if (row->integer(0) == 0) return fail(TestError::refused);
        return row->integer(0);
    });
    EXPECT_TRUE(fails_with(done, StoreError::corrupt));
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, rolls_back_when_the_body_throws) {
    const auto bug = database_->write_now([](Transaction& t) -> Result<> {
        EXPECT_TRUE(add_note(t, 1));
        POSTERN_INVARIANT(false);
        return {};
    });
    EXPECT_TRUE(fails_with(bug, StoreError::body_threw));
    const auto other = database_->write_now([](Transaction& t) -> Result<> {
        EXPECT_TRUE(add_note(t, 1));
        throw std::runtime_error("lea@creators.example");
    });
    EXPECT_TRUE(fails_with(other, StoreError::body_threw));
    EXPECT_EQ(other.error().detail(), "");
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, names_the_error_when_a_row_is_refused) {
    ASSERT_TRUE(write([](Transaction& t) {
        return t.execute(k_insert_note, {k_installation, 1, std::nullopt, Clear::text("a")});
    }));
    const auto insert_page = [](std::int64_t page, std::int64_t note) {
        return [=](Transaction& t) {
            return t.execute("INSERT INTO pages (workspace_id, page, note) VALUES ($1, $2, $3)",
                             {k_installation, page, note});
        };
    };
    EXPECT_TRUE(write(insert_page(1, 1)));
    EXPECT_TRUE(fails_with(write(insert_page(1, 1)), StoreError::conflict)) << "primary key";
    EXPECT_TRUE(fails_with(write(insert_page(2, 7)), StoreError::conflict)) << "foreign key";
    EXPECT_TRUE(fails_with(write(insert_page(2, -1)), StoreError::row_refused)) << "CHECK";
    EXPECT_TRUE(fails_with(write([](Transaction& t) {
                               return t.execute(k_insert_note, {k_installation, 2, std::nullopt,
                                                                Clear::text("a")});
                           }),
                           StoreError::conflict))
        << "unique";
    EXPECT_TRUE(fails_with(write([](Transaction& t) {
                               return t.execute(k_insert_note,
                                                {std::nullopt, 2, std::nullopt, std::nullopt});
                           }),
                           StoreError::row_refused))
        << "NOT NULL";
    EXPECT_TRUE(fails_with(write([](Transaction& t) {
                               return t.execute(k_insert_note, {1, 2, std::nullopt, std::nullopt});
                           }),
                           StoreError::row_refused))
        << "an integer in a blob column";
}

TEST_F(DatabaseTest, keeps_bound_values_out_of_the_detail_when_a_row_is_refused) {
    const auto insert = [](Transaction& t) {
        return t.execute(k_insert_note,
                         {k_installation, 1, std::nullopt, Clear::text("label-canary")});
    };
    ASSERT_TRUE(write(insert));
    const auto refused = write(insert);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail().find("canary"), std::string::npos);
}

TEST_F(DatabaseTest, refuses_a_statement_when_it_is_not_well_formed) {
    using Call = std::function<Result<std::int64_t>(Transaction&)>;
    const std::pair<const char*, Call> cases[] = {
        {"too few values", [](Transaction& t) { return t.execute("SELECT $1, $2", {1}); }},
        {"too many values", [](Transaction& t) { return t.execute("SELECT $1", {1, 2}); }},
        {"a gap", [](Transaction& t) { return t.execute("SELECT $1, $3", {1, 2}); }},
        {"other names", [](Transaction& t) { return t.execute("SELECT :a", {1}); }},
        {"two statements", [](Transaction& t) { return t.execute("SELECT 1; SELECT 2"); }},
        {"no statement", [](Transaction& t) { return t.execute("  "); }},
        {"no such table", [](Transaction& t) { return t.execute("SELECT * FROM nowhere"); }},
        {"a string in double quotes", [](Transaction& t) { return t.execute("SELECT \"a\""); }},
        {"no parameter", [](Transaction& t) { return t.execute("SELECT $x", {1}); }},
        {"another file", [](Transaction& t) { return t.execute("ATTACH 'x.db' AS x"); }},
        {"its own schema",
         [](Transaction& t) { return t.execute("UPDATE sqlite_schema SET sql = ''"); }},
    };
    for (const auto& [name, call] : cases) {
        EXPECT_TRUE(fails_with(write(call), StoreError::bad_statement)) << name;
    }
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, refuses_a_write_when_it_comes_in_a_read) {
    const auto write_in_read = [](Transaction& t) { return add_note(t, 1); };
    EXPECT_TRUE(fails_with(database_->read_now(write_in_read), StoreError::bad_statement));
    database_.reset();
    auto options = options_for(folder_);
    options.readers = 1;
    database_ = open_or_fail(options);
    EXPECT_TRUE(fails_with(database_->read_now(write_in_read), StoreError::bad_statement));
    EXPECT_EQ(count_notes(*database_), 0);
}

TEST_F(DatabaseTest, refuses_an_answer_when_it_has_too_many_rows) {
    const auto rows_up_to = [this](std::int64_t count) {
        return database_->read_now([count](Transaction& t) -> Result<std::size_t> {
            POSTERN_TRY(const auto rows,
                        t.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                "WHERE i < $1) SELECT i FROM n",
                                {count}));
            return rows.size();
        });
    };
    EXPECT_EQ(rows_up_to(k_rows_max).value_or(0), k_rows_max);
    EXPECT_TRUE(fails_with(rows_up_to(k_rows_max + 1), StoreError::too_many_rows));
}

TEST_F(DatabaseTest, refuses_an_answer_when_it_has_too_many_bytes) {
    static constexpr EngineText k_sql = {
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
        "SELECT zeroblob(67108864) FROM n",
        "SELECT decode(repeat('00', 67108864), 'hex') FROM generate_series(1, $1)"};
    const auto bytes_of = [this](std::int64_t rows) {
        return database_->read_now([rows](Transaction& t) -> Result<std::size_t> {
            POSTERN_TRY(const auto found, t.query(k_sql, {rows}));
            return found.size();
        });
    };
    EXPECT_EQ(bytes_of(4).value_or(0), 4U);
    EXPECT_TRUE(fails_with(bytes_of(5), StoreError::too_many_rows));
}

TEST_F(DatabaseTest, refuses_a_value_when_it_is_over_the_limit) {
    const SealedBytes body(Bytes(k_value_bytes_max + 1));
    const auto done = write([&](Transaction& t) { return add_note(t, 1, body); });
    EXPECT_TRUE(fails_with(done, StoreError::too_large));
    EXPECT_TRUE(write([](Transaction& t) { return add_note(t, 1); }));
}

TEST_F(DatabaseTest, reports_a_write_that_was_not_waited_for_when_it_fails) {
    const auto insert = [](Transaction& t, std::int64_t number) {
        t.execute_later(k_insert_note, {k_installation, number, std::nullopt, std::nullopt});
    };
    const auto written = database_->write_now([&](Transaction& t) -> Result<std::int64_t> {
        for (std::int64_t number = 0; number < 3000; ++number)
            insert(t, number);
        POSTERN_TRY(const auto row, t.query_one(k_count_notes));
        return row->integer(0);
    });
    EXPECT_EQ(written.value_or(-1), 3000);
    EXPECT_EQ(count_notes(*database_), 3000);
    const auto refused = database_->write_now([&](Transaction& t) -> Result<> {
        insert(t, 5000);
        insert(t, 7);
        insert(t, 5001);
        return {};
    });
    EXPECT_TRUE(fails_with(refused, StoreError::conflict));
    EXPECT_EQ(count_notes(*database_), 3000);
}

Result<> give_up_after_a_conflict(Transaction& t) {
    t.execute_later(k_insert_note, {k_installation, 1, std::nullopt, std::nullopt});
    return fail(TestError::refused);
}

TEST_F(DatabaseTest, works_on_when_a_body_gave_up_behind_a_write_that_failed) {
    ASSERT_TRUE(write([](Transaction& t) { return add_note(t, 1); }));
    EXPECT_FALSE(database_->write_now(give_up_after_a_conflict));
    EXPECT_TRUE(write([](Transaction& t) { return add_note(t, 2); }));
    EXPECT_EQ(count_notes(*database_), 2);
}

TEST_F(DatabaseTest, keeps_the_other_parts_when_one_gave_up_behind_a_write_that_failed) {
    ASSERT_TRUE(write([](Transaction& t) { return add_note(t, 1); }));
    database_.reset();
    {
        const auto store = open_store(options_for(folder_));
        ASSERT_TRUE(store);
        auto& connection = *store->writer;
        const auto add = [](std::int64_t number) {
            return [number](Transaction& t) -> Result<> {
                POSTERN_TRY([[maybe_unused]] const auto changed, add_note(t, number));
                return {};
            };
        };
        ASSERT_TRUE(connection.begin(Access::write));
        EXPECT_TRUE(run_part(connection, add(2)));
        EXPECT_FALSE(run_part(connection, give_up_after_a_conflict));
        EXPECT_TRUE(run_part(connection, add(3)));
        EXPECT_TRUE(connection.commit());
    }
    database_ = open_or_fail(options_for(folder_));
    EXPECT_EQ(count_notes(*database_), 3);
}

TEST_F(DatabaseTest, finds_the_store_whole_when_asked) {
    ASSERT_TRUE(write([](Transaction& t) { return add_note(t, 1, SealedBytes(Bytes(9000, 7))); }));
    EXPECT_TRUE(database_->check_integrity_now());
}

TEST_F(DatabaseTest, refuses_a_second_row_when_one_was_asked_for) {
    const auto done = database_->read_now([](Transaction& t) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto row, t.query_one("SELECT 1 UNION ALL SELECT 2"));
        return {};
    });
    EXPECT_TRUE(fails_with(done, StoreError::corrupt));
}

TEST_F(DatabaseTest, answers_closed_when_it_is_closed) {
    database_->close();
    EXPECT_TRUE(
        fails_with(write([](Transaction& t) { return add_note(t, 1); }), StoreError::closed));
    EXPECT_TRUE(fails_with(database_->checkpoint_truncate_now(), StoreError::closed));
    EXPECT_EQ(count_notes(*database_), -1);
    EXPECT_TRUE(Database::open(options_for(folder_)));
}

TEST_F(DatabaseTest, finds_every_protection_on_when_asked) {
    if (tests_on_postgres()) GTEST_SKIP() << "of stores in files";
    const auto done = database_->write_now([](Transaction& t) -> Result<> {
        const auto setting = [&t](SqlText sql) {
            auto row = t.query_one(sql);
            return row && *row ? (*row)->integer(0) : -1;
        };
        EXPECT_EQ(setting("PRAGMA synchronous"), 2);
        EXPECT_EQ(setting("PRAGMA secure_delete"), 1);
        EXPECT_EQ(setting("PRAGMA foreign_keys"), 1);
        EXPECT_EQ(setting("PRAGMA temp_store"), 2);
        EXPECT_EQ(setting("PRAGMA trusted_schema"), 0);
        EXPECT_EQ(setting("PRAGMA cell_size_check"), 1);
        EXPECT_EQ(setting("PRAGMA mmap_size"), 0);
        POSTERN_TRY(const auto mode, t.query_one("PRAGMA journal_mode"));
        EXPECT_EQ(mode->clear_text(0), "wal");
        return {};
    });
    EXPECT_TRUE(done);
    EXPECT_TRUE(database_->check_integrity_now());
}

}  // namespace
}  // namespace postern::store
