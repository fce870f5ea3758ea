#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace postern {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<WipedBytes>);
static_assert(!std::is_copy_assignable_v<WipedBytes>);
static_assert(std::is_nothrow_move_constructible_v<WipedBytes>);
static_assert(!std::is_convertible_v<WipedBytes, std::string>);
static_assert(!std::is_convertible_v<std::size_t, WipedBytes>);
static_assert(!Streamable<WipedBytes>);

std::string text_of(const WipedBytes& bytes) {
    return std::string(as_text({bytes.data(), bytes.size()}));
}

/// What lies in the memory beyond the end, which still belongs to the buffer.
bool is_wiped(const WipedBytes& bytes, std::size_t from, std::size_t to) {
    return to <= bytes.capacity() &&
           std::all_of(bytes.data() + from, bytes.data() + to, [](auto byte) { return byte == 0; });
}

TEST(Bytes, pass_between_text_and_views_unchanged) {
    const std::string text("a\0\xff", 3);
    EXPECT_EQ(as_text(as_bytes(text)), text);
    EXPECT_EQ(to_bytes(text), (Bytes{'a', 0, 0xff}));
    EXPECT_EQ(to_bytes(as_bytes(text)), to_bytes(text));
    EXPECT_TRUE(to_bytes(std::string_view()).empty());
    EXPECT_TRUE(as_text(ByteView()).empty());
}

TEST(Wipe, overwrites_every_byte_it_is_given_and_no_other) {
    Bytes bytes(1000, 0xee);
    wipe(bytes.data() + 1, bytes.size() - 2);
    EXPECT_EQ(bytes.front(), 0xee);
    EXPECT_EQ(bytes.back(), 0xee);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), 998);
    wipe(nullptr, 0);
}

TEST(WipedBytes, grows_as_bytes_and_texts_are_added) {
    WipedBytes bytes;
    std::string expected;
    for (int i = 0; i < 3000; ++i) {
        const auto byte = static_cast<std::uint8_t>(i);
        bytes.push_back(byte);
        expected += static_cast<char>(byte);
    }
    bytes.append("tail");
    bytes.append(ByteView());
    EXPECT_EQ(text_of(bytes), expected + "tail");
    EXPECT_EQ(bytes.size(), 3004U);
    EXPECT_EQ(bytes.back(), 'l');
}

TEST(WipedBytes, wipes_the_part_it_gives_up_when_it_shrinks) {
    WipedBytes bytes;
    bytes.append("password-and-more");
    bytes.resize(8);
    EXPECT_EQ(text_of(bytes), "password");
    EXPECT_TRUE(is_wiped(bytes, 8, 17));
}

TEST(WipedBytes, wipes_all_of_it_when_cleared_or_assigned) {
    WipedBytes bytes;
    bytes.append("password-and-more");
    bytes.clear();
    EXPECT_TRUE(bytes.empty());
    EXPECT_TRUE(is_wiped(bytes, 0, 17));
    bytes.append("password-and-more");
    bytes.assign(as_bytes("pin"));
    EXPECT_EQ(text_of(bytes), "pin");
    EXPECT_TRUE(is_wiped(bytes, 3, 17));
}

TEST(WipedBytes, moves_the_rest_to_the_front_and_wipes_where_it_was) {
    WipedBytes bytes;
    bytes.append("headbodytail");
    bytes.erase_front(0);
    EXPECT_EQ(text_of(bytes), "headbodytail");
    bytes.erase_front(4);
    EXPECT_EQ(text_of(bytes), "bodytail");
    EXPECT_TRUE(is_wiped(bytes, 8, 12));
    bytes.erase_front(1000);
    EXPECT_TRUE(bytes.empty());
    EXPECT_TRUE(is_wiped(bytes, 0, 12));
    bytes.erase_front(1);
    EXPECT_TRUE(bytes.empty());
}

TEST(WipedBytes, keeps_its_memory_within_what_was_reserved) {
    WipedBytes bytes;
    bytes.reserve(100);
    const auto* memory = bytes.data();
    bytes.append(std::string(100, 'x'));
    EXPECT_EQ(bytes.data(), memory);
    bytes.reserve(5);
    EXPECT_EQ(bytes.capacity(), 100U);
}

TEST(WipedBytes, fills_new_bytes_as_told) {
    WipedBytes bytes(3, 0x41);
    bytes.resize(5);
    EXPECT_EQ(text_of(bytes), std::string("AAA\0\0", 5));
    bytes.resize(2);
    bytes.resize(4);
    EXPECT_EQ(text_of(bytes), std::string("AA\0\0", 4));
}

TEST(WipedBytes, leaves_nothing_behind_when_moved) {
    WipedBytes first;
    first.append("one");
    WipedBytes second(std::move(first));
    EXPECT_EQ(text_of(second), "one");
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what a move leaves is the point
    WipedBytes third;
    third.append("three");
    third = std::move(second);
    EXPECT_EQ(text_of(third), "one");
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move): as above
}

}  // namespace
}  // namespace postern
