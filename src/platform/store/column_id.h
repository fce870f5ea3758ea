#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace postern::store {

/// Frozen number of a stored column, from data_map.csv: part of the additional data of whatever is
/// sealed for it, so that a ciphertext moved to another column does not open.
struct ColumnId {
    std::uint16_t value;
    bool operator==(const ColumnId&) const = default;
};

namespace data_map {

/// One line of data_map.csv; the words are explained in README.md.
struct Entry {
    ColumnId id;
    std::string_view store;
    std::string_view table;
    std::string_view column;
    std::string_view purpose;
    std::string_view subject;
    std::string_view content;
    std::string_view retention;
    std::string_view exported;
};

/// Every stored column, ascending by id. Retention, export and the records of processing are
/// generated from it.
[[nodiscard]] std::span<const Entry> entries();

}  // namespace data_map
}  // namespace postern::store
