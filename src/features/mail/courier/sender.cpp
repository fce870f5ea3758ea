#include "features/mail/courier/sender.h"

#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/reply.h"
#include "platform/async/task.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_text_bytes_max = 500;

using Answer = SendMail::Answer;
using Mail = std::shared_ptr<const os::Mapping>;

SendStage to_stage(smtp::Stage stage) {
    switch (stage) {
        case smtp::Stage::connect: return SendStage::connect;
        case smtp::Stage::greeting: return SendStage::greeting;
        case smtp::Stage::ehlo: return SendStage::ehlo;
        case smtp::Stage::starttls: return SendStage::starttls;
        case smtp::Stage::auth: return SendStage::auth;
        case smtp::Stage::mail_from: return SendStage::mail_from;
        case smtp::Stage::rcpt_to: return SendStage::rcpt_to;
        case smtp::Stage::data: return SendStage::data;
        case smtp::Stage::body: return SendStage::body;
        case smtp::Stage::final_dot: return SendStage::final_dot;
        case smtp::Stage::done: return SendStage::done;
    }
    return SendStage::connect;
}

std::string code_of(const Error& error) {
    return std::string(describe(mail_error_of(error)).code.view());
}

std::string enhanced_text(const smtp::Reply& reply) {
    if (!reply.enhanced) return {};
    return std::to_string(reply.enhanced->status_class) + "." +
           std::to_string(reply.enhanced->subject) + "." + std::to_string(reply.enhanced->detail);
}

Answer broken(SendStage stage, const Error& error) {
    Answer answer;
    answer.stage = stage;
    answer.error_code = code_of(error);
    return answer;
}

Answer to_answer(const smtp::Outcome& outcome, const std::vector<std::string>& recipients) {
    Answer answer;
    switch (outcome.verdict) {
        case smtp::Verdict::delivered: answer.result = SendResult::sent; break;
        case smtp::Verdict::transient:
            answer.result = SendResult::refused;
            answer.transient = true;
            break;
        case smtp::Verdict::permanent: answer.result = SendResult::refused; break;
        case smtp::Verdict::broken: answer.result = SendResult::broken; break;
        case smtp::Verdict::unknown: answer.result = SendResult::unknown; break;
    }
    answer.stage = to_stage(outcome.stage);
    answer.code = static_cast<std::uint16_t>(outcome.reply.code);
    answer.enhanced = enhanced_text(outcome.reply);
    answer.text = codec::clean_text(outcome.reply.text, k_text_bytes_max);
    if (outcome.error) answer.error_code = code_of(*outcome.error);
    for (const auto& refused : outcome.refused) {
        if (refused.index >= recipients.size()) continue;
        answer.refused.push_back(
            {recipients[refused.index], static_cast<std::uint16_t>(refused.reply.code)});
    }
    return answer;
}

bool is_8bit(std::uint8_t byte) {
    return byte >= 0x80;
}

std::string_view header_of(ByteView mail) {
    const auto text = as_text(mail);
    return text.substr(0, text.find("\r\n\r\n"));
}

Result<smtp::Envelope> envelope_of(const SendMail& asked, ByteView mail) {
    POSTERN_TRY(auto from, smtp::Address::parse(asked.from));
    smtp::Envelope envelope{.from = std::move(from),
                            .recipients = {},
                            .mail_bytes = mail.size(),
                            .has_8bit = std::ranges::any_of(mail, is_8bit),
                            .needs_smtputf8 = false,
                            .all_recipients_or_none = true};
    envelope.needs_smtputf8 = std::ranges::any_of(as_bytes(header_of(mail)), is_8bit);
    for (const auto& recipient : asked.recipients) {
        POSTERN_TRY(auto address, smtp::Address::parse(recipient));
        envelope.recipients.push_back(std::move(address));
    }
    return envelope;
}

smtp::MailSource source_of(Mail mail) {
    return [mail = std::move(mail),
            at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
        const auto rest = mail->bytes().subspan(at);
        const auto count = std::min(rest.size(), into.size());
        std::copy_n(rest.begin(), count, into.begin());
        at += count;
        return count;
    };
}

}  // namespace

SmtpSession::Step Sender::up_to_the_dot(smtp::Envelope envelope, smtp::MailSource source) {
    auto greeting = session_->greet();
    auto greeted = co_await std::move(greeting);
    if (!greeted || !greeted->went_well) co_return greeted;
    auto signing =
        session_->sign_in(std::move(opened_.destination.username), std::move(opened_.password));
    auto signed_in = co_await std::move(signing);
    if (!signed_in || !signed_in->went_well) co_return signed_in;
    auto handing = session_->hand_over(std::move(envelope), std::move(source));
    co_return co_await std::move(handing);
}

async::Task<Answer> Sender::cross_the_dot() {
    if (until_dot_.passed()) co_return broken(SendStage::body, Error(MailError::timed_out));
    auto asking = front_.before_final_dot(BeforeFinalDot{asked_.message, asked_.attempt});
    const auto allowed = co_await std::move(asking);
    if (context_.use->ended()) co_return broken(SendStage::body, Error(MailError::use_ended));
    if (!allowed) co_return broken(SendStage::body, allowed.error());
    auto ending = session_->final_dot();
    const auto end = co_await std::move(ending);
    if (!end) co_return fail(end.error());
    auto answer = to_answer(end->outcome, asked_.recipients);
    if (answer.result == SendResult::sent) {
        answer.given_id = id_given_by(end->outcome.reply.text, opened_.destination.smtp.host);
    }
    co_return answer;
}

async::Task<Answer> Sender::run() {
    if (opened_.destination.smtp.port == 0) co_return fail(MailError::not_found, "no SMTP");
    auto mapped = os::Mapping::of_sealed(asked_.raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(MailError::mail_unreadable, mapped.error().detail());
    const auto mail = std::make_shared<const os::Mapping>(std::move(*mapped));
    auto envelope = envelope_of(asked_, mail->bytes());
    if (!envelope) co_return fail(MailError::mail_unreadable, "envelope address");

    context_.options.connect = until_dot_.at_most(context_.options.connect).left();
    auto connecting =
        SmtpSession::connect(context_, opened_.destination.smtp, opened_.destination.ca_pem);
    auto connected = co_await std::move(connecting);
    if (!connected) co_return broken(SendStage::connect, connected.error());
    session_ = std::move(*connected);
    session_->end_by(until_dot_);
    auto handing = up_to_the_dot(std::move(*envelope), source_of(mail));
    const auto handed = co_await std::move(handing);
    if (!handed) co_return broken(SendStage::connect, handed.error());
    if (!handed->went_well) co_return to_answer(handed->outcome, asked_.recipients);
    auto crossing = cross_the_dot();
    auto answer = co_await std::move(crossing);
    auto leaving = session_->leave();
    (void)co_await std::move(leaving);
    co_return answer;
}

}  // namespace postern::mail::courier
