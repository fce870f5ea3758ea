#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/value.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace postern::store {

/// An answer has at most this many rows and bytes, a value at most these bytes.
inline constexpr std::size_t k_rows_max = 10'000;
inline constexpr std::size_t k_rows_bytes_max = 256U << 20U;
inline constexpr std::size_t k_value_bytes_max = 128U << 20U;

enum class Access { read, write };

/// `rewrite` also writes every table anew: deleted values have left copies in no page.
enum class Purge { log_only, rewrite };

/// One connection to one database: the seam between the two engines, sqlite/ and postgres/.
/// Not for features, who see only Transaction. Used by one thread at a time; throws nothing.
class Connection {
public:
    virtual ~Connection() = default;

    [[nodiscard]] virtual Result<> begin(Access access) = 0;
    /// Returns when the transaction is durable. After an error it is rolled back.
    [[nodiscard]] virtual Result<> commit() = 0;
    virtual void rollback() noexcept = 0;
    /// False when the engine itself gave the whole transaction up (a full disk, a lost connection).
    [[nodiscard]] virtual bool in_transaction() const noexcept = 0;

    /// A part of a transaction that can be taken back alone.
    [[nodiscard]] virtual Result<> begin_part() = 0;
    [[nodiscard]] virtual Result<> keep_part() = 0;
    [[nodiscard]] virtual Result<> undo_part() = 0;

    [[nodiscard]] virtual Result<std::int64_t> execute(SqlText sql,
                                                       std::span<const Value> values) = 0;
    /// In its turn, but perhaps not yet: a failure may be that of any later call.
    [[nodiscard]] virtual Result<> execute_later(SqlText sql, std::span<const Value> values) {
        auto done = execute(sql, values);
        if (!done) return fail(std::move(done.error()));
        return {};
    }
    [[nodiscard]] virtual Result<std::vector<std::vector<Cell>>> query(
        SqlText sql, std::span<const Value> values) = 0;
    /// Several statements of DDL, with the placeholders {int64} and {blob}.
    [[nodiscard]] virtual Result<> run_migration(std::string_view ddl) = 0;

    /// Makes what was deleted vanish from the files, and proves that the log is empty.
    [[nodiscard]] virtual Result<> purge(Purge how, Deadline deadline) = 0;
    [[nodiscard]] virtual Result<> check_integrity() = 0;
};

}  // namespace postern::store
