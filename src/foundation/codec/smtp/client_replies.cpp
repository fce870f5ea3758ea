#include "foundation/base/error.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/extensions.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/reply.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <algorithm>
#include <string>
#include <utility>

namespace postern::smtp {

namespace {

constexpr int k_closing = 421;

Verdict verdict_of(const Reply& reply) {
    return reply.is_permanent() ? Verdict::permanent : Verdict::transient;
}

}  // namespace

void Client::on_reply(const Reply& reply, const Extensions& offered) {
    switch (step_) {
        case Step::greeting:
            if (reply.is_positive()) return say_ehlo();
            refuse(reply, SmtpError::refused);
            closed_ = true;
            return;
        case Step::ehlo:
            if (!reply.is_positive()) {
                refuse(reply, SmtpError::refused);
                closed_ = true;
                return;
            }
            extensions_ = offered;
            step_ = Step::idle;
            return;
        case Step::starttls:
            if (!reply.is_positive()) return refuse(reply, SmtpError::refused);
            step_ = Step::tls_handshake;
            return;
        case Step::auth: return on_auth(reply);
        case Step::reset:
            if (!reply.is_positive()) return refuse(reply, SmtpError::refused);
            return say_mail_from();
        case Step::mail_from: return on_mail_from(reply);
        case Step::rcpt_to: return on_recipient(reply);
        case Step::data:
            if (!reply.is_intermediate()) return refuse(reply, SmtpError::refused);
            stage_ = Stage::body;
            step_ = Step::body;
            return;
        case Step::final_dot: return on_settled(reply);
        case Step::quit: closed_ = true; return;
        case Step::idle: return break_off(Error(SmtpError::connection_closed_by_server), reply);
        case Step::tls_handshake:
        case Step::body:
        case Step::before_final_dot: return on_early_reply(reply);
    }
}

void Client::on_auth(const Reply& reply) {
    if (reply.code == 334 && !auth_answers_.empty()) {
        output_ = std::move(auth_answers_.front());
        auth_answers_.pop_front();
        return;
    }
    if (reply.is_positive() && auth_answers_.empty()) {
        signed_in_ = true;
        step_ = Step::idle;
        return;
    }
    // Servers repeat what they were sent: the words of a refused sign-in are not kept.
    const Reply bare{.code = reply.code, .enhanced = reply.enhanced, .text = {}};
    // RFC 4954 section 6: with 4xx (454, 432, 421) the same password may do later.
    refuse(bare,
           reply.is_transient() ? SmtpError::sign_in_unavailable : SmtpError::refused_sign_in);
}

void Client::on_mail_from(const Reply& reply) {
    if (!reply.is_positive()) return refuse(reply, SmtpError::refused);
    stage_ = Stage::rcpt_to;
    next_recipient();
}

void Client::next_recipient() {
    say(Step::rcpt_to, "RCPT TO:<" + recipients_[recipient_].text() + '>');
}

void Client::on_recipient(const Reply& reply) {
    const bool is_refusal = reply.is_transient() || reply.is_permanent();
    if (is_refusal) refused_.push_back({.index = recipient_, .reply = reply});
    if (reply.code == k_closing || reply.is_intermediate()) {
        return refuse(reply, SmtpError::refused);
    }
    if (++recipient_ < recipients_.size()) return next_recipient();
    const bool nobody = refused_.size() == recipients_.size();
    if (nobody || (all_recipients_or_none_ && !refused_.empty())) {
        // A later try would meet the permanent refusal again: it decides.
        const auto permanent = std::ranges::find_if(
            refused_, [](const RefusedRecipient& r) { return r.reply.is_permanent(); });
        const Reply deciding =
            permanent != refused_.end() ? permanent->reply : refused_.front().reply;
        return refuse(deciding, SmtpError::refused);
    }
    stage_ = Stage::data;
    say(Step::data, "DATA");
}

void Client::on_settled(const Reply& reply) {
    if (!reply.is_positive()) return refuse(reply, SmtpError::refused);
    stage_ = Stage::done;
    step_ = Step::idle;
    must_reset_ = false;
    Outcome outcome;
    outcome.verdict = Verdict::delivered;
    outcome.stage = Stage::done;
    outcome.reply = reply;
    settle(std::move(outcome));
}

void Client::on_early_reply(const Reply& reply) {
    // RFC 5321 section 3.8: a server may say 421 at any time. The connection is of no use either
    // way: within a mail the next bytes would be taken for commands or for its text.
    refuse(reply, SmtpError::connection_closed_by_server);
    closed_ = true;
}

void Client::refuse(const Reply& reply, SmtpError error) {
    if (!reply.is_transient() && !reply.is_permanent()) {
        return break_off(Error(SmtpError::protocol_violation, "unexpected code"), reply);
    }
    step_ = Step::idle;
    closed_ = reply.code == k_closing;
    Outcome outcome;
    outcome.verdict = verdict_of(reply);
    outcome.stage = stage_;
    outcome.reply = reply;
    outcome.error = Error(error, "reply " + std::to_string(reply.code));
    settle(std::move(outcome));
}

}  // namespace postern::smtp
