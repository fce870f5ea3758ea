#include "foundation/codec/imap/fetch_data.h"

#include "foundation/codec/imap/cursor.h"
#include "foundation/codec/imap/text_match.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace postern::imap {

namespace {

FetchData::Section section_of(std::string_view item) {
    if (equals_no_case(item, "BODY[]")) return FetchData::Section::whole_body;
    if (starts_with_no_case(item, "BODY[HEADER.FIELDS (")) return FetchData::Section::header_fields;
    return FetchData::Section::none;
}

template <typename T, typename U>
bool store_once(std::optional<T>& slot, std::optional<U> value) {
    if (slot || !value) return false;
    slot = static_cast<T>(*std::move(value));
    return true;
}

bool take_value(Cursor& cursor, std::string_view item, FetchData& out) {
    if (equals_no_case(item, "UID")) {
        const auto uid = cursor.number();
        return uid != std::uint64_t{0} && store_once(out.uid, uid);
    }
    if (equals_no_case(item, "RFC822.SIZE")) {
        return store_once(out.size, cursor.number(std::numeric_limits<std::int64_t>::max()));
    }
    const auto section = section_of(item);
    if (section == FetchData::Section::none) return cursor.skip_value();
    out.awaited = section;
    auto& slot = section == FetchData::Section::whole_body ? out.body : out.headers;
    if (!store_once(slot, cursor.text())) return false;
    out.awaited = FetchData::Section::none;
    return true;
}

bool take_items(Cursor& cursor, FetchData& out) {
    if (!cursor.take(' ') || !cursor.take('(')) return false;
    if (cursor.take(')')) return true;
    do {
        const auto item = cursor.item_name();
        if (!item || !cursor.take(' ') || !take_value(cursor, *item, out)) return false;
    } while (cursor.take(' '));
    return cursor.take(')');
}

}  // namespace

std::optional<FetchData> parse_fetch(Cursor& cursor) {
    FetchData out;
    out.complete = take_items(cursor, out) && cursor.at_end();
    if (!out.complete && !cursor.cut_off()) return std::nullopt;
    return out;
}

}  // namespace postern::imap
