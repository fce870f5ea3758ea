#include "platform/store/postgres/postgres_connection.h"

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/migration.h"
#include "platform/store/pause.h"
#include "platform/store/postgres/ddl.h"
#include "platform/store/postgres/purge.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/session.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/row.h"
#include "platform/store/sql_text.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::store::postgres {

namespace {

constexpr SqlText k_begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr SqlText k_begin_write = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE";
/// Known before the commit is sent, so that its outcome can be asked for.
constexpr SqlText k_number = "SELECT pg_current_xact_id()::text";
constexpr SqlText k_outcome = "SELECT pg_xact_status($1::xid8)";
constexpr SqlText k_commit = "COMMIT";
constexpr SqlText k_rollback = "ROLLBACK";
constexpr SqlText k_begin_part = "SAVEPOINT part";
constexpr SqlText k_keep_part = "RELEASE SAVEPOINT part";
constexpr SqlText k_undo_part = "ROLLBACK TO SAVEPOINT part";

/// After a login that failed the next is not tried for this long: calls answer at once meanwhile.
constexpr std::chrono::milliseconds k_login_pause{300};

class PostgresConnection final : public Connection {
public:
    PostgresConnection(ConnectionOptions options, std::unique_ptr<Session> session)
        : options_(std::move(options)) {
        use(std::move(session));
    }

    Result<> begin(Access access) override;
    Result<> commit() override;
    void rollback() noexcept override;
    bool in_transaction() const noexcept override { return running_; }

    Result<> begin_part() override { return queue(k_begin_part); }
    Result<> keep_part() override;
    Result<> undo_part() override;

    Result<std::int64_t> execute(SqlText sql, std::span<const Value> values) override;
    Result<> execute_later(SqlText sql, std::span<const Value> values) override;
    Result<std::vector<std::vector<Cell>>> query(SqlText sql,
                                                 std::span<const Value> values) override;
    Result<> run_migration(std::string_view ddl) override;
    Result<> purge(Purge how, Deadline deadline) override;
    Result<> check_integrity() override;

private:
    Result<> ensure_session();
    void use(std::unique_ptr<Session> session);
    Result<> queue(SqlText sql);
    Result<Reply> ask(SqlText sql, std::span<const Value> values, Wire::Want want);
    Result<Reply> exchange();
    /// Behind a statement that fails the server skips what is queued, also what would undo it.
    Result<> tell_unseen();
    /// What an error leaves of the transaction.
    Error after(Error error);
    Result<> find_out();

    ConnectionOptions options_;
    std::unique_ptr<Session> session_;
    Deadline next_login_ = Deadline::in(std::chrono::milliseconds(0));
    Access access_ = Access::write;  // of the running transaction
    bool running_ = false;
    bool unseen_ = false;  // statements were queued whose success nobody has seen
    Reply number_;         // of the running transaction, once its begin was answered
    ServerIdentity begun_on_;
};

Result<> PostgresConnection::ensure_session() {
    if (session_ && session_->alive()) return {};
    session_.reset();
    if (!next_login_.passed()) return fail(StoreError::unreachable, "was tried a moment ago");
    auto session = Session::open(options_);
    if (!session) {
        next_login_ = Deadline::in(k_login_pause);
        auto& error = session.error();
        if (!error.is(StoreError::connection_lost)) return fail(std::move(error));
        return fail(StoreError::unreachable, error.detail());
    }
    log(LogLevel::info, "store_connected_again",
        {LogField::sanitised("schema", schema_of(options_.kind))});
    use(std::move(*session));
    return {};
}

void PostgresConnection::use(std::unique_ptr<Session> session) {
    session_ = std::move(session);
    options_.former = session_->backend();
}

Result<> PostgresConnection::begin(Access access) {
    if (auto ready = ensure_session(); !ready) return ready;
    access_ = access;
    begun_on_ = session_->identity();
    number_ = {};
    unseen_ = false;
    running_ = true;
    // Nothing is waited for: it goes out with the first statement.
    if (access == Access::read) return queue(k_begin_read);
    if (auto done = queue(k_begin_write); !done) return done;
    return session_->queue(k_number, {}, Wire::Want::rows, &number_);
}

Result<> PostgresConnection::queue(SqlText sql) {
    return session_->queue(sql, {}, Wire::Want::nothing);
}

Error PostgresConnection::after(Error error) {
    if (error.is(StoreError::connection_lost)) {
        session_.reset();
        running_ = false;
    } else if (error.is(StoreError::overtaken)) {
        rollback();
    }
    return error;
}

Result<Reply> PostgresConnection::exchange() {
    auto reply = session_->exchange(access_);
    unseen_ = false;
    if (!reply) return fail(after(std::move(reply.error())));
    return reply;
}

Result<Reply> PostgresConnection::ask(SqlText sql, std::span<const Value> values, Wire::Want want) {
    if (!session_) return fail(StoreError::connection_lost);
    if (auto done = session_->queue(sql, values, want); !done) return fail(std::move(done.error()));
    return exchange();
}

Result<std::int64_t> PostgresConnection::execute(SqlText sql, std::span<const Value> values) {
    POSTERN_TRY(const auto reply, ask(sql, values, Wire::Want::changes));
    return reply.changed;
}

Result<> PostgresConnection::execute_later(SqlText sql, std::span<const Value> values) {
    if (!session_) return fail(StoreError::connection_lost);
    if (auto done = session_->queue(sql, values, Wire::Want::changes); !done) return done;
    unseen_ = true;
    if (!session_->full()) return {};
    if (auto done = exchange(); !done) return fail(std::move(done.error()));
    return {};
}

Result<std::vector<std::vector<Cell>>> PostgresConnection::query(SqlText sql,
                                                                 std::span<const Value> values) {
    POSTERN_TRY(auto reply, ask(sql, values, Wire::Want::rows));
    return std::move(reply.rows);
}

Result<> PostgresConnection::tell_unseen() {
    if (!unseen_) return {};
    auto told = exchange();
    if (!told) return fail(std::move(told.error()));
    return {};
}

Result<> PostgresConnection::keep_part() {
    if (auto done = queue(k_keep_part); !done) return done;
    return tell_unseen();
}

Result<> PostgresConnection::undo_part() {
    if (auto told = tell_unseen(); !told && !running_) return told;
    if (auto done = queue(k_undo_part); !done) return done;
    return queue(k_keep_part);
}

Result<> PostgresConnection::commit() {
    // The number must be known before the commit goes out.
    if (access_ == Access::write && number_.rows.empty()) {
        if (auto begun = exchange(); !begun) {
            rollback();
            return fail(std::move(begun.error()));
        }
    }
    if (auto done = queue(k_commit); !done) return done;
    auto done = session_->exchange(access_);
    unseen_ = false;
    if (done) {
        running_ = false;
        return {};
    }
    if (!done.error().is(StoreError::connection_lost)) {
        rollback();
        return fail(std::move(done.error()));
    }
    running_ = false;
    session_.reset();
    // What was read is whole: it came from one snapshot.
    if (access_ == Access::read) return {};
    return find_out();
}

/// The connection broke during the commit. While the store was taken again the old session has
/// ended, so that the answer is final.
Result<> PostgresConnection::find_out() {
    const auto deadline = Deadline::in(2 * options_.busy_timeout);
    auto session = Session::open(options_);
    while (!session && !deadline.passed()) {
        pause(k_login_pause);
        session = Session::open(options_);
    }
    if (!session) return fail(StoreError::outcome_unknown, session.error().detail());
    use(std::move(*session));
    // A transaction number of another server, or of one that was promoted since, means another one.
    if (session_->identity() != begun_on_) {
        return fail(StoreError::outcome_unknown, "another server answers now");
    }
    const auto* number = text_at(number_, 0, 0);
    if (number == nullptr) return fail(StoreError::outcome_unknown);
    const std::array<Value, 1> values = {Clear::text(*number)};
    auto reply = session_->ask(k_outcome, values, Wire::Want::rows);
    if (!reply) return fail(StoreError::outcome_unknown);
    const auto* outcome = text_at(*reply, 0, 0);
    if (outcome != nullptr && *outcome == "committed") return {};
    if (outcome != nullptr && *outcome == "aborted") return fail(StoreError::connection_lost);
    return fail(StoreError::outcome_unknown);
}

void PostgresConnection::rollback() noexcept {
    const bool running = std::exchange(running_, false);
    if (!running || !session_ || !session_->alive()) return;
    if (std::exchange(unseen_, false)) (void)session_->exchange(access_);
    // In a session that keeps the transaction every later one would fail.
    if (!queue(k_rollback) || !session_->exchange(access_)) session_.reset();
}

Result<> PostgresConnection::run_migration(std::string_view ddl) {
    if (!session_) return fail(StoreError::connection_lost);
    // What is queued (the begin) goes first: a script cannot stand in a pipeline.
    if (!session_->nothing_queued()) {
        if (auto done = exchange(); !done) return fail(std::move(done.error()));
    }
    auto done = session_->run_text(ddl_of(ddl, options_.kind));
    if (!done) return fail(after(std::move(done.error())));
    return {};
}

Result<> PostgresConnection::purge(Purge how, Deadline deadline) {
    if (auto ready = ensure_session(); !ready) return ready;
    return postgres::purge(*session_, options_, how, deadline);
}

Result<> PostgresConnection::check_integrity() {
    if (auto ready = ensure_session(); !ready) return ready;
    return read_every_row(*session_, options_.kind);
}

}  // namespace

Result<std::unique_ptr<Connection>> connect(const ConnectionOptions& options) {
    auto first = options;
    first.must_fit = options.must_fit || options.access == Access::write;
    POSTERN_TRY(auto session, Session::open(first));
    if (options.access == Access::write) {
        if (auto ready = ready_schema(*session, options); !ready) {
            return fail(std::move(ready.error()));
        }
    }
    auto kept = options;
    kept.must_fit = false;
    return std::make_unique<PostgresConnection>(std::move(kept), std::move(session));
}

}  // namespace postern::store::postgres
