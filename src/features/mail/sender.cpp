#include "features/mail/sender.h"

#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/send_outcome.h"
#include "features/mail/send_places.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

/// One page of what is due: where all of it waits for a host that hangs, the next one is read.
constexpr rows::DueLimits k_due{.in_all = 1024, .of_one_integration = 8, .passed_over = 0};
constexpr std::int64_t k_wait_for_person_s = 24 * 3600;

Deadline send_deadline() {
    return Deadline::in(k_send_max);
}

}  // namespace

Sender::Sender(Parts parts, RetryPolicy policy)
    : parts_(parts),
      policy_(policy),
      vault_(parts.keeper),
      learned_(parts),
      wake_(parts.jobs.executor()) {}

/// The message of a row that is unknown now.
Result<> Sender::become_unknown(store::Transaction& tx, const rows::OutboxRow& row) {
    auto set = rows::set_message_state(tx, row.workspace, row.message, MessageState::unknown,
                                       "interrupted");
    if (!set) return set;
    POSTERN_TRY(const auto message, rows::load_message(tx, row.workspace, row.message));
    return parts_.events.append(
        tx, row.workspace,
        message_event("message.state", message.thread, message.id, MessageState::unknown));
}

async::Task<> Sender::recover() {
    const auto now = parts_.clock.now_ms();
    const auto body = [this, now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto uncertain, rows::recover_outbox(tx, now));
        for (const auto& row : uncertain) {
            if (auto told = become_unknown(tx, row); !told) return told;
        }
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Task<std::string> Sender::host_of(rows::OutboxRow row) {
    if (const auto known = hosts_.find(row.integration); known != hosts_.end())
        co_return known->second;
    auto mailbox = co_await parts_.mailboxes.find(row.workspace, row.integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    co_return hosts_.insert_or_assign(row.integration, mailbox->smtp_host).first->second;
}

async::Task<> Sender::begin_page(const std::vector<rows::OutboxRow>* due, UnixMs now_ms) {
    for (const auto& row : *due) {
        if (places_.are_taken()) break;
        const auto paused = paused_until_.find(row.message);
        const bool is_paused = paused != paused_until_.end() && paused->second > now_ms;
        if (is_paused || !places_.may_have_one(row)) continue;
        auto host = co_await host_of(row);
        // Who cannot tell the host at the moment gives no ticket either.
        if (places_.take(row, host.value_or(""))) parts_.jobs.spawn("send", process(row));
    }
    co_return Result<>{};
}

async::Task<> Sender::begin_due(UnixMs now_ms) {
    auto limits = k_due;
    while (!places_.are_taken()) {
        const auto body = [now_ms, limits](store::Transaction& tx) {
            return rows::due_outbox(tx, now_ms, limits);
        };
        auto due = co_await parts_.database.read(body);
        if (!due) co_return fail(std::move(due.error()));
        auto begun = co_await begin_page(&*due, now_ms);
        if (!begun) co_return begun;
        const auto count = static_cast<std::int64_t>(due->size());
        if (count < limits.in_all) break;
        limits.passed_over += count;
    }
    co_return Result<>{};
}

async::Job Sender::run() {
    while (true) {
        const auto now = parts_.clock.now_ms();
        auto begun = co_await begin_due(now);
        if (!begun) log(LogLevel::error, "outbox_unreadable", {{"error", begun.error()}});
        const auto next_body = [](store::Transaction& tx) { return rows::next_due(tx); };
        auto next = co_await parts_.database.read(next_body);
        auto pause_ms = std::int64_t{60'000};
        if (const auto at = next ? *next : std::nullopt) {
            pause_ms = std::clamp<std::int64_t>(*at - parts_.clock.now_ms(), 0, 60'000);
        }
        // What is due but in flight must not make this loop spin: its end sets the signal.
        if (!places_.are_free() || !paused_until_.empty())
            pause_ms = std::max<std::int64_t>(pause_ms, 1000);
        auto woken = co_await wake_.wait(Deadline::in(std::chrono::milliseconds(pause_ms)));
        if (!woken && woken.error().is(async::AsyncError::cancelled)) co_return;
    }
}

async::Job Sender::process(rows::OutboxRow row) {
    const auto message = row.message;
    const auto stage = row.stage;
    Result<> done{};
    if (stage == rows::Stage::queued) {
        done = co_await send(row);
    } else if (stage == rows::Stage::copy) {
        done = co_await save_copy(row);
    } else if (stage == rows::Stage::unknown) {
        done = co_await look_for_unknown(row);
    } else {
        done = co_await take_up(row);
    }
    if (!done) {
        log(LogLevel::error, "send_step_failed",
            {{"message", message},
             {"error", done.error()},
             LogField::sanitised("detail", done.error().detail())});
        // The row could not be moved on and is still due: not again at once.
        paused_until_[message] = parts_.clock.now_ms() + policy_.store_pause.count();
    } else {
        paused_until_.erase(message);
    }
    places_.give_back(row);
    wake_.set();
}

async::Task<> Sender::wake_mailbox(WorkspaceId workspace, IntegrationId integration) {
    hosts_.erase(integration);
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, integration, now](store::Transaction& tx) {
        return rows::wake_outbox(tx, workspace, integration, now);
    };
    auto done = co_await parts_.database.write(body);
    wake_.set();
    co_return done;
}

/// Writes `sending` down. False when somebody else has the mail.
async::Task<bool> Sender::start(rows::OutboxRow* row) {
    const auto next = parts_.clock.now_ms() + 3'600'000;
    const auto body = [row = *row, next](store::Transaction& tx) -> Result<bool> {
        rows::OutboxMove move{row.workspace, row.message, row.fence, rows::Stage::sending,
                              row.attempts,  next,        true};
        POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
        if (!mine) return false;
        auto set =
            rows::set_message_state(tx, row.workspace, row.message, MessageState::sending, "");
        if (!set) return fail(std::move(set.error()));
        return true;
    };
    auto mine = co_await parts_.database.write(body);
    if (mine && *mine) {
        ++row->fence;
        row->stage = rows::Stage::sending;
    }
    co_return mine;
}

/// What recover() does, for one row that courier has not got although its stage says so.
async::Task<> Sender::take_up(rows::OutboxRow row) {
    const bool uncertain = row.stage == rows::Stage::handed_over;
    const auto now = parts_.clock.now_ms();
    const auto body = [this, row, uncertain, now](store::Transaction& tx) -> Result<> {
        rows::OutboxMove move{row.workspace,
                              row.message,
                              row.fence,
                              uncertain ? rows::Stage::unknown : rows::Stage::queued,
                              uncertain ? 0 : row.attempts,
                              now,
                              true};
        POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
        if (!mine) return {};
        if (uncertain) return become_unknown(tx, row);
        return rows::set_message_state(tx, row.workspace, row.message, MessageState::queued, "");
    };
    co_return co_await parts_.database.write(body);
}

/// Nobody could say whether start() was written down. Courier has not got the mail: back it goes.
async::Task<> Sender::take_back(rows::OutboxRow row) {
    row.stage = rows::Stage::sending;
    ++row.fence;
    while (true) {
        auto written = co_await take_up(row);
        if (written) co_return written;
        log(LogLevel::error, "send_not_taken_back",
            {{"message", row.message}, {"error", written.error()}});
        auto waited = co_await async::wait_until(Deadline::in(policy_.store_pause));
        if (!waited) co_return waited;
    }
}

/// Errors: not_readable, when everybody in it was erased.
async::Task<MessageBody> Sender::open_body(rows::OutboxRow row) {
    const auto workspace = row.workspace;
    const auto message = row.message;
    const auto body = [workspace, message](store::Transaction& tx) {
        return rows::load_message(tx, workspace, message);
    };
    auto stored = co_await parts_.database.read(body);
    if (!stored) co_return fail(std::move(stored.error()));
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(message, std::move(stored->body));
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), k_job_handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    auto& opened = bodies->at(0);
    if (!opened) co_return fail(MailServiceError::not_readable);
    co_return std::move(*opened);
}

/// Errors: not_readable, when anybody in it was erased.
async::Task<os::Fd> Sender::open_raw(rows::OutboxRow row) {
    const auto workspace = row.workspace;
    const auto message = row.message;
    const auto body = [workspace, message](store::Transaction& tx) {
        return rows::load_raw(tx, workspace, message);
    };
    auto stored = co_await parts_.database.read(body);
    if (!stored) co_return fail(std::move(stored.error()));
    auto raw =
        co_await vault_.open_raw(workspace, message, std::move(stored->content),
                                 std::move(stored->wrap), std::move(stored->people), k_job_handle);
    if (!raw) co_return fail(std::move(raw.error()));
    co_return os::make_memory_file(*raw);
}

async::Task<> Sender::send(rows::OutboxRow row) {
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(row, std::move(ticket.error()));
    auto mine = co_await start(&row);
    if (!mine && mine.error().is(store::StoreError::outcome_unknown)) {
        co_return co_await take_back(row);
    }
    if (!mine) co_return fail(std::move(mine.error()));
    if (!*mine) co_return Result<>{};
    sending_[row.message] = row;
    auto answer = co_await attempt(row, std::move(*ticket));
    // From here on no dot is allowed any more, also when front is still writing its row down.
    row = sending_.extract(row.message).mapped();
    if (!answer) {
        auto lost = after_no_answer(policy_, row, answer.error());
        co_return co_await settle(row, std::move(lost));
    }
    auto reported = co_await report(row, mail_error_of(answer->error_code));
    if (!reported) log(LogLevel::warning, "refusal_not_stored", {{"error", reported.error()}});
    const bool signed_in = answer->stage >= SendStage::mail_from;
    if (signed_in && row.attempts > 0) (void)co_await mend(row);
    auto learnt = co_await learn(row, std::move(answer->given_id));
    if (!learnt) log(LogLevel::warning, "id_not_learnt", {{"error", learnt.error()}});
    auto outcome = after_answer(policy_, row, *answer);
    co_return co_await settle(row, std::move(outcome));
}

async::Task<> Sender::learn(rows::OutboxRow row, std::string id) {
    if (id.empty()) co_return Result<>{};
    auto mailbox = co_await parts_.mailboxes.find(row.workspace, row.integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    co_return co_await learned_.learn(&*mailbox, row.message, std::move(id));
}

async::Task<SendMail::Answer> Sender::attempt(rows::OutboxRow row, Bytes ticket) {
    auto body = co_await open_body(row);
    if (!body) co_return fail(std::move(body.error()));
    auto raw = co_await open_raw(row);
    if (!raw) co_return fail(std::move(raw.error()));
    SendMail ask;
    ask.ticket = std::move(ticket);
    ask.message = row.message;
    ask.attempt = row.fence;
    ask.from = body->from.at(0).address;
    for (const auto& to : body->to)
        ask.recipients.push_back(to.address);
    ask.raw = std::move(*raw);
    co_return co_await parts_.courier.call(std::move(ask), send_deadline());
}

async::Task<> Sender::report(rows::OutboxRow row, std::optional<MailError> error) {
    if (!error || !needs_person(*error)) co_return Result<>{};
    co_return co_await parts_.mailboxes.report(row.workspace, row.integration, error);
}

async::Task<> Sender::mend(rows::OutboxRow row) {
    co_return co_await parts_.mailboxes.report(row.workspace, row.integration, std::nullopt);
}

rows::OutboxRow* Sender::awaiting_dot(const BeforeFinalDot& asked) {
    const auto found = sending_.find(asked.message);
    if (found == sending_.end()) return nullptr;
    auto& row = found->second;
    return row.fence == asked.attempt && row.stage == rows::Stage::sending ? &row : nullptr;
}

async::Task<> Sender::before_final_dot(BeforeFinalDot asked) {
    const auto* const found = awaiting_dot(asked);
    if (found == nullptr) co_return fail(MailError::use_ended);
    const auto row = *found;
    const auto next = parts_.clock.now_ms() + 3'600'000;
    const auto body = [row, next](store::Transaction& tx) -> Result<bool> {
        rows::OutboxMove move{row.workspace, row.message, row.fence, rows::Stage::handed_over,
                              row.attempts,  next,        false};
        return rows::move_outbox(tx, move);
    };
    auto mine = co_await parts_.database.write(body);
    if (!mine) co_return fail(std::move(mine.error()));
    if (!*mine) co_return fail(MailError::use_ended);
    auto* const still = awaiting_dot(asked);
    if (still == nullptr) co_return fail(MailError::use_ended);
    still->stage = rows::Stage::handed_over;
    co_return Result<>{};
}

async::Task<> Sender::settle(rows::OutboxRow row, SendOutcome outcome) {
    const auto now = parts_.clock.now_ms();
    const auto body = [this, row, outcome, now](store::Transaction& tx) -> Result<> {
        rows::OutboxMove move{row.workspace, row.message,      row.fence,
                              outcome.stage, outcome.attempts, now + outcome.pause_s * 1000,
                              true};
        POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
        if (!mine) return {};
        if (outcome.finished) {
            auto gone = rows::delete_outbox(tx, row.workspace, row.message);
            if (!gone) return gone;
        }
        POSTERN_TRY(const auto message, rows::load_message(tx, row.workspace, row.message));
        auto set = rows::set_message_state(tx, row.workspace, row.message, outcome.state,
                                           outcome.failure_code);
        if (!set || message.state == outcome.state) return set;
        return parts_.events.append(
            tx, row.workspace,
            message_event("message.state", message.thread, message.id, outcome.state));
    };
    while (true) {
        auto written = co_await parts_.database.write(body);
        if (written) {
            parts_.events.published(row.workspace);
            co_return written;
        }
        // What happened at the provider is known only here until it is written down.
        log(LogLevel::error, "send_not_settled",
            {{"message", row.message}, {"error", written.error()}});
        auto waited = co_await async::wait_until(Deadline::in(policy_.store_pause));
        if (!waited) co_return waited;
    }
}

/// No ticket: sealed waits for a person, a cut-off ends it, anything else is tried again.
async::Task<> Sender::postpone(rows::OutboxRow row, Error why) {
    if (parts_.mailboxes.is_cut_off(why)) {
        auto ended = given_up(row.stage, std::string(why.code()));
        co_return co_await settle(row, std::move(ended));
    }
    const auto now = parts_.clock.now_ms();
    const bool waits = parts_.mailboxes.waits_for_person(why);
    rows::OutboxMove move{row.workspace, row.message,
                          row.fence,     row.stage,
                          row.attempts,  now + (waits ? k_wait_for_person_s : 5) * 1000,
                          false};
    const auto body = [move](store::Transaction& tx) -> Result<> {
        POSTERN_TRY([[maybe_unused]] const auto mine, rows::move_outbox(tx, move));
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Task<SaveSent::Answer> Sender::copy(rows::OutboxRow row, Bytes ticket) {
    auto body = co_await open_body(row);
    if (!body) co_return fail(std::move(body.error()));
    auto raw = co_await open_raw(row);
    if (!raw) co_return fail(std::move(raw.error()));
    SaveSent ask;
    ask.ticket = std::move(ticket);
    ask.message_id = std::move(body->message_id);
    ask.raw = std::move(*raw);
    co_return co_await parts_.courier.call(std::move(ask), Deadline::in(5min));
}

async::Task<> Sender::note_look(rows::OutboxRow row,
                                Result<SaveSent::Answer> looked,
                                std::string_view reason) {
    // Of an error that is not courier's own, nobody was asked.
    if (!looked && !looked.error().as<MailError>()) co_return Result<>{};
    const auto bytes = looked ? static_cast<std::int64_t>(looked->bytes) : 0;
    const auto now = parts_.clock.now_ms();
    const auto body = [row, bytes, reason, now](store::Transaction& tx) {
        const rows::LedgerEntry entry{"look_in_sent", {}, 0, 0, bytes, reason};
        return rows::append_ledger(tx, row.workspace, row.integration, entry, now);
    };
    auto written = co_await parts_.database.write(body);
    if (!written) log(LogLevel::warning, "look_not_noted", {{"error", written.error()}});
    co_return written;
}

async::Task<> Sender::save_copy(rows::OutboxRow row) {
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(row, std::move(ticket.error()));
    auto saved = co_await copy(row, std::move(*ticket));
    (void)co_await note_look(row, saved, "our_copy");
    auto outcome = given_up(rows::Stage::copy, "");
    if (!saved) {
        (void)co_await report(row, saved.error().as<MailError>());
        outcome = after_failed_copy(policy_, row.attempts, saved.error());
    } else {
        if (row.attempts > 0) (void)co_await mend(row);
        auto learnt = co_await learn(row, std::move(saved->given_id));
        if (!learnt) log(LogLevel::warning, "id_not_learnt", {{"error", learnt.error()}});
    }
    auto settled = co_await settle(row, std::move(outcome));
    // Also when the first try failed: perhaps because the server refuses to search.
    const bool first = row.attempts == 0;
    if ((saved || first) && when_sent_) when_sent_(row.workspace, row.integration);
    co_return settled;
}

/// A server that keeps its own copy of what it sends tells whether an unknown mail went out.
async::Task<> Sender::look_for_unknown(rows::OutboxRow row) {
    auto body = co_await open_body(row);
    if (!body && body.error().is(MailServiceError::not_readable)) {
        // Erased: there is no id left to look for.
        auto ended = given_up(rows::Stage::unknown, std::string(body.error().code()));
        co_return co_await settle(row, std::move(ended));
    }
    if (!body) co_return fail(std::move(body.error()));
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(row, std::move(ticket.error()));
    SaveSent ask;
    ask.ticket = std::move(*ticket);
    ask.message_id = std::move(body->message_id);
    ask.look_only = true;
    auto raw = co_await open_raw(row);
    if (raw) ask.raw = std::move(*raw);  // erased: by the id alone
    auto looked = co_await parts_.courier.call(std::move(ask), Deadline::in(2min));
    (void)co_await note_look(row, looked, "unknown_send");
    std::optional<Error> error;
    if (!looked) {
        error = std::move(looked.error());
        (void)co_await report(row, error->as<MailError>());
    }
    if (looked) {
        auto learnt = co_await learn(row, std::move(looked->given_id));
        if (!learnt) log(LogLevel::warning, "id_not_learnt", {{"error", learnt.error()}});
    }
    auto outcome = after_look(row.attempts, looked && looked->was_there, error);
    co_return co_await settle(row, std::move(outcome));
}

}  // namespace postern::mail
