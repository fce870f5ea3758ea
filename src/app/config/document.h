#pragma once

#include "app/config/config_error.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::app::config {

inline constexpr std::size_t k_file_bytes_max = 1U << 20U;
inline constexpr std::size_t k_entries_max = 10'000;

struct Table {};
struct List {
    std::size_t size = 0;
};
/// A number with a fraction, a date or a time: no setting has one.
struct OtherValue {};
using Value = std::variant<Table, List, std::string, std::int64_t, bool, OtherValue>;

/// One table, list or value of a TOML document.
struct Entry {
    std::string path;   ///< "backup.site[0].name"
    std::string shape;  ///< the same without numbers: "backup.site[].name"
    std::string name;   ///< its own name, empty for an item of a list
    std::uint32_t line = 0;
    Value value;
};

/// A TOML document as one flat list, parents before what is in them.
[[nodiscard]] std::expected<std::vector<Entry>, Problem> parse_document(std::string_view toml);

}  // namespace postern::app::config
