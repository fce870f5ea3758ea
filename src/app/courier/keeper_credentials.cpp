#include "app/courier/keeper_credentials.h"

#include "features/mail/courier/credential_source.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <chrono>
#include <utility>

namespace postern::app::courier {
namespace {

constexpr std::chrono::seconds k_redeem_time{10};

keys::Verb verb_of(mail::courier::UseFor purpose) {
    switch (purpose) {
        case mail::courier::UseFor::send: return keys::Verb::send;
        case mail::courier::UseFor::read_replies: return keys::Verb::read_replies;
        case mail::courier::UseFor::verify: break;
    }
    return keys::Verb::verify;
}

}  // namespace

async::Task<mail::courier::OpenedUse> KeeperCredentials::redeem(Bytes ticket,
                                                                mail::courier::UseFor purpose) {
    keys::Redeem ask{std::move(ticket)};
    auto opened = co_await keeper_.call(std::move(ask), Deadline::in(k_redeem_time));
    if (!opened) {
        if (opened.error().as<keys::KeyError>()) co_return fail(mail::MailError::ticket_refused);
        co_return fail(std::move(opened.error()));
    }
    if (opened->verb != verb_of(purpose)) co_return fail(mail::MailError::ticket_refused, "verb");
    auto destination = mail::decode_destination(opened->destination);
    if (!destination) co_return fail(mail::MailError::ticket_refused, "destination");
    co_return mail::courier::OpenedUse{.integration = opened->integration,
                                       .epoch = opened->epoch,
                                       .by_grant = opened->by_grant,
                                       .grant = opened->grant,
                                       .until_ms = opened->until_ms,
                                       .destination = std::move(*destination),
                                       .password = std::move(opened->credential)};
}

}  // namespace postern::app::courier
