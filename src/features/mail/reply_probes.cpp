#include "features/mail/reply_probes.h"

#include "features/mail/compose.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/reply_addresses.h"
#include "features/mail/send_outcome.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/os/files.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

/// A person waits for it.
constexpr auto k_send_probe_max = 2min;
/// There is one submission of each of these mails.
constexpr std::int64_t k_attempt = 1;

std::string text_for(const std::string& address) {
    return "Postern sent this mail because somebody who works with this mailbox asked whether mail "
           "to " +
           address + " arrives here; it can be deleted.\n";
}

}  // namespace

async::Task<> ReplyProbes::ask(WorkspaceId workspace, IntegrationId integration) {
    if (!asked_.insert(integration).second) co_return Result<>{};
    auto done = co_await send_one(workspace, integration);
    asked_.erase(integration);
    co_return done;
}

async::Task<SendMail> ReplyProbes::compose_mail(const Mailbox* mailbox,
                                                ReplyAddresses::Token token) {
    auto address = co_await addresses_.address_of(mailbox, token);
    if (!address) co_return fail(std::move(address.error()));
    auto id = co_await issued_.issue(mailbox, token, 1);
    if (!id) co_return fail(std::move(id.error()));
    Draft draft;
    draft.from = {mailbox->name, mailbox->address};
    draft.to = {{"", *address}};
    draft.subject = "Does mail to this address arrive?";
    draft.text = text_for(*address);
    draft.message_id = std::move(*id);
    draft.date_ms = parts_.clock.now_ms();
    draft.is_automatic = true;
    auto composed = compose(draft);
    if (!composed) co_return fail(std::move(composed.error()));
    auto raw = os::make_memory_file(as_bytes(*composed));
    if (!raw) co_return fail(std::move(raw.error()));
    SendMail ask;
    ask.message = MessageId::make(parts_.clock.now_ms());
    ask.attempt = k_attempt;
    ask.from = mailbox->address;
    ask.recipients = {std::move(*address)};
    ask.raw = std::move(*raw);
    co_return ask;
}

async::Task<> ReplyProbes::send_one(WorkspaceId workspace, IntegrationId integration) {
    auto mailbox = co_await parts_.mailboxes.find(workspace, integration);
    if (!mailbox) co_return fail(std::move(mailbox.error()));
    auto sends = co_await parts_.mailboxes.check_open(workspace, integration, MailVerb::send);
    if (!sends) co_return sends;
    auto state = co_await addresses_.state(&*mailbox);
    if (!state) co_return fail(std::move(state.error()));
    if (*state == ReplyAddressState::not_possible) {
        co_return fail(MailServiceError::reply_address_not_possible);
    }
    // One that nobody looks for would never be seen to arrive.
    auto reads =
        co_await parts_.mailboxes.check_open(workspace, integration, MailVerb::read_replies);
    if (!reads) co_return reads;
    if (*state == ReplyAddressState::waiting) co_return Result<>{};
    auto place = co_await addresses_.place_mac(&*mailbox);
    if (!place) co_return fail(std::move(place.error()));
    Sending sending{workspace, integration, {}, false};
    crypto::fill_random(sending.row.token);
    sending.row.place_mac = std::move(*place);
    auto ask = co_await compose_mail(&*mailbox, sending.row.token);
    if (!ask) co_return fail(std::move(ask.error()));
    auto ticket = co_await parts_.mailboxes.ticket(workspace, integration, MailVerb::send);
    if (!ticket) co_return fail(std::move(ticket.error()));
    ask->ticket = std::move(*ticket);
    const auto message = ask->message;
    sending_.emplace(message, std::move(sending));
    auto answer = co_await parts_.courier.call(std::move(*ask), Deadline::in(k_send_probe_max));
    // From here on no dot is allowed any more.
    auto sent = std::move(sending_.extract(message).mapped());
    if (answer) co_return co_await after_answer(std::move(sent), std::move(*answer));
    if (sent.dot_was_allowed) co_return Result<>{};
    co_return fail(std::move(answer.error()));
}

/// A recipient that is refused tells as much as a bounce.
async::Task<> ReplyProbes::after_answer(Sending sent, SendMail::Answer answer) {
    if (answer.result == SendResult::sent || answer.result == SendResult::unknown) {
        co_return Result<>{};
    }
    const bool is_about_the_mail = answer.result == SendResult::refused && !answer.transient &&
                                   answer.stage >= SendStage::rcpt_to;
    if (is_about_the_mail) co_return co_await put(std::move(sent), rows::ReplyProbeState::returned);
    const auto workspace = sent.workspace;
    const auto integration = sent.integration;
    if (sent.dot_was_allowed) {
        auto done = co_await put(std::move(sent), rows::ReplyProbeState::not_sent);
        if (!done) co_return done;
    }
    const auto error = mail_error_of(answer.error_code);
    if (error && needs_person(*error)) {
        auto told = co_await parts_.mailboxes.report(workspace, integration, error);
        if (!told) log(LogLevel::warning, "refusal_not_stored", {{"error", told.error()}});
    }
    co_return fail(error.value_or(MailError::provider_refused));
}

async::Task<> ReplyProbes::put(Sending sent, rows::ReplyProbeState state) {
    sent.row.state = state;
    sent.row.sent_at_ms = parts_.clock.now_ms();
    const auto body = [sent](store::Transaction& tx) {
        return rows::put_reply_probe(tx, sent.workspace, sent.integration, sent.row);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<> ReplyProbes::before_final_dot(BeforeFinalDot asked) {
    const auto found = sending_.find(asked.message);
    const bool may_ask =
        found != sending_.end() && asked.attempt == k_attempt && !found->second.dot_was_allowed;
    if (!may_ask) co_return fail(MailError::use_ended);
    found->second.dot_was_allowed = true;
    const auto sending = found->second;
    auto written = co_await put(sending, rows::ReplyProbeState::sent);
    if (!written) co_return written;
    // Before it can arrive: what is not looked for then is not found later.
    WatchAddresses tell{sending.integration};
    auto told = co_await parts_.courier.call(std::move(tell), Deadline::in(20s));
    if (!told) log(LogLevel::info, "watch_not_told", {{"error", told.error()}});
    if (sending_.contains(asked.message)) co_return Result<>{};
    auto undone = co_await put(sending, rows::ReplyProbeState::not_sent);
    if (!undone) log(LogLevel::warning, "probe_not_undone", {{"error", undone.error()}});
    co_return fail(MailError::use_ended);
}

}  // namespace postern::mail
