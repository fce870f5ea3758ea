#include "app/config/reader.h"

#include "app/config/config_error.h"
#include "app/config/document.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace postern::app::config {
namespace {

constexpr std::size_t k_list_max = 1000;
constexpr std::size_t k_distance_max = 3;
constexpr std::size_t k_name_max = 64;

std::string shape_of(std::string_view path) {
    std::string shape;
    bool inside = false;
    for (const char c : path) {
        if (c == ']') inside = false;
        if (!inside) shape += c;
        if (c == '[') inside = true;
    }
    return shape;
}

std::string_view parent_of(std::string_view shape) {
    const auto dot = shape.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : shape.substr(0, dot);
}

bool lies_in(std::string_view path, const std::string& parent) {
    return !parent.empty() && path.starts_with(parent) &&
           (path.size() == parent.size() || path[parent.size()] == '.' ||
            path[parent.size()] == '[');
}

std::string_view last_of(std::string_view shape) {
    const auto parent = parent_of(shape);
    return parent.empty() ? shape : shape.substr(parent.size() + 1);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto above = row[j + 1];
            row[j + 1] =
                std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? std::size_t{0} : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

const Entry* Reader::find(const std::string& path) {
    // Every parent of a known setting is known as well.
    const auto asked = shape_of(path);
    for (auto shape = asked; !shape.empty(); shape = parent_of(shape)) {
        known_.insert(shape);
        if (shape != asked) parents_.insert(shape);
        if (shape.ends_with("[]")) known_.insert(shape.substr(0, shape.size() - 2));
    }
    const auto found = std::ranges::find(entries_, path, &Entry::path);
    return found == entries_.end() ? nullptr : &*found;
}

const Entry* Reader::wrong_type(const Entry& entry, std::string_view wanted) {
    problems_.push_back(
        {ConfigError::wrong_type, entry.path, entry.line, "must be " + std::string(wanted)});
    return nullptr;
}

std::optional<std::string> Reader::text(const std::string& path, const Check& check) {
    const auto* entry = find(path);
    if (entry == nullptr) return std::nullopt;
    const auto* value = std::get_if<std::string>(&entry->value);
    if (value == nullptr) {
        wrong_type(*entry, "a text in quotes");
        return std::nullopt;
    }
    const auto problem = check ? check(*value) : std::nullopt;
    if (problem) {
        wrong(path, ConfigError::invalid_value, *problem);
        return std::nullopt;
    }
    return *value;
}

std::string Reader::required_text(const std::string& path, const Check& check) {
    if (find(path) == nullptr) wrong(path, ConfigError::missing_key, "must be set");
    return text(path, check).value_or("");
}

std::optional<std::int64_t> Reader::integer(const std::string& path,
                                            std::int64_t low,
                                            std::int64_t high) {
    const auto* entry = find(path);
    if (entry == nullptr) return std::nullopt;
    const auto* value = std::get_if<std::int64_t>(&entry->value);
    if (value == nullptr) {
        wrong_type(*entry, "a whole number");
        return std::nullopt;
    }
    if (*value >= low && *value <= high) return *value;
    wrong(path, ConfigError::out_of_range,
          "must lie between " + std::to_string(low) + " and " + std::to_string(high));
    return std::nullopt;
}

std::optional<std::vector<std::string>> Reader::texts(const std::string& path, const Check& check) {
    find(path + "[]");
    const auto* entry = find(path);
    if (entry == nullptr) return std::nullopt;
    const auto* list = std::get_if<List>(&entry->value);
    if (list == nullptr) {
        wrong_type(*entry, "a list of texts");
        return std::nullopt;
    }
    if (list->size > k_list_max) {
        wrong(path, ConfigError::out_of_range, "has too many items");
        return std::nullopt;
    }
    std::vector<std::string> items;
    for (std::size_t i = 0; i < list->size; ++i) {
        auto item = text(path + "[" + std::to_string(i) + "]", check);
        if (item) items.push_back(std::move(*item));
    }
    if (items.size() < list->size) return std::nullopt;
    return items;
}

std::size_t Reader::tables(const std::string& path) {
    const auto* entry = find(path);
    if (entry == nullptr) return 0;
    const auto* list = std::get_if<List>(&entry->value);
    if (list == nullptr) {
        wrong_type(*entry, "a list of tables, written as [[" + path + "]]");
        return 0;
    }
    if (list->size <= k_list_max) return list->size;
    wrong(path, ConfigError::out_of_range, "has too many items");
    return 0;
}

bool Reader::has_table(const std::string& path) {
    const auto* entry = find(path);
    if (entry == nullptr) return false;
    if (std::holds_alternative<Table>(entry->value)) return true;
    wrong_type(*entry, "a table, written as [" + path + "]");
    return false;
}

void Reader::wrong(const std::string& path, ConfigError code, std::string text) {
    const auto found = std::ranges::find(entries_, path, &Entry::path);
    const std::uint32_t line = found == entries_.end() ? 0 : found->line;
    problems_.push_back({code, path, line, std::move(text)});
}

std::string Reader::nearest(const Entry& entry) const {
    std::string best;
    std::size_t best_distance = k_distance_max + 1;
    for (const auto& shape : known_) {
        if (shape.ends_with("[]") || parent_of(shape) != parent_of(entry.shape)) continue;
        const auto name = last_of(shape);
        const auto distance = edit_distance(name, entry.name.substr(0, k_name_max));
        // A name of which nothing is left is no near one.
        if (distance >= best_distance || distance >= name.size()) continue;
        best_distance = distance;
        best = std::string(name);
    }
    return best;
}

bool Reader::is_misused_table(const Entry& entry) const {
    if (!parents_.contains(entry.shape)) return false;
    const bool may_be_list = known_.contains(entry.shape + "[]");
    return !std::holds_alternative<Table>(entry.value) &&
           !(may_be_list && std::holds_alternative<List>(entry.value));
}

Problems Reader::finish() {
    for (const auto& entry : entries_) {
        if (is_misused_table(entry)) wrong_type(entry, "a table, written as [" + entry.path + "]");
    }
    for (const auto& entry : entries_) {
        const bool inside_unknown = std::ranges::any_of(problems_, [&](const Problem& problem) {
            return (problem.code == ConfigError::unknown_key ||
                    problem.code == ConfigError::wrong_type) &&
                   lies_in(entry.path, problem.key);
        });
        if (known_.contains(entry.shape) || inside_unknown) continue;
        const auto meant = nearest(entry);
        const auto text = meant.empty() ? "there is no such setting"
                                        : "there is no such setting; did you mean " + meant + "?";
        problems_.push_back({ConfigError::unknown_key, entry.path, entry.line, text});
    }
    std::ranges::sort(problems_, {}, [](const Problem& p) { return std::tie(p.line, p.key); });
    return std::move(problems_);
}

}  // namespace postern::app::config
