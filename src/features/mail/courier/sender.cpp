#include "features/mail/courier/sender.h"

#include "features/mail/courier/known_ids.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/courier/submission.h"
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

async::Task<SendMail::Answer> Sender::cross_the_dot() {
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

async::Task<SendMail::Answer> Sender::run() {
    if (opened_.destination.smtp.port == 0) co_return fail(MailError::not_found, "no SMTP");
    auto mapped = os::Mapping::of_sealed(asked_.raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(MailError::mail_unreadable, mapped.error().detail());
    const auto mail = std::make_shared<const os::Mapping>(std::move(*mapped));
    auto envelope = envelope_of(asked_.from, asked_.recipients, mail->bytes());
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
