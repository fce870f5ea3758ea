#pragma once

#include "app/config/document.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::app::config {

/// Takes settings out of a document by their path and collects everything that is wrong. What
/// nobody asked for is an error: finish() names it, and the setting that was probably meant.
class Reader {
public:
    explicit Reader(std::vector<Entry> entries) : entries_(std::move(entries)) {}

    /// A valid text, else the path and why not.
    using Check = std::function<std::optional<std::string>(std::string_view)>;
    [[nodiscard]] std::optional<std::string> text(const std::string& path, const Check& check = {});
    /// Nothing and a problem where it is missing.
    [[nodiscard]] std::string required_text(const std::string& path, const Check& check = {});
    [[nodiscard]] std::optional<std::int64_t> integer(const std::string& path,
                                                      std::int64_t low,
                                                      std::int64_t high);
    /// Nothing also where one of them is wrong.
    [[nodiscard]] std::optional<std::vector<std::string>> texts(const std::string& path,
                                                                const Check& check = {});
    /// Number of tables in a list of tables.
    [[nodiscard]] std::size_t tables(const std::string& path);
    /// Is there such a table?
    [[nodiscard]] bool has_table(const std::string& path);

    void wrong(const std::string& path, ConfigError code, std::string text);
    [[nodiscard]] Problems finish();

private:
    const Entry* find(const std::string& path);
    const Entry* wrong_type(const Entry& entry, std::string_view wanted);
    [[nodiscard]] bool is_misused_table(const Entry& entry) const;
    [[nodiscard]] std::string nearest(const Entry& entry) const;

    std::vector<Entry> entries_;
    std::set<std::string> known_;    ///< shapes
    std::set<std::string> parents_;  ///< those of them that have settings in them
    Problems problems_;
};

/// Letters to add, drop or change to make one into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace postern::app::config
