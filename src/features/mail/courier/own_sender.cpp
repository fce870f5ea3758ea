#include "features/mail/courier/own_sender.h"

#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/courier/submission.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/client.h"
#include "platform/async/task.h"
#include "platform/os/files.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::chrono::minutes k_send_time{2};

}  // namespace

SmtpSession::Step OwnSender::up_to_the_dot(smtp::Envelope envelope, smtp::MailSource source) {
    auto greeting = session_->greet();
    auto greeted = co_await std::move(greeting);
    if (!greeted || !greeted->went_well) co_return greeted;
    if (!account_.username.empty()) {
        auto password =
            account_.password.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
        auto signing = session_->sign_in(account_.username, std::move(password));
        auto signed_in = co_await std::move(signing);
        if (!signed_in || !signed_in->went_well) co_return signed_in;
    }
    auto handing = session_->hand_over(std::move(envelope), std::move(source));
    co_return co_await std::move(handing);
}

async::Task<SendOwnMail::Answer> OwnSender::run() {
    auto mapped = os::Mapping::of_sealed(asked_.raw.get(), k_mail_bytes_max);
    if (!mapped) co_return fail(MailError::mail_unreadable, mapped.error().detail());
    const auto mail = std::make_shared<const os::Mapping>(std::move(*mapped));
    const std::vector<std::string> recipients{asked_.to};
    auto envelope = envelope_of(account_.from, recipients, mail->bytes());
    if (!envelope) co_return fail(MailError::mail_unreadable, "envelope address");
    auto connecting = SmtpSession::connect(context_, account_.host, account_.ca_pem);
    auto connected = co_await std::move(connecting);
    if (!connected) co_return broken(SendStage::connect, connected.error());
    session_ = std::move(*connected);
    session_->end_by(Deadline::in(k_send_time));
    auto handing = up_to_the_dot(std::move(*envelope), source_of(mail));
    const auto handed = co_await std::move(handing);
    if (!handed) co_return broken(SendStage::connect, handed.error());
    if (!handed->went_well) co_return to_answer(handed->outcome, recipients);
    auto ending = session_->final_dot();
    const auto end = co_await std::move(ending);
    if (!end) co_return fail(end.error());
    auto answer = to_answer(end->outcome, recipients);
    auto leaving = session_->leave();
    (void)co_await std::move(leaving);
    co_return answer;
}

}  // namespace postern::mail::courier
