#include "platform/store/postgres/statements.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store::postgres {

namespace {

constexpr std::size_t k_parameters_max = 1000;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_too_large(const Value& value) {
    const auto& content = value.content();
    if (const auto* text = std::get_if<std::string_view>(&content))
        return text->size() > k_value_bytes_max;
    const auto* bytes = std::get_if<ByteView>(&content);
    return bytes != nullptr && bytes->size() > k_value_bytes_max;
}

}  // namespace

Result<std::size_t> count_parameters(std::string_view sql) {
    std::vector<bool> used;
    bool in_text = false;
    for (std::size_t at = 0; at < sql.size(); ++at) {
        if (sql[at] == '\'') in_text = !in_text;
        if (in_text || sql[at] != '$') continue;
        std::size_t number = 0;
        while (at + 1 < sql.size() && is_digit(sql[at + 1]) && number <= k_parameters_max)
            number = number * 10 + static_cast<std::size_t>(sql[++at] - '0');
        if (number == 0 || number > k_parameters_max)
            return fail(StoreError::bad_statement, "parameters are not $1..$n");
        used.resize(std::max(used.size(), number));
        used[number - 1] = true;
    }
    if (std::ranges::find(used, false) != used.end())
        return fail(StoreError::bad_statement, "parameters are not $1..$n");
    return used.size();
}

Result<> Statements::queue(
    Wire& wire, SqlText sql, std::span<const Value> values, Wire::Want want, Reply* into) {
    auto found = texts_.find(sql.view());
    if (found == texts_.end()) {
        POSTERN_TRY(const auto parameters, count_parameters(sql.view()));
        found = texts_.emplace(sql.view(), Text{parameters, {}}).first;
    }
    auto& text = found->second;
    if (values.size() != text.parameters) {
        return fail(StoreError::bad_statement, std::to_string(values.size()) + " values for " +
                                                   std::to_string(text.parameters) + " parameters");
    }
    if (std::ranges::any_of(values, is_too_large)) return fail(StoreError::too_large);
    auto types = types_of(values);
    auto variant = std::ranges::find_if(
        text.variants, [&types](const auto& known) { return known->types == types; });
    if (variant == text.variants.end()) {
        auto fresh = std::make_unique<Variant>(
            Variant{std::move(types), "s" + std::to_string(next_++), false});
        wire.prepare(fresh->name, sql.view(), fresh->types, &fresh->known);
        text.variants.push_back(std::move(fresh));
        variant = std::prev(text.variants.end());
        ++count_;
    }
    wire.execute((*variant)->name, values, want, into);
    return {};
}

void Statements::forget_unknown() {
    for (auto& [sql, text] : texts_) {
        count_ -= std::erase_if(text.variants, [](const auto& variant) { return !variant->known; });
    }
}

}  // namespace postern::store::postgres
