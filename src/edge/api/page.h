#pragma once

#include "edge/api/limits.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/codec/json.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::api {

/// Where the next page begins. Opaque to clients; good only for the list that gave it.
[[nodiscard]] std::string make_cursor(char list, ByteView position);
[[nodiscard]] std::optional<Bytes> parse_cursor(char list, std::string_view text);

/// Names and values, percent-decoded. Nothing when an escape is not valid or a name stands twice.
using Fields = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] std::optional<Fields> parse_form(std::string_view text, std::size_t fields_max);

/// Reads the parameters after the question mark, as ObjectReader reads a body.
class QueryReader {
public:
    QueryReader(std::string_view query, std::vector<codec::FieldError>& errors);

    [[nodiscard]] std::optional<std::string> text(std::string_view name, std::size_t bytes_max);
    [[nodiscard]] std::optional<std::int64_t> number(std::string_view name,
                                                     std::int64_t low,
                                                     std::int64_t high);
    /// "P90D", in seconds.
    [[nodiscard]] std::optional<std::int64_t> duration_s(std::string_view name,
                                                         std::int64_t low,
                                                         std::int64_t high);
    template <typename Tag>
    [[nodiscard]] std::optional<Id<Tag>> id(std::string_view name) {
        const auto value = text(name, k_query_bytes_max);
        if (!value) return std::nullopt;
        const auto parsed = Id<Tag>::parse(*value);
        if (!parsed) wrong(name);
        return parsed;
    }
    /// 1 to 100, else 50.
    [[nodiscard]] std::int64_t limit();
    /// The position, in the form of the list's own.
    [[nodiscard]] std::optional<Bytes> cursor(char list, std::size_t bytes);
    /// The id to go on after; null at the beginning.
    template <typename Tag>
    [[nodiscard]] Id<Tag> cursor_id(char list) {
        const auto bytes = cursor(list, k_id_bytes);
        return bytes ? Id<Tag>::from_bytes(*bytes).value_or(Id<Tag>{}) : Id<Tag>{};
    }
    /// Notes every parameter that was not asked for.
    void finish();

private:
    static constexpr std::size_t k_id_bytes = 16;
    void wrong(std::string_view name, std::string_view code = "invalid");

    Fields fields_;
    std::vector<codec::FieldError>& errors_;
    std::vector<std::string_view> asked_;
};

/// The position in a list that is ordered by numbers from 1 on.
inline constexpr std::size_t k_number_bytes = 8;
[[nodiscard]] Bytes number_position(std::int64_t number);
/// 0 for what no cursor of ours holds: from the newest on.
[[nodiscard]] std::int64_t number_at(const std::optional<Bytes>& position);

/// {"items":[...],"next_cursor":...}
[[nodiscard]] std::string list_json(const std::vector<std::string>& items,
                                    const std::optional<std::string>& next_cursor);

}  // namespace postern::api
