#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::codec {

enum class CborError {
    too_large,
    cut_off,              ///< ends inside an item
    trailing_bytes,       ///< goes on behind the item
    indefinite_length,    ///< or a length that is reserved
    not_minimal,          ///< a number or a length that could be written shorter
    unsupported,          ///< a tag, a float, a simple value other than false, true and null
    number_out_of_range,  ///< no 64-bit signed integer
    not_utf8,
    wrong_key,  ///< neither an integer nor text
    duplicate_key,
    too_deep,
    too_many_items,
};

constexpr ErrorInfo describe(CborError error) {
    switch (error) {
        case CborError::too_large: return {"cbor_too_large", "The CBOR is too large."};
        case CborError::cut_off: return {"cbor_cut_off", "The CBOR ends too early."};
        case CborError::trailing_bytes:
            return {"cbor_trailing_bytes", "Something follows behind the CBOR."};
        case CborError::indefinite_length:
            return {"cbor_indefinite_length", "The CBOR has a length that is not definite."};
        case CborError::not_minimal:
            return {"cbor_not_minimal", "The CBOR is not in its shortest form."};
        case CborError::unsupported:
            return {"cbor_unsupported", "The CBOR has a kind of value that is not taken."};
        case CborError::number_out_of_range:
            return {"cbor_number_out_of_range", "The CBOR has a number that is too large."};
        case CborError::not_utf8: return {"cbor_not_utf8", "The CBOR has text that is not UTF-8."};
        case CborError::wrong_key:
            return {"cbor_wrong_key", "The CBOR has a key that is neither a number nor text."};
        case CborError::duplicate_key:
            return {"cbor_duplicate_key", "A key stands in the CBOR twice."};
        case CborError::too_deep: return {"cbor_too_deep", "The CBOR is nested too deeply."};
        case CborError::too_many_items:
            return {"cbor_too_many_items", "The CBOR has too many items."};
    }
    return {"cbor_unsupported", "The CBOR has a kind of value that is not taken."};
}

inline constexpr std::size_t k_cbor_bytes_max = 64U << 10U;
inline constexpr std::size_t k_cbor_depth_max = 8;     ///< containers inside each other
inline constexpr std::size_t k_cbor_items_max = 1024;  ///< of all depths, keys too

/// One item of CBOR (RFC 8949): the integers, byte and text strings, arrays, maps with integers or
/// text as keys, false, true and null, in the deterministic encoding of section 4.2.1, as CTAP 2.1
/// section 8 wants it, but for the order of keys: not every client sorts them. So every value that
/// is taken has one form of bytes, given its order.
///
/// Lifetime: strings are views of the parsed bytes, which outlive it.
class Cbor {
public:
    using Items = std::vector<Cbor>;
    using Entries = std::vector<std::pair<Cbor, Cbor>>;

    Cbor() = default;

    /// Exactly one item. Errors: all of CborError.
    [[nodiscard]] static Result<Cbor> parse(ByteView bytes);

    struct Prefix;
    /// The item at the start; what follows is not looked at. Errors: all of CborError but
    /// trailing_bytes.
    [[nodiscard]] static Result<Prefix> parse_prefix(ByteView bytes);

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    [[nodiscard]] std::optional<bool> boolean() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const;
    [[nodiscard]] std::optional<ByteView> bytes() const;
    [[nodiscard]] std::optional<std::string_view> text() const;
    [[nodiscard]] const Items* items() const { return std::get_if<Items>(&value_); }
    [[nodiscard]] const Entries* entries() const { return std::get_if<Entries>(&value_); }

    /// The value under a key of a map; nullptr when there is none, or this is no map.
    [[nodiscard]] const Cbor* find(std::int64_t key) const;
    [[nodiscard]] const Cbor* find(std::string_view key) const;

private:
    friend class CborReader;
    std::variant<std::monostate, bool, std::int64_t, ByteView, std::string_view, Items, Entries>
        value_;
};

struct Cbor::Prefix {
    Cbor item;
    std::size_t size = 0;  ///< bytes of the item
};

}  // namespace postern::codec
