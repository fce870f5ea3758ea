#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/limits.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/sasl.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::smtp {

namespace {

/// NUL separates the parts of PLAIN; lengths keep the line below RFC 4954's 12,288.
bool is_sendable(ByteView value) {
    constexpr std::size_t k_bytes_max = 4000;
    return !value.empty() && value.size() <= k_bytes_max &&
           std::ranges::none_of(value,
                                [](std::uint8_t c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool needs_smtputf8(const Envelope& envelope) {
    return envelope.needs_smtputf8 || envelope.from.needs_smtputf8() ||
           std::ranges::any_of(envelope.recipients, &Address::needs_smtputf8);
}

}  // namespace

Result<> Client::sign_in(std::string_view user, const Secret& password) {
    if (status() != Status::ready || signed_in_) return fail(SmtpError::wrong_state);
    if (!tls_ && !options_.allow_plaintext_sign_in) return fail(SmtpError::tls_required);
    if (!is_sendable(as_bytes(user)) || !password.with_bytes(is_sendable)) {
        return fail(SmtpError::bad_argument, "user name or password");
    }
    if (!extensions_.auth_plain && !extensions_.auth_login) {
        return fail(SmtpError::no_sign_in_method);
    }
    stage_ = Stage::auth;
    outcome_.reset();
    auth_answers_.clear();
    if (!extensions_.auth_plain) {
        auth_answers_.push_back(base64_line(as_bytes(user)));
        auth_answers_.push_back(password.with_bytes(base64_line));
        say(Step::auth, "AUTH LOGIN");
        return {};
    }
    WipedBytes message = sasl_plain_line(user, password);
    if (message.size() > k_initial_response_bytes_max) {
        auth_answers_.push_back(std::move(message));
        say(Step::auth, "AUTH PLAIN");
        return {};
    }
    step_ = Step::auth;
    output_.append("AUTH PLAIN ");
    output_.append(ByteView(message.data(), message.size()));
    return {};
}

Result<> Client::check(const Envelope& envelope) const {
    if (envelope.recipients.empty()) return fail(SmtpError::bad_argument, "no recipient");
    if (envelope.recipients.size() > k_recipients_max) {
        return fail(SmtpError::too_many_recipients);
    }
    if (needs_smtputf8(envelope) && !extensions_.smtp_utf8) {
        return fail(SmtpError::smtputf8_not_offered);
    }
    if (envelope.has_8bit && !extensions_.eight_bit_mime) {
        return fail(SmtpError::eight_bit_not_offered);
    }
    const bool limited = extensions_.size && extensions_.size_max > 0;
    if (limited && envelope.mail_bytes > extensions_.size_max) {
        return fail(SmtpError::message_too_large);
    }
    return {};
}

Result<> Client::send(Envelope envelope, MailSource source) {
    if (status() != Status::ready) return fail(SmtpError::wrong_state);
    if (!source) return fail(SmtpError::bad_argument, "no mail");
    if (auto r = check(envelope); !r) return r;
    mail_from_ = mail_from_line(envelope);
    recipients_ = std::move(envelope.recipients);
    all_recipients_or_none_ = envelope.all_recipients_or_none;
    source_ = std::move(source);
    encoder_ = {};
    refused_.clear();
    outcome_.reset();
    recipient_ = 0;
    stage_ = Stage::mail_from;
    if (must_reset_) {
        say(Step::reset, "RSET");
    } else {
        say_mail_from();
    }
    return {};
}

void Client::say_mail_from() {
    // From here on the server holds a transaction that the next mail must not inherit.
    must_reset_ = true;
    say(Step::mail_from, mail_from_);
}

std::string Client::mail_from_line(const Envelope& envelope) const {
    std::string line = "MAIL FROM:<" + envelope.from.text() + '>';
    if (extensions_.size) line += " SIZE=" + std::to_string(envelope.mail_bytes);
    if (envelope.has_8bit) line += " BODY=8BITMIME";
    if (needs_smtputf8(envelope)) line += " SMTPUTF8";
    return line;
}

Result<> Client::send_final_dot() {
    if (status() != Status::before_final_dot) return fail(SmtpError::wrong_state);
    // An answer that has begun belongs to what came before, not to the dot.
    if (within_reply_) {
        break_off(Error(SmtpError::protocol_violation, "answer before the final dot"));
        return fail(SmtpError::protocol_violation);
    }
    stage_ = Stage::final_dot;
    say(Step::final_dot, ".");
    return {};
}

}  // namespace postern::smtp
