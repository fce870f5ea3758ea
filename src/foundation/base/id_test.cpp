#include "foundation/base/id.h"

#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace postern {
namespace {

// An id of one kind is no id of another, and no text or number turns into one by itself.
static_assert(!std::is_constructible_v<ThreadId, MessageId>);
static_assert(!std::is_assignable_v<ThreadId&, MessageId>);
static_assert(!std::is_convertible_v<std::array<std::uint8_t, 16>, ThreadId>);
static_assert(!std::is_constructible_v<ThreadId, std::string>);

constexpr std::array<std::uint8_t, 16> k_counting{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

std::array<std::uint8_t, 16> all_of(std::uint8_t byte) {
    std::array<std::uint8_t, 16> bytes{};
    bytes.fill(byte);
    return bytes;
}

TEST(Id, prints_its_prefix_and_26_characters) {
    EXPECT_EQ(ThreadId().text(), "thr_00000000000000000000000000");
    EXPECT_EQ(ThreadId(all_of(0xff)).text(), "thr_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    // The value worked out by hand: the 128 bits as one number, in base 32.
    EXPECT_EQ(ThreadId(k_counting).text(), "thr_0024h36h2ncsvrh6daqf6dvvqz");
}

TEST(Id, reads_back_what_it_prints) {
    for (const auto& bytes : {all_of(0), all_of(0xff), all_of(0x5a), k_counting}) {
        const ThreadId id(bytes);
        EXPECT_EQ(ThreadId::parse(id.text()), id);
    }
    for (int i = 0; i < 1000; ++i) {
        const auto id = MessageId::make(1'700'000'000'000 + i);
        EXPECT_EQ(MessageId::parse(id.text()), id);
    }
}

TEST(Id, refuses_every_text_but_its_own) {
    const std::string good = ThreadId(k_counting).text();
    const std::vector<std::string> refused{
        std::string(),
        std::string("thr_"),
        good.substr(0, good.size() - 1),
        good + "0",
        good + std::string(1, '\0'),
        " " + good,
        "msg_" + good.substr(4),
        "THR_" + good.substr(4),
        good.substr(4),
        "thr_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "thr_0024H36H2NCSVRH6DASF6DDVQZ",
        "thr_i0000000000000000000000000",
        "thr_0000000000000000000000000l",
        "thr_0000000000000000000000000o",
        "thr_0000000000000000000000000u",
        "thr_000000000000-0000000000000",
        "thr_0000000000000000000000000\xff",
        "thr_" + std::string(100'000, '0'),
    };
    for (const auto& text : refused)
        EXPECT_FALSE(ThreadId::parse(text).has_value()) << text.substr(0, 64);
}

TEST(Id, sorts_by_the_time_it_was_made) {
    const auto older = ThreadId::make(1'700'000'000'000);
    const auto newer = ThreadId::make(1'700'000'000'001);
    EXPECT_LT(older, newer);
    EXPECT_LT(older.text(), newer.text());
}

TEST(Id, differs_each_time_within_one_millisecond) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i)
        seen.insert(ThreadId::make(5).text());
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(Id, takes_exactly_sixteen_bytes) {
    const Bytes sixteen(k_counting.begin(), k_counting.end());
    ASSERT_TRUE(ThreadId::from_bytes(sixteen).has_value());
    EXPECT_EQ(ThreadId::from_bytes(sixteen)->raw(), k_counting);
    for (const std::size_t size : {0U, 1U, 15U, 17U, 32U}) {
        EXPECT_FALSE(ThreadId::from_bytes(Bytes(size)).has_value()) << size;
    }
}

TEST(Id, is_null_only_when_default_made) {
    EXPECT_TRUE(ThreadId().is_null());
    EXPECT_FALSE(ThreadId::make(0).is_null());
    EXPECT_TRUE(k_installation.is_null());
}

}  // namespace
}  // namespace postern
