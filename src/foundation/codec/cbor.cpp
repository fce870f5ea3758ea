#include "foundation/codec/cbor.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::codec {
namespace {

// Major types (RFC 8949 section 3.1).
enum class Major : std::uint8_t {
    unsigned_integer = 0,
    negative_integer = 1,
    bytes = 2,
    text = 3,
    array = 4,
    map = 5,
    tag = 6,
    simple = 7,
};
constexpr std::uint64_t k_false = 20;
constexpr std::uint64_t k_true = 21;
constexpr std::uint64_t k_null = 22;

/// RFC 3629 section 4.
bool is_utf8(ByteView text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::uint8_t first = text[at++];
        if (first < 0x80) continue;
        if (first < 0xC2 || first > 0xF4) return false;
        const std::size_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if (text.size() - at < more) return false;
        // The second byte of some sequences is limited: overlong forms, surrogates, > U+10FFFF.
        const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (text[at] < low || text[at] > high) return false;
        for (std::size_t i = 1; i < more; ++i)
            if ((text[at + i] & 0xC0U) != 0x80) return false;
        at += more;
    }
    return true;
}

}  // namespace

/// Reads without recursion: containers that are not full yet lie on a stack of bounded height.
class CborReader {
public:
    explicit CborReader(ByteView bytes) : left_(bytes) {}

    [[nodiscard]] ByteView left() const { return left_; }

    Result<Cbor> read() {
        for (;;) {
            POSTERN_TRY(Head head, read_head());
            if (++items_ > k_cbor_items_max) return fail(CborError::too_many_items);
            Cbor item;
            if (head.major == Major::array || head.major == Major::map) {
                POSTERN_TRY(const bool is_open, open(head));
                if (is_open) continue;
                item = empty(head.major);
            } else {
                POSTERN_TRY(item, read_plain(head));
            }
            POSTERN_TRY(const bool is_whole, add(item));
            if (is_whole) return item;
        }
    }

private:
    struct Head {
        Major major = Major::simple;
        std::uint64_t argument = 0;
    };
    struct Open {
        Cbor container;
        std::uint64_t items_left = 0;  ///< keys and values of a map
        std::optional<Cbor> key;
    };

    Result<Head> read_head() {
        if (left_.empty()) return fail(CborError::cut_off);
        const std::uint8_t first = left_.front();
        left_ = left_.subspan(1);
        Head head{static_cast<Major>(first >> 5U), first & 0x1FU};
        constexpr std::uint64_t k_in_the_head = 24;  // arguments below stand in the first byte
        if (head.argument < k_in_the_head) return head;
        // 28 to 30 are reserved; 31 is the indefinite length.
        if (head.argument > 27) return fail(CborError::indefinite_length);
        // One byte of a simple value, two to eight of a float.
        if (head.major == Major::simple) return fail(CborError::unsupported);
        const std::size_t size = std::size_t{1} << (head.argument - k_in_the_head);
        if (left_.size() < size) return fail(CborError::cut_off);
        const std::uint64_t least = size == 1 ? k_in_the_head : std::uint64_t{1} << (size / 2 * 8);
        head.argument = 0;
        for (const std::uint8_t byte : left_.first(size))
            head.argument = head.argument << 8U | byte;
        left_ = left_.subspan(size);
        if (head.argument < least) return fail(CborError::not_minimal);
        return head;
    }

    /// False for an empty container, which is whole at once.
    Result<bool> open(const Head& head) {
        if (stack_.size() == k_cbor_depth_max) return fail(CborError::too_deep);
        if (head.argument == 0) return false;
        // Each item takes a byte at least: nothing is kept for items that cannot be there.
        if (head.argument > left_.size()) return fail(CborError::cut_off);
        const auto items = head.argument * (head.major == Major::map ? 2U : 1U);
        stack_.push_back({.container = empty(head.major), .items_left = items, .key = {}});
        return true;
    }

    static Cbor empty(Major major) {
        Cbor container;
        if (major == Major::map) container.value_ = Cbor::Entries();
        if (major == Major::array) container.value_ = Cbor::Items();
        return container;
    }

    Result<Cbor> read_plain(const Head& head) {
        Cbor item;
        switch (head.major) {
            case Major::unsigned_integer:
            case Major::negative_integer: {
                if (head.argument > std::numeric_limits<std::int64_t>::max())
                    return fail(CborError::number_out_of_range);
                const auto number = static_cast<std::int64_t>(head.argument);
                item.value_ = head.major == Major::negative_integer ? -1 - number : number;
                return item;
            }
            case Major::bytes:
            case Major::text: {
                if (head.argument > left_.size()) return fail(CborError::cut_off);
                const auto string = left_.first(static_cast<std::size_t>(head.argument));
                left_ = left_.subspan(string.size());
                if (head.major == Major::bytes) {
                    item.value_ = string;
                    return item;
                }
                if (!is_utf8(string)) return fail(CborError::not_utf8);
                item.value_ = as_text(string);
                return item;
            }
            case Major::simple:
                if (head.argument == k_null) return item;
                if (head.argument != k_false && head.argument != k_true) break;
                item.value_ = head.argument == k_true;
                return item;
            case Major::tag:
            case Major::array:
            case Major::map: break;
        }
        return fail(CborError::unsupported);
    }

    /// Puts an item where it belongs, and so each container that it fills. True once the whole is
    /// read: `item` is it.
    Result<bool> add(Cbor& item) {
        while (!stack_.empty()) {
            auto& open = stack_.back();
            auto* const entries = std::get_if<Cbor::Entries>(&open.container.value_);
            if (entries == nullptr) {
                std::get<Cbor::Items>(open.container.value_).push_back(std::move(item));
            } else if (open.key) {
                entries->emplace_back(std::move(*open.key), std::move(item));
                open.key.reset();
            } else if (!item.integer() && !item.text()) {
                return fail(CborError::wrong_key);
            } else if (holds(open.container, item)) {
                return fail(CborError::duplicate_key);
            } else {
                open.key = std::move(item);
            }
            if (--open.items_left > 0) return false;
            item = std::move(open.container);
            stack_.pop_back();
        }
        return true;
    }

    static bool holds(const Cbor& map, const Cbor& key) {
        if (const auto number = key.integer()) return map.find(*number) != nullptr;
        const auto text = key.text();
        return text && map.find(*text) != nullptr;
    }

    ByteView left_;
    std::size_t items_ = 0;
    std::vector<Open> stack_;
};

Result<Cbor> Cbor::parse(ByteView bytes) {
    POSTERN_TRY(Prefix prefix, parse_prefix(bytes));
    if (prefix.size != bytes.size()) return fail(CborError::trailing_bytes);
    return std::move(prefix.item);
}

Result<Cbor::Prefix> Cbor::parse_prefix(ByteView bytes) {
    if (bytes.size() > k_cbor_bytes_max) return fail(CborError::too_large);
    CborReader reader(bytes);
    POSTERN_TRY(Cbor item, reader.read());
    return Prefix{std::move(item), bytes.size() - reader.left().size()};
}

std::optional<bool> Cbor::boolean() const {
    const auto* const value = std::get_if<bool>(&value_);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> Cbor::integer() const {
    const auto* const value = std::get_if<std::int64_t>(&value_);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<ByteView> Cbor::bytes() const {
    const auto* const value = std::get_if<ByteView>(&value_);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string_view> Cbor::text() const {
    const auto* const value = std::get_if<std::string_view>(&value_);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

const Cbor* Cbor::find(std::int64_t key) const {
    const auto* const all = entries();
    if (all == nullptr) return nullptr;
    const auto found = std::find_if(all->begin(), all->end(), [key](const auto& entry) {
        return entry.first.integer() == key;
    });
    return found == all->end() ? nullptr : &found->second;
}

const Cbor* Cbor::find(std::string_view key) const {
    const auto* const all = entries();
    if (all == nullptr) return nullptr;
    const auto found = std::find_if(all->begin(), all->end(),
                                    [key](const auto& entry) { return entry.first.text() == key; });
    return found == all->end() ? nullptr : &found->second;
}

}  // namespace postern::codec
