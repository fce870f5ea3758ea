#include "platform/store/database.h"

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/store/admission.h"
#include "platform/store/connection.h"
#include "platform/store/connection_pool.h"
#include "platform/store/lock_file.h"
#include "platform/store/migration.h"
#include "platform/store/move.h"
#include "platform/store/opening.h"
#include "platform/store/run_transaction.h"
#include "platform/store/store_error.h"
#include "platform/store/write_queue.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace postern::store {

namespace {

/// How long emptying the log waits for readers of old snapshots.
constexpr std::chrono::seconds k_checkpoint_wait{10};

}  // namespace

/// Members go in reverse: first the threads, then the connections, last the lock.
struct Database::State {
    State(std::optional<LockFile> taken,
          const Options& options,
          std::unique_ptr<Connection> connection)
        : lock(std::move(taken)),
          kind(options.kind),
          admission(options.queue_max),
          writer(std::move(connection)) {}
    std::optional<LockFile> lock;
    StoreKind kind;
    Admission admission;
    WriteQueue writer;
    ConnectionPool readers;
    std::unique_ptr<async::BlockingPool> write_thread;
    std::unique_ptr<async::BlockingPool> read_threads;
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}

Database::~Database() {
    close();
}

Result<std::unique_ptr<Database>> Database::open(const Options& options) {
    POSTERN_TRY(auto opened, open_store(options));
    POSTERN_TRY(const bool half, is_unfinished(*opened.writer, options));
    if (half) return fail(MoveError::unfinished);
    auto state = std::make_unique<State>(std::move(opened.lock), options, std::move(opened.writer));
    for (std::size_t i = 0; i < options.readers; ++i) {
        POSTERN_TRY(auto reader, open_reader(options));
        state->readers.add(std::move(reader));
    }
    if (options.readers > 0) {
        using Pool = async::BlockingPool;
        state->write_thread =
            std::make_unique<Pool>(Pool::Options{.threads = 1, .queue_max = options.queue_max});
        state->read_threads = std::make_unique<Pool>(
            Pool::Options{.threads = options.readers, .queue_max = options.queue_max});
    }
    return std::unique_ptr<Database>(new Database(std::move(state)));
}

Result<> Database::run_read(const ErasedBody& body) {
    // Without readers the one connection serves both, still unable to write.
    if (!state_->read_threads) return state_->writer.run_alone(Access::read, body);
    auto reader = state_->readers.borrow();
    if (!reader) return fail(StoreError::closed);
    return run_transaction(*reader, Access::read, body);
}

Result<> Database::run_write(const ErasedBody& body) {
    return state_->writer.run_alone(Access::write, body);
}

async::Task<> Database::queue_read(ErasedBody body) {
    if (!state_->read_threads) co_return run_read(body);
    auto work = [this, body = std::move(body)] { return run_read(body); };
    auto ran = co_await state_->read_threads->run(std::move(work));
    co_return ran;
}

async::Task<> Database::queue_write(ErasedBody body) {
    if (!state_->write_thread) co_return run_write(body);
    // A body that is queued will run: so the thread's own queue must never be the one to refuse.
    const auto place = state_->admission.enter();
    if (!place) co_return fail(StoreError::busy);
    const auto ticket = state_->writer.enter(std::move(body));
    auto work = [this, ticket, place] { return state_->writer.serve(*ticket); };
    auto ran = co_await state_->write_thread->run(std::move(work));
    co_return ran;
}

Result<> Database::checkpoint_truncate_now() {
    // What was destroyed in the keyring must be gone, not only unreachable.
    const auto how = state_->kind == StoreKind::keyring ? Purge::rewrite : Purge::log_only;
    return state_->writer.with_connection([how](Connection& connection) {
        return connection.purge(how, Deadline::in(k_checkpoint_wait));
    });
}

async::Task<> Database::checkpoint_truncate() {
    if (!state_->write_thread) co_return checkpoint_truncate_now();
    const auto place = state_->admission.enter();
    if (!place) co_return fail(StoreError::busy);
    auto work = [this, place] { return checkpoint_truncate_now(); };
    auto ran = co_await state_->write_thread->run(std::move(work));
    co_return ran;
}

Result<> Database::check_integrity_now() {
    return state_->writer.with_connection(
        [](Connection& connection) { return connection.check_integrity(); });
}

void Database::close() {
    state_->readers.close();
    state_->writer.close();
    state_->lock.reset();
}

}  // namespace postern::store
