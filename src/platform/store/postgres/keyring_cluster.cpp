#include "platform/store/postgres/keyring_cluster.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/pause.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/server_words.h"
#include "platform/store/postgres/session.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace postern::store::postgres {

namespace {

constexpr std::chrono::milliseconds k_snapshot_pause{5};

/// One row for each thing that does not fit, in words.
constexpr SqlText k_unsuitable =
    "SELECT w FROM (VALUES "
    "(current_setting('archive_mode') <> 'off', 'archive_mode must be off'), "
    "(current_setting('wal_recycle') <> 'off', 'wal_recycle must be off'), "
    "(current_setting('wal_keep_size') NOT IN ('0', '0MB'), 'wal_keep_size must be 0'), "
    "(EXISTS (SELECT 1 FROM pg_replication_slots), 'there must be no replication slot'), "
    "(EXISTS (SELECT 1 FROM pg_stat_replication), "
    "'there must be no replica, base backup or receiver of the log: max_wal_senders = 0'), "
    "(EXISTS (SELECT 1 FROM pg_prepared_xacts), 'there must be no prepared transaction'), "
    "((current_setting('log_statement') IN ('mod', 'all') "
    "OR current_setting('log_min_duration_statement') <> '-1' "
    "OR current_setting('log_min_duration_sample') <> '-1' "
    "OR current_setting('log_transaction_sample_rate') <> '0') "
    "AND current_setting('log_parameter_max_length') NOT IN ('0', '0B'), "
    "'statements are logged: log_parameter_max_length must be 0'), "
    "(current_setting('log_parameter_max_length_on_error') NOT IN ('0', '0B'), "
    "'log_parameter_max_length_on_error must be 0'), "
    "(NOT pg_has_role('pg_checkpoint', 'MEMBER'), 'the user must be in pg_checkpoint'), "
    "(NOT pg_has_role('pg_read_all_stats', 'MEMBER'), 'the user must be in pg_read_all_stats'), "
    "(NOT has_function_privilege('pg_switch_wal()', 'EXECUTE'), "
    "'the user must have EXECUTE on pg_switch_wal()')) AS v (bad, w) WHERE bad";

constexpr SqlText k_now = "SELECT pg_current_xact_id()::text";
constexpr SqlText k_older =
    "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
    "backend_xmin IS NOT NULL AND age(backend_xmin) >= age($1::xid8::xid)";

}  // namespace

Result<> check_keyring_cluster(Session& session) {
    POSTERN_TRY(const auto reply, session.ask(k_unsuitable, {}, Wire::Want::rows));
    std::string all;
    for (std::size_t row = 0; row < reply.rows.size(); ++row) {
        const auto* words = text_at(reply, row, 0);
        // A row is a thing that does not fit, whatever it says.
        all += (all.empty() ? "the keyring's cluster: " : "; ") +
               server_words(words == nullptr ? "?" : *words);
    }
    if (!all.empty()) return fail(StoreError::unsuitable, all);
    return {};
}

Result<> wait_for_older_snapshots(Session& session, Deadline deadline) {
    POSTERN_TRY(const auto now, session.ask(k_now, {}, Wire::Want::rows));
    const auto* number = text_at(now, 0, 0);
    if (number == nullptr) return fail(StoreError::corrupt, "a transaction's number");
    const std::array<Value, 1> values = {Clear::text(*number)};
    while (true) {
        POSTERN_TRY(const auto left, session.ask(k_older, values, Wire::Want::rows));
        const auto* count = number_at(left, 0, 0);
        if (count != nullptr && *count == 0) return {};
        if (deadline.passed()) return fail(StoreError::busy, "an old snapshot is held");
        pause(k_snapshot_pause);
    }
}

}  // namespace postern::store::postgres
