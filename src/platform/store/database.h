#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/store/migration.h"
#include "platform/store/server.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern::store {

namespace detail {
template <typename T>
inline constexpr bool k_holds_rows = std::same_as<T, Row> || std::same_as<T, std::vector<Row>> ||
                                     std::same_as<T, std::optional<Row>>;
template <typename T>
inline constexpr bool k_is_result = false;
template <typename T>
inline constexpr bool k_is_result<Result<T>> = !k_holds_rows<T>;
}  // namespace detail

/// `Result<T> body(Transaction&)`; T holds decoded values, never rows.
template <typename F>
concept Body =
    std::invocable<F&, Transaction&> && detail::k_is_result<std::invoke_result_t<F&, Transaction&>>;
template <Body F>
using BodyValue = typename std::invoke_result_t<F&, Transaction&>::value_type;

/// One open store. Reads run on a few threads, each on a snapshot; writes one after the other on
/// one thread, and are answered only when they are durable. Concurrent small writes share a
/// commit. A body has no effect outside its transaction, which may still be rolled back, and owns
/// what it uses: when its caller is cancelled, what was queued still runs.
///
/// Executor: any coroutine; the _now calls block and are for keeper, tools and tests.
/// Lifetime: outlives every coroutine that waits for it.
class Database {
public:
    struct Options {
        StoreKind kind = StoreKind::store;
        /// Relative to the working directory, which must not change afterwards. Unused with
        /// a server.
        std::string file = "store.db";
        /// Where the store lies on PostgreSQL instead of in a file.
        std::optional<Server> server = std::nullopt;
        bool create = false;
        /// On a server: creating is refused where there is a store. Errors: not_empty.
        bool only_new = false;
        /// 0: no threads at all; every call works on the caller's.
        std::size_t readers = 2;
        std::size_t queue_max = 1000;
        std::chrono::milliseconds busy_timeout{5000};
        /// Default: the embedded ones of the kind.
        std::optional<std::span<const Migration>> migrations = std::nullopt;
        /// Default: the system's. Lifetime: until open() returned.
        const Clock* clock = nullptr;
    };

    /// Takes the lock `FILE.lock`, or the server's, and brings the schema up to date. Errors:
    /// in_use, not_found, not_a_store, corrupt, newer_version, migration_changed, migration_failed,
    /// disk_full, io_failed; on a server also unreachable, login_refused, not_permitted,
    /// unsuitable, no_library.
    [[nodiscard]] static Result<std::unique_ptr<Database>> open(const Options& options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    template <Body F>
    [[nodiscard]] async::Task<BodyValue<F>> read(F body);
    template <Body F>
    [[nodiscard]] async::Task<BodyValue<F>> write(F body);
    template <Body F>
    [[nodiscard]] Result<BodyValue<F>> read_now(F body);
    template <Body F>
    [[nodiscard]] Result<BodyValue<F>> write_now(F body);

    /// Removes what was deleted from the write-ahead log, too, and verifies that it is empty:
    /// afterwards no file of the store holds it. Waits for readers. Errors: busy, io_failed.
    [[nodiscard]] async::Task<> checkpoint_truncate();
    [[nodiscard]] Result<> checkpoint_truncate_now();
    /// Reads every page. Errors: corrupt.
    [[nodiscard]] Result<> check_integrity_now();

    /// Waits for what runs, writes the log back and lets go of the file; later calls answer
    /// StoreError::closed.
    void close();

private:
    struct State;
    using ErasedBody = std::function<Result<>(Transaction&)>;

    explicit Database(std::unique_ptr<State> state);
    [[nodiscard]] Result<> run_read(const ErasedBody& body);
    [[nodiscard]] Result<> run_write(const ErasedBody& body);
    [[nodiscard]] async::Task<> queue_read(ErasedBody body);
    [[nodiscard]] async::Task<> queue_write(ErasedBody body);

    std::unique_ptr<State> state_;
};

namespace detail {

/// A body and its outcome, so that one untyped path carries every T.
template <Body F>
struct Call {
    explicit Call(F f) : body(std::move(f)) {}
    F body;
    std::optional<Result<BodyValue<F>>> outcome;

    Result<> operator()(Transaction& transaction) {
        outcome.emplace(body(transaction));
        if (!*outcome) return fail(outcome->error());
        return {};
    }
    Result<BodyValue<F>> answer(Result<> ran) {
        if (!ran) return fail(std::move(ran.error()));
        if (!outcome) return fail(StoreError::body_threw);
        return std::move(*outcome);
    }
};

}  // namespace detail

template <Body F>
Result<BodyValue<F>> Database::read_now(F body) {
    detail::Call<F> call(std::move(body));
    return call.answer(run_read(std::ref(call)));
}

template <Body F>
Result<BodyValue<F>> Database::write_now(F body) {
    detail::Call<F> call(std::move(body));
    return call.answer(run_write(std::ref(call)));
}

template <Body F>
async::Task<BodyValue<F>> Database::read(F body) {
    const auto call = std::make_shared<detail::Call<F>>(std::move(body));
    ErasedBody erased = [call](Transaction& transaction) { return (*call)(transaction); };
    auto ran = co_await queue_read(std::move(erased));
    co_return call->answer(std::move(ran));
}

template <Body F>
async::Task<BodyValue<F>> Database::write(F body) {
    const auto call = std::make_shared<detail::Call<F>>(std::move(body));
    ErasedBody erased = [call](Transaction& transaction) { return (*call)(transaction); };
    auto ran = co_await queue_write(std::move(erased));
    co_return call->answer(std::move(ran));
}

}  // namespace postern::store
