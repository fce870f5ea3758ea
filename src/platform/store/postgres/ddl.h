#pragma once

#include "platform/store/migration.h"

#include <string>
#include <string_view>

namespace postern::store::postgres {

/// A migration in PostgreSQL's words: {int64} and {blob}; no STRICT, which it always is; text
/// compared byte by byte, as SQLite does, whatever the database's locale. Tables of the index are
/// UNLOGGED. In the keyring no statistics are gathered of what is sealed: they are copies of it.
[[nodiscard]] std::string ddl_of(std::string_view migration, StoreKind kind);

}  // namespace postern::store::postgres
