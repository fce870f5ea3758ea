#include "platform/store/row.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <memory>

namespace postern::store {
namespace {

const Bytes k_id_bytes(16, 7);

struct Subject {
    std::shared_ptr<Verdict> verdict = std::make_shared<Verdict>();
    Row row;

    // 0 NULL, 1 integer, 2 text, 3 sixteen bytes, 4 three bytes, 5 a boolean, 6 empty bytes
    Subject()
        : row({std::monostate(), std::int64_t{5'000'000'000}, std::string("a\0b", 3), k_id_bytes,
               Bytes{1, 0, 2}, std::int64_t{1}, Bytes()},
              verdict) {}
};

TEST(Row, gives_what_is_there_when_the_type_is_right) {
    const Subject s;
    EXPECT_TRUE(s.row.is_null(0));
    EXPECT_FALSE(s.row.is_null(6));
    EXPECT_EQ(s.row.integer(1), 5'000'000'000);
    EXPECT_EQ(s.row.clear_text(2), std::string("a\0b", 3));
    EXPECT_EQ(to_bytes(s.row.id<ThreadTag>(3).bytes()), k_id_bytes);
    EXPECT_EQ(s.row.sealed(4), SealedBytes(Bytes{1, 0, 2}));
    EXPECT_EQ(to_bytes(s.row.sealed_view(4)), (Bytes{1, 0, 2}));
    EXPECT_EQ(s.row.clear_bytes(4), (Bytes{1, 0, 2}));
    EXPECT_TRUE(s.row.boolean(5));
    EXPECT_TRUE(s.row.sealed(6).view().empty());
    EXPECT_FALSE(s.verdict->failure.has_value());
}

TEST(Row, gives_nothing_to_maybe_getters_when_the_column_is_null) {
    const Subject s;
    EXPECT_FALSE(s.row.maybe_integer(0).has_value());
    EXPECT_FALSE(s.row.maybe_id<ThreadTag>(0).has_value());
    EXPECT_FALSE(s.row.maybe_sealed(0).has_value());
    EXPECT_FALSE(s.row.maybe_clear_text(0).has_value());
    EXPECT_FALSE(s.row.maybe_clear_bytes(0).has_value());
    EXPECT_EQ(s.row.maybe_integer(5), 1);
    EXPECT_TRUE(s.row.maybe_id<ThreadTag>(3).has_value());
    EXPECT_TRUE(s.row.maybe_sealed(6).has_value());
    EXPECT_TRUE(s.row.maybe_clear_text(2).has_value());
    EXPECT_TRUE(s.row.maybe_clear_bytes(4).has_value());
    EXPECT_FALSE(s.verdict->failure.has_value());
}

TEST(Row, dooms_the_transaction_when_a_column_is_not_what_was_asked_for) {
    const std::function<void(const Row&)> wrong[] = {
        [](const Row& row) { (void)row.integer(0); },
        [](const Row& row) { (void)row.integer(2); },
        [](const Row& row) { (void)row.integer(7); },
        [](const Row& row) { (void)row.boolean(1); },
        [](const Row& row) { (void)row.boolean(4); },
        [](const Row& row) { (void)row.id<ThreadTag>(4); },
        [](const Row& row) { (void)row.id<ThreadTag>(6); },
        [](const Row& row) { (void)row.id<ThreadTag>(0); },
        [](const Row& row) { (void)row.sealed(0); },
        [](const Row& row) { (void)row.sealed(2); },
        [](const Row& row) { (void)row.sealed_view(1); },
        [](const Row& row) { (void)row.clear_text(4); },
        [](const Row& row) { (void)row.clear_text(1); },
        [](const Row& row) { (void)row.clear_bytes(2); },
        [](const Row& row) { (void)row.is_null(7); },
        [](const Row& row) { (void)row.maybe_integer(2); },
        [](const Row& row) { (void)row.maybe_id<ThreadTag>(4); },
        [](const Row& row) { (void)row.maybe_sealed(1); },
        [](const Row& row) { (void)row.maybe_clear_text(7); },
    };
    for (const auto& read : wrong) {
        const Subject s;
        read(s.row);
        ASSERT_TRUE(s.verdict->failure.has_value()) << (&read - wrong);
        EXPECT_TRUE(s.verdict->failure->is(StoreError::corrupt));
        EXPECT_FALSE(s.verdict->body_was_told);
    }
}

TEST(Row, keeps_the_first_failure_when_several_columns_are_wrong) {
    const Subject s;
    (void)s.row.integer(2);
    (void)s.row.clear_text(1);
    EXPECT_EQ(s.verdict->failure->detail(), "column 2 is no integer");
}

}  // namespace
}  // namespace postern::store
