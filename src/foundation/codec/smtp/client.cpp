#include "foundation/codec/smtp/client.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/smtp/extensions.h"
#include "foundation/codec/smtp/limits.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/reply.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace postern::smtp {

namespace {

bool is_ehlo_name(std::string_view name) {
    constexpr std::string_view k_chars =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]";
    return !name.empty() && name.size() <= 255 &&
           name.find_first_not_of(k_chars) == std::string_view::npos;
}

}  // namespace

Client::Client(ClientOptions options) : options_(std::move(options)), tls_(options_.tls) {
    if (!is_ehlo_name(options_.ehlo_name)) options_.ehlo_name = "localhost";
}

Client::Status Client::status() const noexcept {
    if (closed_) return Status::closed;
    switch (step_) {
        case Step::idle: return Status::ready;
        case Step::tls_handshake: return Status::tls_handshake;
        case Step::before_final_dot: return Status::before_final_dot;
        case Step::greeting:
        case Step::ehlo:
        case Step::starttls:
        case Step::auth:
        case Step::reset:
        case Step::mail_from:
        case Step::rcpt_to:
        case Step::data:
        case Step::body:
        case Step::final_dot:
        case Step::quit: break;
    }
    return Status::waiting;
}

void Client::receive(ByteView bytes) {
    if (stage_ == Stage::connect && !bytes.empty()) stage_ = Stage::greeting;
    while (!bytes.empty() && !closed_) {
        // What came in clear behind the answer would else be taken for protected (CVE-2011-0411);
        // an answer to what is not sent yet was made up.
        const bool too_early = step_ == Step::tls_handshake || (!output_.empty() && !within_reply_);
        if (too_early) {
            return break_off(Error(SmtpError::protocol_violation, "answer before the command"));
        }
        auto taken = reader_.consume(bytes);
        if (!taken) return break_off(std::move(taken.error()));
        bytes = bytes.subspan(*taken);
        within_reply_ = !reader_.complete();
        if (within_reply_) continue;
        const Extensions offered =
            step_ == Step::ehlo ? Extensions::parse(reader_.lines()) : Extensions{};
        on_reply(reader_.take(), offered);
    }
}

WipedBytes Client::take_output() {
    if (!output_.empty()) return std::exchange(output_, WipedBytes());
    if (closed_ || step_ != Step::body) return {};
    WipedBytes out;
    // A chunk of CRs alone encodes to nothing only at its end; go on until there is something.
    while (out.empty() && step_ == Step::body) {
        WipedBytes chunk(k_body_chunk_bytes);
        const auto got = source_(std::span(chunk.data(), chunk.size()));
        if (!got || *got > chunk.size()) {
            break_off(got ? Error(SmtpError::local_stream_failed) : got.error());
            return {};
        }
        if (*got == 0) {
            encoder_.finish(out);
            source_ = nullptr;
            step_ = Step::before_final_dot;
        } else {
            encoder_.encode(ByteView(chunk.data(), *got), out);
        }
    }
    return out;
}

void Client::connection_lost() {
    if (closed_) return;
    if (step_ == Step::quit) {
        closed_ = true;
        return;
    }
    break_off(Error(SmtpError::connection_closed_by_server));
}

std::optional<Outcome> Client::take_outcome() {
    return std::exchange(outcome_, std::nullopt);
}

void Client::settle(Outcome outcome) {
    outcome.refused = std::move(refused_);
    outcome_ = std::move(outcome);
    refused_.clear();
    mail_from_.clear();
    recipients_.clear();
    source_ = nullptr;
    auth_answers_.clear();
}

void Client::break_off(Error error, const Reply& reply) {
    const bool nothing_under_way = step_ == Step::quit || step_ == Step::idle;
    const bool may_be_delivered = step_ == Step::final_dot;
    closed_ = true;
    output_.clear();
    step_ = Step::idle;
    // What was settled before stays as it was settled.
    if (nothing_under_way) return;
    Outcome outcome;
    outcome.verdict = may_be_delivered ? Verdict::unknown : Verdict::broken;
    outcome.stage = stage_;
    outcome.reply = reply;
    outcome.error = std::move(error);
    settle(std::move(outcome));
}

void Client::say(Step step, std::string_view line) {
    step_ = step;
    output_.append(line);
    output_.append("\r\n");
}

void Client::say_ehlo() {
    stage_ = Stage::ehlo;
    say(Step::ehlo, "EHLO " + options_.ehlo_name);
}

Result<> Client::tls_started() {
    if (status() != Status::tls_handshake) return fail(SmtpError::wrong_state);
    tls_ = true;
    extensions_ = {};
    say_ehlo();
    return {};
}

Result<> Client::start_tls() {
    if (status() != Status::ready || tls_ || signed_in_) return fail(SmtpError::wrong_state);
    if (!extensions_.start_tls) return fail(SmtpError::starttls_not_offered);
    stage_ = Stage::starttls;
    outcome_.reset();
    say(Step::starttls, "STARTTLS");
    return {};
}

Result<> Client::quit() {
    if (status() != Status::ready) return fail(SmtpError::wrong_state);
    say(Step::quit, "QUIT");
    return {};
}

}  // namespace postern::smtp
