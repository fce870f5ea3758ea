#include "features/mail/courier/smtp_session.h"

#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/mail_link.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/outcome.h"
#include "platform/async/task.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_read_bytes = 4096;

using Status = smtp::Client::Status;

smtp::ClientOptions client_options(const SessionOptions& options, TlsUse tls) {
    smtp::ClientOptions out;
    out.tls = tls == TlsUse::implicit;
    out.ehlo_name = options.ehlo_name;
    return out;
}

StepEnd failed(smtp::Stage stage, Error error, smtp::Verdict verdict = smtp::Verdict::broken) {
    StepEnd end{.went_well = false, .outcome = {}};
    end.outcome.verdict = verdict;
    end.outcome.stage = stage;
    end.outcome.error = std::move(error);
    return end;
}

}  // namespace

SmtpSession::SmtpSession(std::unique_ptr<MailLink> link, SessionContext context, TlsUse tls)
    : link_(std::move(link)),
      use_(std::move(context.use)),
      options_(std::move(context.options)),
      tls_(tls),
      client_(client_options(options_, tls)),
      buffer_(k_read_bytes) {
    use_->on_end([this] { link_->close(); });
}

SmtpSession::~SmtpSession() {
    use_->on_end(nullptr);
    link_->close();
}

async::Task<std::unique_ptr<SmtpSession>> SmtpSession::connect(SessionContext context,
                                                               MailHost host,
                                                               std::string ca_pem) {
    const auto tls = host.tls;
    const auto deadline = Deadline::in(context.options.connect);
    auto connecting = context.connector->connect(std::move(host), std::move(ca_pem), deadline);
    auto link = co_await std::move(connecting);
    if (context.use->ended()) co_return fail(MailError::use_ended);
    if (!link) co_return fail(to_mail_error(link.error()));
    co_return std::make_unique<SmtpSession>(std::move(*link), std::move(context), tls);
}

void SmtpSession::lose(const Error& error) {
    if (!lost_) lost_ = use_->ended() ? Error(MailError::use_ended) : to_mail_error(error);
    client_.connection_lost();
}

StepEnd SmtpSession::take_end(smtp::Stage stage) {
    StepEnd end;
    if (auto outcome = client_.take_outcome()) {
        end.went_well = outcome->verdict == smtp::Verdict::delivered;
        end.outcome = *std::move(outcome);
    } else if (client_.status() == Status::closed) {
        end = failed(stage, Error(MailError::connection_lost));
    }
    // What the link met says more than that the connection is gone.
    if (!end.went_well && end.outcome.reply.code == 0 && lost_) end.outcome.error = lost_;
    return end;
}

Deadline SmtpSession::due(std::chrono::milliseconds stall) const {
    return until_ ? until_->at_most(stall) : Deadline::in(stall);
}

async::Task<bool> SmtpSession::flush() {
    bool any = false;
    for (auto out = client_.take_output(); !out.empty(); out = client_.take_output()) {
        auto writing = link_->write_all(std::move(out), due(options_.stall));
        const auto written = co_await std::move(writing);
        if (!written) co_return fail(written.error());
        if (use_->ended()) co_return fail(MailError::use_ended);
        any = true;
    }
    co_return any;
}

SmtpSession::Step SmtpSession::run(Result<> started,
                                   smtp::Stage stage,
                                   std::chrono::milliseconds stall) {
    if (!started) co_return failed(stage, to_mail_error(started.error()));
    auto reply_due = due(stall);
    while (client_.status() != Status::closed) {
        auto flushing = flush();
        const auto flushed = co_await std::move(flushing);
        if (!flushed) {
            lose(flushed.error());
            break;
        }
        if (client_.status() != Status::waiting) break;
        // For the whole reply: a server that drips it out is as slow as one that is silent.
        if (*flushed) reply_due = due(stall);
        const std::span<std::uint8_t> into(buffer_.data(), buffer_.size());
        auto reading = link_->read_some(into, reply_due);
        const auto got = co_await std::move(reading);
        if (!got || *got == 0 || use_->ended()) {
            lose(got ? Error(MailError::connection_lost) : got.error());
            break;
        }
        client_.receive(ByteView(buffer_.data(), *got));
        wipe(buffer_.data(), *got);
    }
    co_return take_end(stage);
}

SmtpSession::Step SmtpSession::greet() {
    auto greeting = run({}, smtp::Stage::greeting, options_.stall);
    auto greeted = co_await std::move(greeting);
    if (!greeted || !greeted->went_well || tls_ == TlsUse::implicit) co_return greeted;
    auto asking = run(client_.start_tls(), smtp::Stage::starttls, options_.stall);
    auto asked = co_await std::move(asking);
    if (!asked || !asked->went_well) co_return asked;
    auto securing = link_->start_tls(due(options_.connect));
    const auto secured = co_await std::move(securing);
    if (!secured) {
        lose(secured.error());
        co_return take_end(smtp::Stage::starttls);
    }
    auto going_on = run(client_.tls_started(), smtp::Stage::ehlo, options_.stall);
    co_return co_await std::move(going_on);
}

SmtpSession::Step SmtpSession::sign_in(std::string user, Secret password) {
    auto started = client_.sign_in(user, password);
    password = Secret();
    auto signing = run(std::move(started), smtp::Stage::auth, options_.stall);
    co_return co_await std::move(signing);
}

SmtpSession::Step SmtpSession::hand_over(smtp::Envelope envelope, smtp::MailSource source) {
    auto started = client_.send(std::move(envelope), std::move(source));
    if (!started) {
        // The server said in its EHLO that it will not take this mail.
        co_return failed(smtp::Stage::mail_from, to_mail_error(started.error()),
                         smtp::Verdict::permanent);
    }
    auto running = run({}, smtp::Stage::mail_from, options_.stall);
    co_return co_await std::move(running);
}

SmtpSession::Step SmtpSession::final_dot() {
    until_.reset();
    auto running = run(client_.send_final_dot(), smtp::Stage::body, options_.final_dot);
    auto end = co_await std::move(running);
    if (!end || (end->went_well && end->outcome.verdict != smtp::Verdict::delivered)) {
        co_return failed(smtp::Stage::final_dot, Error(MailError::protocol_violation),
                         smtp::Verdict::unknown);
    }
    co_return end;
}

async::Task<> SmtpSession::leave() {
    if (const auto started = client_.quit(); !started) co_return Result<>{};
    auto flushing = flush();
    const auto flushed = co_await std::move(flushing);
    if (!flushed) co_return fail(flushed.error());
    co_return Result<>{};
}

}  // namespace postern::mail::courier
