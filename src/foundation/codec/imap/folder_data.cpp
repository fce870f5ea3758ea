#include "foundation/codec/imap/folder_data.h"

#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/text_match.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::imap {

namespace {

constexpr std::array<std::pair<std::string_view, SpecialUse>, 7> k_special_uses{{
    {"\\All", SpecialUse::all},
    {"\\Archive", SpecialUse::archive},
    {"\\Drafts", SpecialUse::drafts},
    {"\\Flagged", SpecialUse::flagged},
    {"\\Junk", SpecialUse::junk},
    {"\\Sent", SpecialUse::sent},
    {"\\Trash", SpecialUse::trash},
}};

struct Attributes {
    bool selectable = true;
    std::vector<SpecialUse> special_uses;

    void add(std::string_view name) {
        if (equals_no_case(name, "\\Noselect") || equals_no_case(name, "\\NonExistent")) {
            selectable = false;
        }
        for (const auto& [known, use] : k_special_uses) {
            if (!equals_no_case(name, known)) continue;
            if (std::ranges::find(special_uses, use) == special_uses.end()) {
                special_uses.push_back(use);
            }
        }
    }
};

std::optional<Attributes> take_attributes(Cursor& cursor) {
    if (!cursor.take(' ') || !cursor.take('(')) return std::nullopt;
    Attributes out;
    while (!cursor.take(')')) {
        const auto name = cursor.word();
        if (!name) return std::nullopt;
        out.add(*name);
        cursor.take(' ');
    }
    return out;
}

std::optional<FolderName> take_name(Cursor& cursor) {
    // An astring: the atom NIL names a folder here.
    const auto text = cursor.take(' ') ? cursor.text() : std::nullopt;
    if (!text || text->streamed) return std::nullopt;
    auto name = FolderName::from_wire(text->nil ? "NIL" : text->view());
    if (!name) return std::nullopt;
    return *std::move(name);
}

void store(FolderState& state, std::string_view item, std::uint32_t value) {
    if (equals_no_case(item, "UIDVALIDITY")) state.uid_validity = value;
    if (equals_no_case(item, "UIDNEXT")) state.uid_next = value;
    if (equals_no_case(item, "MESSAGES")) state.exists = value;
}

}  // namespace

bool Folder::is(SpecialUse use) const {
    return std::ranges::find(special_uses, use) != special_uses.end();
}

std::optional<Folder> parse_list(Cursor& cursor) {
    auto attributes = take_attributes(cursor);
    if (!attributes || !cursor.take(' ')) return std::nullopt;
    const auto delimiter = cursor.text();
    if (!delimiter || delimiter->streamed) return std::nullopt;
    if (!delimiter->nil && delimiter->value.size() != 1) return std::nullopt;
    auto name = take_name(cursor);
    if (!name) return std::nullopt;
    // RFC 5258: extended data may follow in one more list.
    if (cursor.take(' ') && !cursor.skip_value()) return std::nullopt;
    if (!cursor.at_end()) return std::nullopt;
    return Folder{.name = *std::move(name),
                  .delimiter = delimiter->nil ? std::nullopt : std::optional(delimiter->view()[0]),
                  .selectable = attributes->selectable,
                  .special_uses = std::move(attributes->special_uses)};
}

std::optional<FolderNews> parse_status(Cursor& cursor) {
    auto name = take_name(cursor);
    if (!name || !cursor.take(' ') || !cursor.take('(')) return std::nullopt;
    FolderState state;
    while (!cursor.take(')')) {
        const auto item = cursor.word();
        if (!item || !cursor.take(' ')) return std::nullopt;
        const auto value = cursor.number();
        if (value) {
            store(state, *item, static_cast<std::uint32_t>(*value));
        } else if (!cursor.skip_value()) {
            return std::nullopt;
        }
        cursor.take(' ');
    }
    // Exchange puts a space behind the list.
    cursor.take(' ');
    if (!cursor.at_end()) return std::nullopt;
    return FolderNews{.folder = *std::move(name), .state = state};
}

}  // namespace postern::imap
