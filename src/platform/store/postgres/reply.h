#pragma once

#include "foundation/base/result.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/row.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store::postgres {

/// Object ids of PostgreSQL's own types (src/include/catalog/pg_type.dat), the same everywhere.
enum TypeId : Oid {
    k_bool = 16,
    k_bytea = 17,
    k_name = 19,
    k_int8 = 20,
    k_int2 = 21,
    k_int4 = 23,
    k_text = 25,
    k_unknown = 705,
    k_varchar = 1043,
};

struct Reply {
    std::int64_t changed = 0;
    std::vector<std::vector<Cell>> rows;
};

/// Nothing where there is no such row or column, or it is of another type: a reply's shape is the
/// server's to choose. Lifetime: as long as the reply.
[[nodiscard]] const std::string* text_at(const Reply& reply, std::size_t row, std::size_t column);
[[nodiscard]] const std::int64_t* number_at(const Reply& reply,
                                            std::size_t row,
                                            std::size_t column);

/// A value in PostgreSQL's binary form. Errors: corrupt for a length or content that the type does
/// not have, and for types that nothing of ours has.
[[nodiscard]] Result<Cell> read_cell(Oid type, std::string_view bytes);

/// Collects the rows of one command, which come in any number of results.
class ReplyReader {
public:
    explicit ReplyReader(const Libpq& pq) : pq_(&pq) {}

    /// Errors: corrupt, too_many_rows.
    [[nodiscard]] Result<> add_rows(const PGresult* result, Reply& reply);

private:
    [[nodiscard]] Result<Cell> cell(const PGresult* result, int row, int column);

    const Libpq* pq_;
    std::size_t bytes_ = 0;
};

}  // namespace postern::store::postgres
