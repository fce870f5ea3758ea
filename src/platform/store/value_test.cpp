#include "platform/store/value.h"

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/store/column_id.h"
#include "platform/store/data_map.h"
#include "platform/store/sql_text.h"

#include <gtest/gtest.h>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace postern::store {
namespace {

// What cannot be stored, because it could be plain text or lose something on the way.
static_assert(!std::constructible_from<Value, std::string>);
static_assert(!std::constructible_from<Value, std::string_view>);
static_assert(!std::constructible_from<Value, const char*>);
static_assert(!std::constructible_from<Value, const char (&)[4]>);
static_assert(!std::constructible_from<Value, Bytes>);
static_assert(!std::constructible_from<Value, ByteView>);
static_assert(!std::constructible_from<Value, WipedBytes>);
static_assert(!std::constructible_from<Value, Secret>);
static_assert(!std::constructible_from<Value, const Secret&>);
static_assert(!std::constructible_from<Value, double>);
static_assert(!std::constructible_from<Value, char>);
static_assert(!std::constructible_from<Value, std::uint64_t>);
static_assert(!std::constructible_from<Value, std::nullptr_t>);
static_assert(!std::constructible_from<Value, std::optional<std::string>>);
static_assert(!std::convertible_to<Bytes, SealedBytes>);
static_assert(!std::convertible_to<std::string, Clear>);
static_assert(!std::constructible_from<Clear, std::string>);

static_assert(std::convertible_to<int, Value>);
static_assert(std::convertible_to<std::uint32_t, Value>);
static_assert(std::convertible_to<bool, Value>);
static_assert(std::convertible_to<WorkspaceId, Value>);
static_assert(std::convertible_to<SealedBytes, Value>);
static_assert(std::convertible_to<Clear, Value>);
static_assert(std::convertible_to<std::optional<SealedBytes>, Value>);
static_assert(std::convertible_to<std::optional<ThreadId>, Value>);

// SQL comes from literals only.
static_assert(!std::constructible_from<SqlText, std::string>);
static_assert(!std::constructible_from<SqlText, std::string_view>);
static_assert(!std::constructible_from<SqlText, const char*>);

TEST(Value, holds_the_number_when_made_of_integers) {
    const std::int64_t values[] = {0, -1, 5'000'000'000, std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()};
    for (const auto value : values) {
        EXPECT_EQ(std::get<std::int64_t>(Value(value).content()), value);
    }
    EXPECT_EQ(std::get<std::int64_t>(Value(true).content()), 1);
    EXPECT_EQ(std::get<std::int64_t>(Value(std::uint32_t{4'000'000'000}).content()), 4'000'000'000);
}

TEST(Value, is_null_only_when_nothing_was_given) {
    const auto is_null = [](const Value& value) {
        return std::holds_alternative<std::monostate>(value.content());
    };
    EXPECT_TRUE(is_null(std::nullopt));
    EXPECT_TRUE(is_null(std::optional<std::int64_t>()));
    EXPECT_TRUE(is_null(std::optional<SealedBytes>()));
    EXPECT_FALSE(is_null(std::optional<std::int64_t>(0)));
    EXPECT_FALSE(is_null(SealedBytes()));
    EXPECT_FALSE(is_null(Clear::text("")));
    EXPECT_FALSE(is_null(k_installation));
}

TEST(DataMap, lists_every_column_once_in_the_order_of_the_ids) {
    ASSERT_FALSE(data_map::entries().empty());
    int last = 0;
    for (const auto& entry : data_map::entries()) {
        EXPECT_GT(int{entry.id.value}, last);
        EXPECT_FALSE(entry.purpose.empty());
        EXPECT_FALSE(entry.retention.empty());
        last = entry.id.value;
    }
}

TEST(DataMap, has_a_constant_of_the_same_id_for_a_column) {
    const auto wanted = data_map::keyring::meta::value;
    for (const auto& entry : data_map::entries()) {
        if (entry.id != wanted) continue;
        EXPECT_EQ(entry.store, "keyring");
        EXPECT_EQ(entry.table, "meta");
        EXPECT_EQ(entry.column, "value");
        return;
    }
    FAIL() << "not listed";
}

}  // namespace
}  // namespace postern::store
