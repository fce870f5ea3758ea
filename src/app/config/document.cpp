#include "app/config/document.h"

#include "app/config/config_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

namespace postern::app::config {
namespace {

/// The library asserts where it should refuse: "[=]" ends a program that reads it.
struct Unreadable {};
[[noreturn]] void refuse_document() {
    throw Unreadable{};
}

}  // namespace
}  // namespace postern::app::config

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(expr) ((expr) ? void() : ::postern::app::config::refuse_document())
#include <toml++/toml.h>
#include <deque>
#include <string>
#include <utility>

namespace postern::app::config {
namespace {

struct Pending {
    const toml::node* node;
    std::string path;
    std::string shape;
    std::string name;
};

std::string joined(const std::string& parent, std::string_view name) {
    return parent.empty() ? std::string(name) : parent + "." + std::string(name);
}

Value value_of(const toml::node& node) {
    if (node.is_table()) return Table{};
    if (const auto* list = node.as_array()) return List{list->size()};
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    return OtherValue{};
}

void add_children(const Pending& parent, std::deque<Pending>& todo) {
    if (const auto* table = parent.node->as_table()) {
        for (const auto& [key, node] : *table) {
            todo.push_back({&node, joined(parent.path, key.str()), joined(parent.shape, key.str()),
                            std::string(key.str())});
        }
    }
    if (const auto* list = parent.node->as_array()) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            todo.push_back({list->get(i), parent.path + "[" + std::to_string(i) + "]",
                            parent.shape + "[]", ""});
        }
    }
}

/// Where a character stands that the library has no class for, and whose behaviour it leaves
/// undefined: U+FB26 to U+FEFE, the presentation forms that nobody types.
std::size_t unclassified(std::string_view toml) {
    constexpr std::string_view k_first = "\xEF\xAC\xA6";
    constexpr std::string_view k_last = "\xEF\xBB\xBE";
    auto at = toml.find('\xEF');
    while (at != std::string_view::npos) {
        const auto character = toml.substr(at, k_first.size());
        if (character >= k_first && character <= k_last) break;
        at = toml.find('\xEF', at + 1);
    }
    return at;
}

}  // namespace

std::expected<std::vector<Entry>, Problem> parse_document(std::string_view toml) {
    if (const auto at = unclassified(toml); at != std::string_view::npos) {
        const auto line = 1 + std::ranges::count(toml.substr(0, at), '\n');
        return std::unexpected(Problem{ConfigError::syntax, "", static_cast<std::uint32_t>(line),
                                       "a character that no setting has"});
    }
    toml::parse_result parsed;
    try {
        parsed = toml::parse(toml);
    } catch (const Unreadable&) {
        return std::unexpected(Problem{ConfigError::syntax, "", 0, "a table's or setting's name"});
    }
    if (!parsed) {
        return std::unexpected(Problem{ConfigError::syntax, "", parsed.error().source().begin.line,
                                       std::string(parsed.error().description())});
    }
    std::vector<Entry> entries;
    std::deque<Pending> todo{{&parsed.table(), "", "", ""}};
    while (!todo.empty()) {
        const auto at = std::move(todo.front());
        todo.pop_front();
        if (entries.size() > k_entries_max || todo.size() > k_entries_max) {
            return std::unexpected(
                Problem{ConfigError::syntax, "", 0, "the file has too much in it"});
        }
        if (!at.path.empty()) {
            entries.push_back(
                {at.path, at.shape, at.name, at.node->source().begin.line, value_of(*at.node)});
        }
        add_children(at, todo);
    }
    return entries;
}

}  // namespace postern::app::config
