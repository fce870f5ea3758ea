#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/postgres_connection.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/statements.h"
#include "platform/store/postgres/wire.h"
#include "platform/store/sql_text.h"
#include "platform/store/value.h"

#include <memory>
#include <span>
#include <string>

namespace postern::store::postgres {

/// One login, with everything set that a connection of ours needs.
class Session {
public:
    /// Errors: as connect()'s, but for not_found and not_a_store.
    [[nodiscard]] static Result<std::unique_ptr<Session>> open(const ConnectionOptions& options);

    [[nodiscard]] bool alive() const { return wire_.alive(); }
    [[nodiscard]] const ServerIdentity& identity() const { return backend_.server; }
    [[nodiscard]] const Backend& backend() const { return backend_; }

    /// Does not wait for the answer; a failure is that of the next exchange.
    [[nodiscard]] Result<> queue(SqlText sql,
                                 std::span<const Value> values,
                                 Wire::Want want,
                                 Reply* into = nullptr);
    [[nodiscard]] bool nothing_queued() const { return wire_.idle(); }
    [[nodiscard]] bool full() const { return wire_.full(); }
    /// Sends what is queued; the answer to the last of it.
    [[nodiscard]] Result<Reply> exchange(Access access);
    [[nodiscard]] Result<Reply> ask(SqlText sql, std::span<const Value> values, Wire::Want want);
    [[nodiscard]] Result<> run_text(const std::string& sql, Deadline deadline);
    [[nodiscard]] Result<> run_text(const std::string& sql);

private:
    explicit Session(Wire wire) : wire_(std::move(wire)) {}
    [[nodiscard]] Result<> prepare(const ConnectionOptions& options);
    [[nodiscard]] Result<> take_store(const ConnectionOptions& options);
    [[nodiscard]] Result<> check_cluster(const ConnectionOptions& options);
    [[nodiscard]] Result<> learn_identity();
    [[nodiscard]] Result<> end(const Backend& former);

    Wire wire_;
    Statements statements_;
    Backend backend_;
};

/// Makes the store's schema where there is none and that was asked for, before anything is written.
/// Errors: not_found, not_a_store, not_empty.
[[nodiscard]] Result<> ready_schema(Session& session, const ConnectionOptions& options);

}  // namespace postern::store::postgres
