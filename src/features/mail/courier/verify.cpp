#include "features/mail/courier/verify.h"

#include "features/mail/courier/imap_session.h"
#include "features/mail/courier/known_folders.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/smtp_session.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/smtp/outcome.h"
#include "platform/async/task.h"

#include <string>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

/// Of what a step ended with: a refusal of the server, or what the link met.
Error error_of(const smtp::Outcome& outcome) {
    if (outcome.error) return *outcome.error;
    return {MailError::provider_refused};
}

}  // namespace

void MailboxVerifier::add_good(std::string name, std::string seen) {
    answer_.checks.push_back({std::move(name), true, "", "", std::move(seen)});
}

/// Codes and texts are MailError's: nothing that a server said is shown.
void MailboxVerifier::add_failed(std::string name, const Error& error) {
    const auto info = describe(mail_error_of(error));
    answer_.checks.push_back(
        {std::move(name), false, std::string(info.code.view()), std::string(info.text.view()), ""});
}

async::Task<> MailboxVerifier::check_imap() {
    auto connecting =
        ImapSession::connect(context_, opened_.destination.imap, opened_.destination.ca_pem);
    const auto session = co_await std::move(connecting);
    if (!session) {
        add_failed("imap_connect", session.error());
        co_return Result<>{};
    }
    add_good("imap_connect", (*session)->tls_version());
    auto signing = (*session)->sign_in(opened_.destination.username, copy_of(opened_.password));
    const auto signed_in = co_await std::move(signing);
    if (!signed_in) {
        add_failed("imap_sign_in", signed_in.error());
        co_return Result<>{};
    }
    add_good("imap_sign_in", "");
    auto& engine = (*session)->engine();
    auto listing = (*session)->run<imap::FolderList>(engine.list_folders());
    const auto list = co_await std::move(listing);
    if (!list) {
        add_failed("imap_folders", list.error());
        co_return Result<>{};
    }
    const auto count = folders_to_watch(*list).size();
    const std::string sent = sent_folder(*list) ? ", with Sent" : ", no Sent";
    add_good("imap_folders", std::to_string(count) + " to watch" + sent);
    co_return Result<>{};
}

async::Task<> MailboxVerifier::check_smtp() {
    auto connecting =
        SmtpSession::connect(context_, opened_.destination.smtp, opened_.destination.ca_pem);
    const auto session = co_await std::move(connecting);
    if (!session) {
        add_failed("smtp_connect", session.error());
        co_return Result<>{};
    }
    auto greeting = (*session)->greet();
    const auto greeted = co_await std::move(greeting);
    if (!greeted || !greeted->went_well) {
        add_failed("smtp_connect", greeted ? error_of(greeted->outcome) : greeted.error());
        co_return Result<>{};
    }
    add_good("smtp_connect", (*session)->tls_version());
    auto signing = (*session)->sign_in(opened_.destination.username, copy_of(opened_.password));
    const auto signed_in = co_await std::move(signing);
    if (!signed_in || !signed_in->went_well) {
        add_failed("smtp_sign_in", signed_in ? error_of(signed_in->outcome) : signed_in.error());
        co_return Result<>{};
    }
    add_good("smtp_sign_in", "");
    auto leaving = (*session)->leave();
    co_return co_await std::move(leaving);
}

async::Task<VerifyMailbox::Answer> MailboxVerifier::run() {
    if (opened_.destination.imap.port != 0) {
        auto checking = check_imap();
        (void)co_await std::move(checking);
    }
    if (opened_.destination.smtp.port != 0 && !context_.use->ended()) {
        auto checking = check_smtp();
        (void)co_await std::move(checking);
    }
    if (context_.use->ended()) co_return fail(MailError::use_ended);
    co_return std::move(answer_);
}

}  // namespace postern::mail::courier
