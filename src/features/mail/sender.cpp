#include "features/mail/sender.h"

#include "foundation/base/log.h"
#include "platform/async/deadline.h"
#include "platform/os/files.h"

#include <algorithm>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t k_batch = 50;
constexpr std::size_t k_in_flight_max = 8;
constexpr std::int64_t k_wait_for_person_s = 24 * 3600;
constexpr std::int64_t k_pause_after_failure_ms = 5000;
constexpr std::int64_t k_unknown_looks = 5;
constexpr std::int64_t k_unknown_pause_s = 30;

Deadline send_deadline() {
    return Deadline::in(10min);
}

MailError mail_error_of(const std::string& code) {
    for (int i = 0; i <= static_cast<int>(MailError::mail_unreadable); ++i) {
        const auto error = static_cast<MailError>(i);
        if (describe(error).code.view() == code) return error;
    }
    return MailError::connection_failed;
}

/// What a person has to put right before anything is tried again.
bool needs_person(const std::string& error_code) {
    return error_code == "sign_in_refused" || error_code.starts_with("certificate_") ||
           error_code == "address_refused";
}

}  // namespace

Sender::Sender(Parts parts, RetryPolicy policy)
    : parts_(parts), policy_(policy), vault_(parts.keeper), wake_(parts.jobs.executor()) {}

async::Task<> Sender::recover() {
    const auto now = parts_.clock.now_ms();
    const auto body = [this, now](store::Transaction& tx) -> Result<> {
        POSTERN_TRY(const auto uncertain, rows::recover_outbox(tx, now));
        for (const auto& row : uncertain) {
            auto set = rows::set_message_state(tx, row.workspace, row.message,
                                               MessageState::unknown, "interrupted");
            if (!set) return set;
            POSTERN_TRY(const auto message, rows::load_message(tx, row.workspace, row.message));
            auto told = parts_.events.append(
                tx, row.workspace,
                message_event("message.state", message.thread, message.id, MessageState::unknown));
            if (!told) return told;
        }
        return {};
    };
    co_return co_await parts_.database.write(body);
}

async::Job Sender::run() {
    while (true) {
        const auto now = parts_.clock.now_ms();
        const auto body = [now](store::Transaction& tx) {
            return rows::due_outbox(tx, now, k_batch);
        };
        auto due = co_await parts_.database.read(body);
        if (!due) {
            log(LogLevel::error, "outbox_unreadable", {{"error", due.error()}});
        } else {
            for (auto& row : *due) {
                if (in_flight_.size() >= k_in_flight_max) break;
                const auto paused = paused_until_.find(row.message);
                if (paused != paused_until_.end() && paused->second > now) continue;
                if (!in_flight_.insert(row.message).second) continue;
                parts_.jobs.spawn("send", process(std::move(row)));
            }
        }
        const auto next_body = [](store::Transaction& tx) { return rows::next_due(tx); };
        auto next = co_await parts_.database.read(next_body);
        auto pause_ms = std::int64_t{60'000};
        if (next && *next) {
            pause_ms = std::clamp<std::int64_t>(**next - parts_.clock.now_ms(), 0, 60'000);
        }
        // What is due but in flight must not make this loop spin: its end sets the signal.
        if (!in_flight_.empty() || !paused_until_.empty())
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
        done = co_await send(std::move(row));
    } else if (stage == rows::Stage::copy) {
        done = co_await save_copy(std::move(row));
    } else if (stage == rows::Stage::unknown) {
        done = co_await look_for_unknown(std::move(row));
    }
    if (!done) {
        log(LogLevel::error, "send_step_failed",
            {{"message", message},
             {"error", done.error()},
             LogField::sanitised("detail", done.error().detail())});
        // The row could not be moved on and is still due: not again at once.
        paused_until_[message] = parts_.clock.now_ms() + k_pause_after_failure_ms;
    } else {
        paused_until_.erase(message);
    }
    sending_.erase(message);
    in_flight_.erase(message);
    wake_.set();
}

async::Task<> Sender::wake_mailbox(WorkspaceId workspace, IntegrationId integration) {
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, integration, now](store::Transaction& tx) {
        return rows::wake_outbox(tx, workspace, integration, now);
    };
    auto done = co_await parts_.database.write(body);
    wake_.set();
    co_return done;
}

/// Writes `sending` down. False when somebody else has the mail.
async::Task<bool> Sender::start(rows::OutboxRow& row) {
    const auto next = parts_.clock.now_ms() + 3'600'000;
    const auto body = [row, next](store::Transaction& tx) -> Result<bool> {
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
        ++row.fence;
        row.stage = rows::Stage::sending;
    }
    co_return mine;
}

async::Task<SendMail> Sender::prepare(const rows::OutboxRow& row, Bytes ticket) {
    const auto workspace = row.workspace;
    const auto message = row.message;
    struct Loaded {
        rows::MessageRow message;
        rows::RawRow raw;
    };
    const auto body = [workspace, message](store::Transaction& tx) -> Result<Loaded> {
        POSTERN_TRY(auto m, rows::load_message(tx, workspace, message));
        POSTERN_TRY(auto raw, rows::load_raw(tx, workspace, message));
        return Loaded{std::move(m), std::move(raw)};
    };
    auto loaded = co_await parts_.database.read(body);
    if (!loaded) co_return fail(std::move(loaded.error()));
    std::vector<std::pair<MessageId, StoredObject>> objects;
    objects.emplace_back(message, std::move(loaded->message.body));
    auto bodies = co_await vault_.open_bodies(workspace, std::move(objects), k_job_handle);
    if (!bodies) co_return fail(std::move(bodies.error()));
    if (!bodies->at(0)) co_return fail(MailServiceError::not_readable);
    auto raw = co_await vault_.open_raw(workspace, message, std::move(loaded->raw.content),
                                        std::move(loaded->raw.wrap), std::move(loaded->raw.people),
                                        k_job_handle);
    if (!raw) co_return fail(std::move(raw.error()));
    auto file = os::make_memory_file(*raw);
    if (!file) co_return fail(std::move(file.error()));
    SendMail ask;
    ask.ticket = std::move(ticket);
    ask.message = message;
    ask.from = bodies->at(0)->from.at(0).address;
    for (const auto& to : bodies->at(0)->to)
        ask.recipients.push_back(to.address);
    ask.raw = std::move(*file);
    co_return ask;
}

async::Task<> Sender::send(rows::OutboxRow row) {
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(std::move(row), ticket.error());
    auto mine = co_await start(row);
    if (!mine) co_return fail(std::move(mine.error()));
    if (!*mine) co_return Result<>{};
    sending_[row.message] = row;
    auto outcome = co_await attempt(row, std::move(*ticket));
    const auto held = sending_.find(row.message);
    if (held != sending_.end()) row = held->second;
    if (!outcome) {
        // No answer about a mail whose dot may be sent says nothing about its delivery.
        const bool handed_over = row.stage == rows::Stage::handed_over;
        Outcome lost = retry(row, std::string(outcome.error().code()));
        if (handed_over) {
            lost.stage = rows::Stage::unknown;
            lost.state = MessageState::unknown;
            lost.failure_code = "connection_lost";
            lost.pause_s = k_unknown_pause_s;
        }
        co_return co_await settle(std::move(row), std::move(lost));
    }
    co_return co_await settle(std::move(row), std::move(*outcome));
}

async::Task<Sender::Outcome> Sender::attempt(rows::OutboxRow row, Bytes ticket) {
    auto ask = co_await prepare(row, std::move(ticket));
    if (!ask) co_return fail(std::move(ask.error()));
    auto answer = co_await parts_.courier.call(std::move(*ask), send_deadline());
    if (!answer) co_return fail(std::move(answer.error()));
    auto outcome = outcome_of(row, *answer);
    if (needs_person(answer->error_code)) {
        (void)co_await parts_.mailboxes.report(row.workspace, row.integration,
                                               mail_error_of(answer->error_code));
        outcome.pause_s = k_wait_for_person_s;
        outcome.counts = false;
    }
    co_return outcome;
}

async::Task<> Sender::before_final_dot(MessageId message) {
    const auto found = sending_.find(message);
    if (found == sending_.end()) co_return fail(MailError::use_ended);
    const auto row = found->second;
    const auto next = parts_.clock.now_ms() + 3'600'000;
    const auto body = [row, next](store::Transaction& tx) -> Result<bool> {
        rows::OutboxMove move{row.workspace, row.message, row.fence, rows::Stage::handed_over,
                              row.attempts,  next,        false};
        return rows::move_outbox(tx, move);
    };
    auto mine = co_await parts_.database.write(body);
    if (!mine) co_return fail(std::move(mine.error()));
    if (!*mine) co_return fail(MailError::use_ended);
    const auto still = sending_.find(message);
    if (still == sending_.end()) co_return fail(MailError::use_ended);
    still->second.stage = rows::Stage::handed_over;
    co_return Result<>{};
}

Sender::Outcome Sender::retry(const rows::OutboxRow& row, std::string failure_code) const {
    Outcome out;
    out.failure_code = std::move(failure_code);
    if (row.attempts + 1 >= policy_.attempts_max) {
        out.state = MessageState::failed;
        out.finished = true;
        return out;
    }
    const auto doublings = std::min<std::int64_t>(row.attempts, 12);
    out.pause_s = std::min(policy_.first_pause.count() << doublings, policy_.longest_pause.count());
    return out;
}

Sender::Outcome Sender::outcome_of(const rows::OutboxRow& row,
                                   const SendMail::Answer& answer) const {
    Outcome out;
    switch (answer.result) {
        case SendResult::sent:
            out.stage = rows::Stage::copy;
            out.state = MessageState::sent;
            return out;
        case SendResult::unknown:
            out.stage = rows::Stage::unknown;
            out.state = MessageState::unknown;
            out.failure_code = "connection_lost";
            out.pause_s = k_unknown_pause_s;
            return out;
        case SendResult::broken:
            return retry(row, answer.error_code.empty() ? "connection_lost" : answer.error_code);
        case SendResult::refused: break;
    }
    const auto code = answer.code == 0 ? answer.error_code : "smtp_" + std::to_string(answer.code);
    if (answer.transient || answer.stage < SendStage::mail_from) return retry(row, code);
    out.state = MessageState::failed;
    out.failure_code = code;
    out.finished = true;
    return out;
}

async::Task<> Sender::settle(rows::OutboxRow row, Outcome outcome) {
    const auto now = parts_.clock.now_ms();
    const auto body = [this, row, outcome, now](store::Transaction& tx) -> Result<> {
        rows::OutboxMove move{row.workspace,
                              row.message,
                              row.fence,
                              outcome.stage,
                              row.attempts + (outcome.counts ? 1 : 0),
                              now + outcome.pause_s * 1000,
                              true};
        if (outcome.state == MessageState::sent) move.attempts = 0;
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
        auto waited = co_await async::wait_until(
            Deadline::in(std::chrono::milliseconds(k_pause_after_failure_ms)));
        if (!waited) co_return waited;
    }
}

/// No ticket: sealed waits for a person, a cut-off ends it, anything else is tried again.
async::Task<> Sender::postpone(rows::OutboxRow row, const Error& why) {
    Outcome out = retry(row, std::string(why.code()));
    out.stage = row.stage;
    if (parts_.mailboxes.is_cut_off(why)) {
        out.finished = true;
        out.state = row.stage == rows::Stage::queued ? MessageState::failed
                    : row.stage == rows::Stage::copy ? MessageState::sent
                                                     : MessageState::unknown;
        co_return co_await settle(std::move(row), std::move(out));
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

async::Task<> Sender::save_copy(rows::OutboxRow row) {
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(std::move(row), ticket.error());
    auto mail = co_await prepare(row, {});
    if (!mail) co_return fail(std::move(mail.error()));
    SaveSent ask;
    ask.ticket = std::move(*ticket);
    ask.raw = std::move(mail->raw);
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
    if (bodies->at(0)) ask.message_id = bodies->at(0)->message_id;
    auto saved = co_await parts_.courier.call(std::move(ask), Deadline::in(5min));
    Outcome out;
    out.state = MessageState::sent;
    out.finished = saved.has_value();
    if (!saved) {
        out = retry(row, std::string(saved.error().code()));
        out.state = MessageState::sent;
        out.stage = rows::Stage::copy;
        out.failure_code.clear();
    }
    co_return co_await settle(std::move(row), std::move(out));
}

/// A server that keeps its own copy of what it sends tells whether an unknown mail went out.
async::Task<> Sender::look_for_unknown(rows::OutboxRow row) {
    auto ticket = co_await parts_.mailboxes.ticket(row.workspace, row.integration, MailVerb::send);
    if (!ticket) co_return co_await postpone(std::move(row), ticket.error());
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
    SaveSent ask;
    ask.ticket = std::move(*ticket);
    if (bodies->at(0)) ask.message_id = bodies->at(0)->message_id;
    auto looked = co_await parts_.courier.call(std::move(ask), Deadline::in(2min));
    Outcome out;
    out.stage = rows::Stage::unknown;
    out.state = MessageState::unknown;
    out.failure_code = "connection_lost";
    out.pause_s = k_unknown_pause_s << std::min<std::int64_t>(row.attempts, 8);
    out.finished = row.attempts + 1 >= k_unknown_looks;
    if (looked && looked->was_there) {
        out.state = MessageState::sent;
        out.failure_code.clear();
        out.finished = true;
    }
    co_return co_await settle(std::move(row), std::move(out));
}

}  // namespace postern::mail
