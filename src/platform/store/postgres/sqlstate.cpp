#include "platform/store/postgres/sqlstate.h"

#include "foundation/base/error.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/server_words.h"
#include "platform/store/store_error.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace postern::store::postgres {

namespace {

struct Meaning {
    std::string_view state;  ///< five characters, or the two of a class
    StoreError error;
};

/// A whole code stands before its class.
constexpr Meaning k_meanings[] = {
    {"22", StoreError::row_refused},
    {"23505", StoreError::conflict},  // unique
    {"23503", StoreError::conflict},  // foreign key
    {"23P01", StoreError::conflict},  // exclusion
    {"23", StoreError::row_refused},
    {"42804", StoreError::row_refused},  // another type than the column's
    {"42501", StoreError::not_permitted},
    {"42", StoreError::bad_statement},
    {"40001", StoreError::overtaken},        // serialisation
    {"40P01", StoreError::overtaken},        // deadlock
    {"40002", StoreError::conflict},         // a constraint at the end of the transaction
    {"40003", StoreError::outcome_unknown},  // "statement completion unknown"
    {"40", StoreError::overtaken},
    {"08", StoreError::connection_lost},
    {"57P01", StoreError::connection_lost},  // administrator's shutdown
    {"57P02", StoreError::connection_lost},  // crash of another backend
    {"57P03", StoreError::unreachable},      // starting up or stopping
    {"57P04", StoreError::unreachable},      // database dropped
    {"57P05", StoreError::connection_lost},  // idle for too long
    {"57014", StoreError::busy},             // cancelled: over its time
    {"57", StoreError::busy},
    {"25P03", StoreError::connection_lost},  // idle in a transaction for too long
    {"25", StoreError::bad_statement},
    {"26", StoreError::connection_lost},  // a prepared statement that another server session had
    {"28", StoreError::login_refused},
    {"3D", StoreError::not_found},
    {"3F", StoreError::not_found},
    {"53100", StoreError::disk_full},
    {"53300", StoreError::unreachable},  // too many connections
    {"53", StoreError::busy},
    {"54", StoreError::too_large},
    {"55P03", StoreError::busy},  // lock not available
    {"55", StoreError::busy},
    {"XX001", StoreError::corrupt},
    {"XX002", StoreError::corrupt},
    {"0A", StoreError::bad_statement},
    {"2B", StoreError::bad_statement},
    {"2D", StoreError::bad_statement},
    {"34", StoreError::bad_statement},
    {"3B", StoreError::bad_statement},
    {"44", StoreError::row_refused},
};

bool names_only_schema(StoreError error) {
    return error == StoreError::bad_statement || error == StoreError::conflict ||
           error == StoreError::row_refused || error == StoreError::not_permitted;
}

std::string_view field(const Libpq& pq, const PGresult* result, int code) {
    const char* const text = result == nullptr ? nullptr : pq.error_field(result, code);
    return text == nullptr ? std::string_view() : std::string_view(text);
}

bool is_sqlstate(std::string_view state) {
    return state.size() == 5 && std::ranges::all_of(state, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

}  // namespace

StoreError meaning_of(std::string_view sqlstate, Access access) {
    // "Read-only transaction": of our own making in a read, else a server that is no primary.
    if (sqlstate == "25006" && access == Access::write) return StoreError::connection_lost;
    const auto found = std::ranges::find_if(
        k_meanings, [&](const Meaning& known) { return sqlstate.starts_with(known.state); });
    return found == std::end(k_meanings) ? StoreError::io_failed : found->error;
}

Error error_of(const Libpq& pq, const PGresult* result, Access access) {
    const auto state = field(pq, result, PG_DIAG_SQLSTATE);
    // Without a state it is libpq's own: the server has gone.
    if (state.empty()) return {StoreError::connection_lost, "no answer"};
    const auto error = meaning_of(state, access);
    if (!is_sqlstate(state)) return {StoreError::io_failed, "a SQLSTATE of another form"};
    std::string detail = "SQLSTATE " + std::string(state);
    // A type that does not fit (22) may be told with the value in the message.
    if (names_only_schema(error) && !state.starts_with("22"))
        detail.append(": ").append(server_words(field(pq, result, PG_DIAG_MESSAGE_PRIMARY)));
    return {error, std::move(detail)};
}

}  // namespace postern::store::postgres
