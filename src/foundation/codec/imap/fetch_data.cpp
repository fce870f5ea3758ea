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
    constexpr std::string_view k_start = "BODY[";
    if (!starts_with_no_case(item, k_start)) return FetchData::Section::none;
    item.remove_prefix(k_start.size());
    // "3." where the header is that of a mail within part 3.
    const auto digits = item.find_first_not_of("0123456789");
    if (digits != 0 && digits != std::string_view::npos && item[digits] == '.') {
        item.remove_prefix(digits + 1);
    }
    const bool is_header = starts_with_no_case(item, "HEADER.FIELDS (");
    return is_header ? FetchData::Section::header_fields : FetchData::Section::none;
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
