#include "platform/store/postgres/wire.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/postgres/server_words.h"
#include "platform/store/postgres/sqlstate.h"
#include "platform/store/store_error.h"
#include "platform/store/value.h"

#include <poll.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace postern::store::postgres {

namespace {

constexpr std::size_t k_commands_max = 1000;
constexpr std::size_t k_command_bytes_max = 8U << 20U;
constexpr std::size_t k_flush_at = 64U << 10U;

/// PostgreSQL takes integers with their highest byte first.
std::array<char, 8> wire_form(std::int64_t number) {
    std::array<char, 8> bytes{};
    auto rest = static_cast<std::uint64_t>(number);
    for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, rest >>= 8U)
        *at = static_cast<char>(rest & 0xffU);
    return bytes;
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
    auto why = server_words(pq_->error_message(connection_.get()));
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

/// All results of one command.
Result<> Wire::take(const Expected& expected, Access access, Deadline deadline, Reply& reply) {
    Result<> outcome;
    reply = {};
    ReplyReader reader(*pq_);
    // One row a result, so that an answer over the limits is never in memory as a whole.
    if (expected.want != Want::nothing) pq_->set_single_row_mode(connection_.get());
    while (const auto result = next(deadline)) {
        switch (pq_->result_status(result.get())) {
            case PGRES_SINGLE_TUPLE:
            case PGRES_TUPLES_OK:
                if (!outcome || expected.want != Want::rows) break;
                outcome = reader.add_rows(result.get(), reply);
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

Result<> Wire::run_text(const std::string& sql, Deadline deadline) {
    if (!alive_ || pq_->exit_pipeline(connection_.get()) != 1) return lost();
    if (pq_->send_query(connection_.get(), sql.c_str()) != 1) return lost();
    // So that libpq never holds more rows than one, whatever the server sends.
    pq_->set_single_row_mode(connection_.get());
    Result<> outcome;
    while (const auto result = next(deadline)) {
        const auto status = pq_->result_status(result.get());
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
        if (!good && outcome) outcome = fail(error_of(*pq_, result.get(), Access::write));
        if (pq_->status(connection_.get()) == CONNECTION_BAD) alive_ = false;
    }
    if (!alive_ || pq_->enter_pipeline(connection_.get()) != 1) return lost();
    return outcome;
}

}  // namespace postern::store::postgres
