#pragma once

#include "foundation/base/error.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/store_error.h"

#include <string_view>

namespace postern::store::postgres {

/// What a SQLSTATE means to us (PostgreSQL's manual, appendix A). `access` tells a write in a read
/// of ours from a server that has become read-only.
[[nodiscard]] StoreError meaning_of(std::string_view sqlstate, Access access);

/// The detail has the SQLSTATE and, for statements and constraints, the server's primary message as
/// server_words(), which holds names of the schema and never a bound value.
[[nodiscard]] Error error_of(const Libpq& pq, const PGresult* result, Access access);

}  // namespace postern::store::postgres
