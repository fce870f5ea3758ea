#include "foundation/base/error.h"

#include "foundation/base/check.h"
#include "foundation/base/result.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace postern::error_test {

enum class VaultError : std::uint8_t { wrong_secret, no_share };
enum class MailError : std::uint8_t { refused, too_large };

constexpr ErrorInfo describe(VaultError error) {
    switch (error) {
        case VaultError::wrong_secret:
            return {.code = "wrong_secret", .text = "The secret does not open it."};
        case VaultError::no_share: return {.code = "no_share", .text = "Its share is destroyed."};
    }
    return {.code = "internal", .text = "Internal error."};
}

constexpr ErrorInfo describe(MailError error) {
    switch (error) {
        case MailError::refused: return {.code = "refused", .text = "The server refused the mail."};
        case MailError::too_large: return {.code = "too_large", .text = "The mail is too large."};
    }
    return {.code = "internal", .text = "Internal error."};
}

enum class Undescribed : std::uint8_t { something };

static_assert(ErrorEnum<VaultError>);
static_assert(!ErrorEnum<Undescribed>);
static_assert(!ErrorEnum<int>);
static_assert(!std::is_constructible_v<Error, Undescribed>);
static_assert(!std::is_default_constructible_v<Error>);

// Public text is a literal: nothing that exists only at run time can become one.
static_assert(!std::is_constructible_v<PublicText, std::string>);
static_assert(!std::is_constructible_v<PublicText, const char*>);
static_assert(!std::is_constructible_v<PublicText, std::string_view>);
static_assert(PublicText("literal").view() == "literal");
static_assert(PublicText("").view().empty());

static_assert(std::is_same_v<Result<>, std::expected<void, Error>>);

namespace {

Result<int> half_of(int value) {
    if (value % 2 != 0) return fail(VaultError::wrong_secret, "odd");
    return value / 2;
}

Result<int> quarter_of(int value) {
    POSTERN_TRY(const int half, half_of(value));
    POSTERN_TRY(const int quarter, half_of(half));
    return quarter;
}

Result<> check_even(int value) {
    const auto half = half_of(value);
    if (!half) return fail(half.error());
    return {};
}

}  // namespace

TEST(Error, shows_code_text_and_detail) {
    const Error error(VaultError::wrong_secret, "holder 3");
    EXPECT_EQ(error.code(), "wrong_secret");
    EXPECT_EQ(error.text(), "The secret does not open it.");
    EXPECT_EQ(error.detail(), "holder 3");
    EXPECT_TRUE(Error(VaultError::no_share).detail().empty());
}

TEST(Error, is_only_its_own_enumerator) {
    const Error error(VaultError::wrong_secret);
    EXPECT_TRUE(error.is(VaultError::wrong_secret));
    EXPECT_FALSE(error.is(VaultError::no_share));
}

TEST(Error, is_not_an_enumerator_of_the_same_number_in_another_enum) {
    EXPECT_FALSE(Error(VaultError::wrong_secret).is(MailError::refused));
    EXPECT_FALSE(Error(MailError::too_large).is(VaultError::no_share));
}

TEST(Error, keeps_its_identity_when_copied_and_moved) {
    Error error(MailError::too_large, "51 MB");
    const Error copy = error;
    const Error moved = std::move(error);
    EXPECT_TRUE(copy.is(MailError::too_large));
    EXPECT_TRUE(moved.is(MailError::too_large));
    EXPECT_EQ(copy.detail(), moved.detail());
}

TEST(Error, carries_seconds_to_wait_only_when_told) {
    EXPECT_EQ(Error(VaultError::wrong_secret).retry_after_s(), 0);
    const Error error = Error(VaultError::wrong_secret, "attempt 5").with_retry_after(90);
    EXPECT_EQ(error.retry_after_s(), 90);
    EXPECT_EQ(error.detail(), "attempt 5");
    EXPECT_TRUE(error.is(VaultError::wrong_secret));
}

TEST(Result, returns_the_value_when_every_step_succeeds) {
    const auto quarter = quarter_of(8);
    ASSERT_TRUE(quarter.has_value());
    EXPECT_EQ(*quarter, 2);
}

TEST(Result, returns_the_first_error_with_its_detail) {
    for (const int value : {3, 6}) {
        const auto quarter = quarter_of(value);
        ASSERT_FALSE(quarter.has_value()) << value;
        EXPECT_TRUE(quarter.error().is(VaultError::wrong_secret));
        EXPECT_EQ(quarter.error().detail(), "odd");
    }
}

TEST(Result, passes_an_error_on_from_another_type_of_result) {
    EXPECT_TRUE(check_even(2).has_value());
    const auto refused = check_even(1);
    ASSERT_FALSE(refused.has_value());
    EXPECT_TRUE(refused.error().is(VaultError::wrong_secret));
}

TEST(Check, throws_an_internal_bug_when_an_invariant_is_broken) {
    const int found = 2;
    EXPECT_NO_THROW(POSTERN_INVARIANT(found == 2));
    try {
        POSTERN_INVARIANT(found == 3);
        FAIL() << "went on";
    } catch (const InternalBug& bug) {
        EXPECT_NE(std::string(bug.what()).find("found == 3"), std::string::npos);
    }
}

TEST(CheckDeathTest, aborts_and_names_the_expression_when_a_check_fails) {
    const int found = 2;
    POSTERN_CHECK(found == 2);
    EXPECT_DEATH(POSTERN_CHECK(found == 3), "check failed: found == 3 .*error_test.cpp");
}

}  // namespace postern::error_test
