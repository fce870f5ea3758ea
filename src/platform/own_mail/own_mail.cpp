#include "platform/own_mail/own_mail.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/own_mail/own_mail_store.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace postern::own_mail {
namespace {

constexpr auto k_column = store::data_map::store::own_mails::letter.value;
constexpr std::size_t k_id_bytes = 16;
constexpr std::int64_t k_at_once = 20;
constexpr std::int64_t k_pause_first_ms = 60'000;
constexpr std::int64_t k_pause_max_ms = 3'600'000;
/// Looked at again at the latest.
constexpr std::int64_t k_look_ms = 60'000;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

std::int64_t pause_ms(std::int64_t attempts) {
    constexpr std::int64_t k_doublings_max = 6;
    return std::min(k_pause_first_ms << std::min(attempts, k_doublings_max), k_pause_max_ms);
}

}  // namespace

OwnMail::OwnMail(Parts parts, const boost::asio::any_io_executor& executor)
    : parts_(parts), signal_(executor) {}

async::Task<Enclosed> OwnMail::enclose(Letter letter) {
    if (!is_set_up()) co_return Enclosed();
    QueuedRow row;
    row.id = crypto::random_bytes(k_id_bytes);
    row.created_at_ms = row.next_at_ms = parts_.clock.now_ms();
    auto content = keys::encode_record(letter);
    // It may hold a link that lets somebody in.
    wipe(letter.text.data(), letter.text.size());
    auto sealed = co_await keys::seal_record(&parts_.keeper, k_installation, k_column, row.id,
                                             std::move(content), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    row.letter = store::SealedBytes(std::move(*sealed));
    co_return Enclosed(std::move(row));
}

Result<> OwnMail::put(store::Transaction& tx, const Enclosed& enclosed) {
    if (!enclosed) return {};
    POSTERN_TRY(const auto waiting, rows::count(tx));
    if (waiting >= k_waiting_max) {
        log(LogLevel::warning, "own_mail_not_queued", {{"waiting", waiting}});
        return {};
    }
    return rows::insert(tx, *enclosed);
}

async::Task<> OwnMail::carry(Bytes id, store::SealedBytes sealed) {
    auto opened =
        co_await keys::open_record(&parts_.keeper, k_installation, k_column, std::move(id),
                                   std::move(sealed).take(), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    auto letter = keys::decode_record<Letter>(*opened);
    wipe(opened->data(), opened->size());
    if (!letter) co_return fail(std::move(letter.error()));
    co_return co_await parts_.carrier->carry(std::move(*letter));
}

async::Task<> OwnMail::hand_over(QueuedRow row) {
    // One that cannot be opened waits as one that cannot be carried: the next has its turn.
    auto carried = co_await carry(row.id, std::move(row.letter));
    if (!carried && carried.error().is(async::AsyncError::cancelled)) {
        co_return fail(std::move(carried.error()));
    }
    const auto now = parts_.clock.now_ms();
    const bool is_over = carried || carried.error().is(CarryError::refused) ||
                         now - row.created_at_ms >= k_tried_s * 1000;
    if (!carried) {
        log(LogLevel::warning, is_over ? "own_mail_given_up" : "own_mail_waits",
            {{"attempts", row.attempts + 1}, {"error", carried.error()}});
    }
    const auto next = now + pause_ms(row.attempts);
    const auto note = [id = std::move(row.id), is_over, next](store::Transaction& tx) {
        return is_over ? rows::remove(tx, id) : rows::postpone(tx, id, next);
    };
    co_return co_await parts_.database.write(note);
}

async::Task<std::optional<UnixMs>> OwnMail::hand_over_due() {
    const auto now = parts_.clock.now_ms();
    const auto load = [now](store::Transaction& tx) { return rows::due(tx, now, k_at_once); };
    while (true) {
        auto found = co_await parts_.database.read(load);
        if (!found) co_return fail(std::move(found.error()));
        for (auto& row : *found) {
            auto handed = co_await hand_over(std::move(row));
            if (!handed) co_return fail(std::move(handed.error()));
        }
        if (found->empty()) break;
    }
    const auto look = [](store::Transaction& tx) { return rows::next_due(tx); };
    co_return co_await parts_.database.read(look);
}

async::Job OwnMail::run() {
    if (!is_set_up()) co_return;
    while (true) {
        const auto next = co_await hand_over_due();
        if (!next && next.error().is(async::AsyncError::cancelled)) co_return;
        if (!next) log(LogLevel::warning, "own_mail_not_looked_at", {{"error", next.error()}});
        const auto latest = parts_.clock.now_ms() + k_look_ms;
        const auto due = next && *next ? std::min(**next, latest) : latest;
        const auto left = std::max<std::int64_t>(due - parts_.clock.now_ms(), 0);
        auto waited = co_await signal_.wait(Deadline::in(std::chrono::milliseconds(left)));
        if (!waited && waited.error().is(async::AsyncError::cancelled)) co_return;
    }
}

}  // namespace postern::own_mail
