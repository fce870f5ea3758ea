#include "platform/store/postgres/wire.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/sqlstate.h"
#include "platform/store/row.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <poll.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store::postgres {

namespace {

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

constexpr std::size_t k_commands_max = 1000;
constexpr std::size_t k_command_bytes_max = 8U << 20U;
constexpr std::size_t k_flush_at = 64U << 10U;

/// PostgreSQL sends and takes integers of 2, 4 or 8 bytes, the highest first.
std::int64_t integer_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (const char byte : bytes)
        number = number << 8U | static_cast<std::uint8_t>(byte);
    const auto unused_bits = 64 - 8 * bytes.size();
    return static_cast<std::int64_t>(number << unused_bits) >> unused_bits;
}

std::array<char, 8> wire_form(std::int64_t number) {
    std::array<char, 8> bytes{};
    auto rest = static_cast<std::uint64_t>(number);
    for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, rest >>= 8U)
        *at = static_cast<char>(rest & 0xffU);
    return bytes;
}

Cell cell_of(Oid type, std::string_view bytes) {
    switch (type) {
        case k_int8:
        case k_int4:
        case k_int2: return integer_of(bytes);
        case k_bool: return std::int64_t{bytes[0] != 0};
        case k_bytea: return to_bytes(bytes);
        case k_text:
        case k_varchar:
        case k_name:
        case k_unknown: return std::string(bytes);
        // Nothing of ours has another type; as NULL it fails every getter but is_null.
        default: return std::monostate();
    }
}

/// What libpq wants of the values; it copies them while sending.
struct Parameters {
    explicit Parameters(std::span<const Value> all);

    std::vector<std::array<char, 8>> integers;
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    std::size_t bytes = 0;

private:
    void add(const char* data, std::size_t size);
};

void Parameters::add(const char* data, std::size_t size) {
    // Nothing is NULL for libpq, an empty view is not.
    values.push_back(data == nullptr ? "" : data);
    lengths.push_back(static_cast<int>(size));
    bytes += size;
}

Parameters::Parameters(std::span<const Value> all) : formats(all.size(), 1) {
    integers.reserve(all.size());
    values.reserve(all.size());
    lengths.reserve(all.size());
    for (const auto& value : all) {
        const auto& content = value.content();
        if (const auto* number = std::get_if<std::int64_t>(&content)) {
            integers.push_back(wire_form(*number));
            add(integers.back().data(), integers.back().size());
        } else if (const auto* text = std::get_if<std::string_view>(&content)) {
            add(text->data(), text->size());
        } else if (const auto* blob = std::get_if<ByteView>(&content)) {
            add(as_text(*blob).data(), blob->size());
        } else {
            values.push_back(nullptr);
            lengths.push_back(0);
        }
    }
}

}  // namespace

Types types_of(std::span<const Value> values) {
    Types types;
    types.reserve(values.size());
    for (const auto& value : values) {
        constexpr std::array<Oid, 4> k_by_content = {0, k_int8, k_text, k_bytea};
        types.push_back(k_by_content[value.content().index()]);
    }
    return types;
}

Wire::Wire(const Libpq& pq, ConnectionHandle connection)
    : pq_(&pq), connection_(std::move(connection)) {
    alive_ = pq_->set_nonblocking(connection_.get(), 1) == 0 &&
             pq_->enter_pipeline(connection_.get()) == 1;
}

std::unexpected<Error> Wire::lost() {
    std::string why(pq_->error_message(connection_.get()));
    why.resize(std::min(why.find('\n'), why.size()));
    alive_ = false;
    queue_.clear();
    queued_bytes_ = 0;
    return fail(StoreError::connection_lost, std::move(why));
}

bool Wire::full() const {
    return queue_.size() >= k_commands_max || queued_bytes_ >= k_command_bytes_max;
}

void Wire::sent(int code, Expected expected, std::size_t bytes) {
    if (code != 1) alive_ = false;
    queue_.push_back(expected);
    const auto before = queued_bytes_ / k_flush_at;
    queued_bytes_ += bytes;
    // So that the server works while more is queued.
    if (queued_bytes_ / k_flush_at != before && pq_->flush(connection_.get()) < 0) alive_ = false;
}

void Wire::prepare(const std::string& name, std::string_view sql, const Types& types, bool* known) {
    const std::string text(sql);
    const int code = pq_->send_prepare(connection_.get(), name.c_str(), text.c_str(),
                                       static_cast<int>(types.size()), types.data());
    sent(code, {.want = Want::nothing, .known = known, .into = nullptr}, text.size());
}

void Wire::execute(const std::string& name, std::span<const Value> values, Want want, Reply* into) {
    const Parameters p(values);
    const int code =
        pq_->send_prepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                           p.values.data(), p.lengths.data(), p.formats.data(), 1);
    sent(code, {.want = want, .known = nullptr, .into = into}, p.bytes + name.size());
}

/// Writes what can be written and reads what there is; waits for either. False: gone, or too late.
bool Wire::pump(Deadline deadline) {
    const int left = pq_->flush(connection_.get());
    if (left < 0) return false;
    struct pollfd ready{};
    ready.fd = pq_->socket(connection_.get());
    ready.events = static_cast<short>(POLLIN | (left > 0 ? POLLOUT : 0));
    if (deadline.passed()) return false;
    const auto wait_ms = std::min<std::int64_t>(deadline.left().count() + 1, 60'000);
    const int count = ::poll(&ready, 1, static_cast<int>(wait_ms));
    if (count < 0) return errno == EINTR;
    if (count == 0) return true;
    return (ready.revents & ~POLLOUT) == 0 || pq_->consume_input(connection_.get()) == 1;
}

bool Wire::wait_for_answer(Deadline deadline) {
    while (pq_->is_busy(connection_.get()) == 1) {
        if (!pump(deadline)) return false;
    }
    return true;
}

ResultHandle Wire::next(Deadline deadline) {
    // What libpq has read before the server went is still to be had: perhaps why it went.
    const bool answered = wait_for_answer(deadline);
    if (!answered) alive_ = false;
    return {answered || pq_->status(connection_.get()) == CONNECTION_BAD
                ? pq_->get_result(connection_.get())
                : nullptr,
            ClearResult{pq_}};
}

void Wire::cancel() {
    PGcancel* const handle = pq_->get_cancel(connection_.get());
    std::array<char, 256> why{};
    if (handle != nullptr) pq_->cancel(handle, why.data(), static_cast<int>(why.size()));
    pq_->free_cancel(handle);
}

Result<> Wire::collect(const PGresult* result, Reply& reply) {
    const int rows = pq_->rows(result);
    const int columns = pq_->columns(result);
    for (int row = 0; row < rows; ++row) {
        if (reply.rows.size() == k_rows_max) return fail(StoreError::too_many_rows);
        auto& cells = reply.rows.emplace_back();
        cells.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            if (pq_->is_null(result, row, column) == 1) {
                cells.emplace_back();
                row_bytes_ += sizeof(Cell);
                continue;
            }
            const std::string_view bytes(
                pq_->value(result, row, column),
                static_cast<std::size_t>(pq_->length(result, row, column)));
            cells.push_back(cell_of(pq_->type(result, column), bytes));
            row_bytes_ += bytes.size();
        }
        if (row_bytes_ > k_rows_bytes_max) return fail(StoreError::too_many_rows);
    }
    return {};
}

/// All results of one command.
Result<> Wire::take(const Expected& expected, Access access, Deadline deadline, Reply& reply) {
    Result<> outcome;
    reply = {};
    row_bytes_ = 0;
    // One row a result, so that an answer over the limits is never in memory as a whole.
    if (expected.want != Want::nothing) pq_->set_single_row_mode(connection_.get());
    while (const auto result = next(deadline)) {
        switch (pq_->result_status(result.get())) {
            case PGRES_SINGLE_TUPLE:
            case PGRES_TUPLES_OK:
                if (!outcome || expected.want != Want::rows) break;
                outcome = collect(result.get(), reply);
                if (!outcome) cancel();
                break;
            case PGRES_COMMAND_OK:
                if (expected.known != nullptr) *expected.known = true;
                break;
            case PGRES_EMPTY_QUERY:
                if (outcome) outcome = fail(StoreError::bad_statement, "no statement");
                break;
            case PGRES_PIPELINE_ABORTED:
                if (outcome) outcome = fail(StoreError::io_failed, "skipped");
                break;
            default:
                if (outcome) outcome = fail(error_of(*pq_, result.get(), access));
                break;
        }
        if (!std::string_view(pq_->command(result.get())).starts_with("SELECT")) {
            const std::string_view changed = pq_->changed(result.get());
            std::from_chars(changed.begin(), changed.end(), reply.changed);
        }
        if (pq_->status(connection_.get()) == CONNECTION_BAD) alive_ = false;
    }
    return outcome;
}

Result<Reply> Wire::exchange(Access access, Deadline deadline) {
    if (!alive_ || pq_->pipeline_sync(connection_.get()) != 1) return lost();
    std::optional<Error> first;
    Reply reply;
    while (!queue_.empty()) {
        const auto expected = queue_.front();
        queue_.pop_front();
        auto taken = take(expected, access, deadline, reply);
        if (!taken && !first) first = std::move(taken.error());
        if (taken && expected.into != nullptr) *expected.into = reply;
        if (!alive_) break;
    }
    queued_bytes_ = 0;
    if (alive_) {
        const auto end = next(deadline);
        alive_ = alive_ && end && pq_->result_status(end.get()) == PGRES_PIPELINE_SYNC;
    }
    if (!alive_) return lost();
    if (first) return fail(std::move(*first));
    return reply;
}

Result<std::vector<std::vector<std::string>>> Wire::run_text(const std::string& sql,
                                                             Deadline deadline) {
    if (!alive_ || pq_->exit_pipeline(connection_.get()) != 1) return lost();
    if (pq_->send_query(connection_.get(), sql.c_str()) != 1) return lost();
    std::vector<std::vector<std::string>> rows;
    Result<> outcome;
    while (const auto result = next(deadline)) {
        const auto status = pq_->result_status(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && outcome) {
            outcome = fail(error_of(*pq_, result.get(), Access::write));
        }
        rows.clear();
        for (int row = 0; row < pq_->rows(result.get()); ++row) {
            auto& cells = rows.emplace_back();
            for (int column = 0; column < pq_->columns(result.get()); ++column)
                cells.emplace_back(pq_->value(result.get(), row, column));
        }
        if (pq_->status(connection_.get()) == CONNECTION_BAD) alive_ = false;
    }
    if (!alive_ || pq_->enter_pipeline(connection_.get()) != 1) return lost();
    if (!outcome) return fail(std::move(outcome.error()));
    return rows;
}

}  // namespace postern::store::postgres
