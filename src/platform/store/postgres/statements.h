#pragma once

#include "foundation/base/result.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::store::postgres {

/// How many parameters `$1..$n` a statement has. Errors: bad_statement where one is missing.
[[nodiscard]] Result<std::size_t> count_parameters(std::string_view sql);

/// The statements that the server has prepared for one connection: one for each text and each
/// combination of value types with it.
class Statements {
public:
    /// Queues the statement with these values, and before it what prepares it.
    /// Errors: bad_statement, too_large; then nothing was queued.
    [[nodiscard]] Result<> queue(Wire& wire,
                                 SqlText sql,
                                 std::span<const Value> values,
                                 Wire::Want want,
                                 Reply* into = nullptr);
    /// After an exchange that failed: what the server did not come to is forgotten.
    void forget_unknown();
    [[nodiscard]] bool too_many() const { return count_ > k_statements_max; }

private:
    static constexpr std::size_t k_statements_max = 1000;

    struct Variant {
        Types types;
        std::string name;
        bool known = false;  ///< to the server
    };
    struct Text {
        std::size_t parameters = 0;
        std::vector<std::unique_ptr<Variant>> variants;
    };

    std::unordered_map<std::string_view, Text> texts_;
    std::uint64_t next_ = 1;
    std::size_t count_ = 0;
};

}  // namespace postern::store::postgres
