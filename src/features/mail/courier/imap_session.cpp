#include "features/mail/courier/imap_session.h"

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/mail_error.h"
#include "features/mail/courier/mail_link.h"
#include "features/mail/courier/session_context.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/results.h"
#include "platform/async/task.h"
#include "platform/net/net_error.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_read_bytes = 16384;

using Status = imap::Client::Status;

imap::ClientOptions client_options(TlsUse tls) {
    imap::ClientOptions options;
    options.tls = tls == TlsUse::implicit;
    // Headers of several candidates at once, each of which may be as large as a header may be.
    options.limits.header_bytes_max = 8U << 20U;
    return options;
}

bool is_interruption(const Error& error) {
    return error.is(async::AsyncError::cancelled);
}
bool is_time_out(const Error& error) {
    return error.is(net::NetError::timed_out) || error.is(async::AsyncError::deadline_passed);
}

}  // namespace

ImapSession::ImapSession(std::unique_ptr<MailLink> link, SessionContext context, TlsUse tls)
    : link_(std::move(link)),
      use_(std::move(context.use)),
      options_(std::move(context.options)),
      client_(client_options(tls)),
      buffer_(k_read_bytes) {
    use_->on_end([this] { link_->close(); });
}

ImapSession::~ImapSession() {
    use_->on_end(nullptr);
    link_->close();
}

bool ImapSession::closed() const noexcept {
    return client_.status() == Status::closed || use_->ended();
}

bool ImapSession::is_refusal(const Error& error) const {
    return (error.is(MailError::provider_refused) || error.is(MailError::not_found)) && !closed();
}

const Error& ImapSession::note_refusal(const Error& error) {
    refused_for_now_ =
        error.is(imap::ImapError::server_unavailable) || error.is(imap::ImapError::limit_reached);
    return error;
}

std::unexpected<Error> ImapSession::refused(const Error& error) const {
    if (use_->ended()) return fail(MailError::use_ended);
    return fail(to_mail_error(error));
}

async::Task<std::unique_ptr<ImapSession>> ImapSession::connect(SessionContext context,
                                                               MailHost host,
                                                               std::string ca_pem) {
    const auto tls = host.tls;
    const auto deadline = Deadline::in(context.options.connect);
    auto connecting = context.connector->connect(std::move(host), std::move(ca_pem), deadline);
    auto link = co_await std::move(connecting);
    if (context.use->ended()) co_return fail(MailError::use_ended);
    if (!link) co_return fail(to_mail_error(link.error()));
    auto session = std::make_unique<ImapSession>(std::move(*link), std::move(context), tls);
    auto greeting = session->greet(tls);
    const auto greeted = co_await std::move(greeting);
    if (!greeted) co_return fail(greeted.error());
    co_return session;
}

async::Task<> ImapSession::greet(TlsUse tls) {
    auto settling = settle();
    const auto settled = co_await std::move(settling);
    if (!settled) co_return fail(settled.error());
    if (tls == TlsUse::starttls) {
        auto asking = ask_capabilities_if_unknown();
        const auto asked = co_await std::move(asking);
        if (!asked) co_return fail(asked.error());
        if (!client_.capabilities().start_tls) co_return fail(MailError::tls_failed, "no STARTTLS");
        auto starting = run<imap::Done>(client_.start_tls());
        const auto started = co_await std::move(starting);
        if (!started) co_return fail(MailError::tls_failed, started.error().detail());
        auto securing = link_->start_tls(Deadline::in(options_.connect));
        const auto secured = co_await std::move(securing);
        if (!secured) co_return refused(secured.error());
        if (const auto told = client_.tls_started(); !told) co_return refused(told.error());
    }
    auto asking = ask_capabilities_if_unknown();
    co_return co_await std::move(asking);
}

async::Task<> ImapSession::ask_capabilities_if_unknown() {
    if (client_.capabilities().known) co_return Result<>{};
    auto asking = run<imap::Done>(client_.ask_capabilities());
    const auto asked = co_await std::move(asking);
    if (!asked) co_return fail(asked.error());
    co_return Result<>{};
}

async::Task<> ImapSession::sign_in(std::string user, Secret password) {
    auto started = client_.sign_in(user, password);
    password = Secret();
    auto signing = run<imap::Done>(std::move(started));
    const auto signed_in = co_await std::move(signing);
    if (!signed_in) co_return fail(signed_in.error());
    auto asking = ask_capabilities_if_unknown();
    co_return co_await std::move(asking);
}

async::Task<> ImapSession::flush() {
    for (auto out = client_.take_output(); !out.empty(); out = client_.take_output()) {
        bytes_sent_ += out.size();
        auto writing = link_->write_all(std::move(out), Deadline::in(options_.stall));
        const auto written = co_await std::move(writing);
        if (use_->ended()) co_return fail(MailError::use_ended);
        if (!written) {
            client_.connection_lost();
            co_return fail(to_mail_error(written.error()));
        }
    }
    co_return Result<>{};
}

async::Task<> ImapSession::receive(Deadline deadline) {
    const std::span<std::uint8_t> into(buffer_.data(), buffer_.size());
    auto reading = link_->read_some(into, deadline);
    const auto got = co_await std::move(reading);
    if (use_->ended()) {
        client_.connection_lost();
        co_return fail(MailError::use_ended);
    }
    if (!got) co_return fail(got.error());
    if (*got == 0) {
        client_.connection_lost();
        co_return fail(MailError::connection_lost);
    }
    bytes_received_ += *got;
    const auto taken = client_.receive(ByteView(buffer_.data(), *got));
    wipe(buffer_.data(), *got);
    if (!taken) co_return fail(to_mail_error(taken.error()));
    co_return Result<>{};
}

std::unexpected<Error> ImapSession::talks_without_end() {
    client_.connection_lost();
    link_->close();
    return refused(Error(MailError::protocol_violation, "more bytes than any answer takes"));
}

async::Task<> ImapSession::settle() {
    const auto end = Deadline::in(options_.command);
    const auto bytes_max = bytes_received_ + options_.command_bytes_max;
    while (true) {
        auto flushing = flush();
        const auto flushed = co_await std::move(flushing);
        if (!flushed) co_return fail(flushed.error());
        const auto status = client_.status();
        if (status != Status::busy && status != Status::greeting_wait) co_return Result<>{};
        auto receiving = receive(end.at_most(options_.stall));
        const auto received = co_await std::move(receiving);
        if (!received) {
            client_.connection_lost();
            co_return refused(received.error());
        }
        if (bytes_received_ > bytes_max) co_return talks_without_end();
    }
}

void ImapSession::wake() {
    woken_ = true;
    if (may_interrupt_) link_->interrupt();
}

async::Task<ImapSession::IdleEnd> ImapSession::idle(Deadline until) {
    if (std::exchange(woken_, false)) co_return IdleEnd::woken;
    if (!client_.capabilities().idle) {
        auto waiting = idle_without_extension(until);
        co_return co_await std::move(waiting);
    }
    if (const auto started = client_.idle(); !started) co_return refused(started.error());
    auto flushing = flush();
    const auto flushed = co_await std::move(flushing);
    if (!flushed) co_return fail(flushed.error());
    auto end = IdleEnd::time;
    const auto bytes_max = bytes_received_ + options_.idle_bytes_max;
    while (client_.status() == Status::busy || client_.status() == Status::idling) {
        if (client_.has_folder_news()) end = IdleEnd::told;
        if (client_.take_mailbox_changed()) end = IdleEnd::changed;
        if (std::exchange(woken_, false)) end = IdleEnd::woken;
        if (end != IdleEnd::time) break;
        may_interrupt_ = true;
        auto receiving = receive(until);
        const auto received = co_await std::move(receiving);
        may_interrupt_ = false;
        if (bytes_received_ > bytes_max) co_return talks_without_end();
        if (received) continue;
        if (is_time_out(received.error())) break;
        if (is_interruption(received.error()) && woken_) continue;
        client_.connection_lost();
        co_return refused(received.error());
    }
    // The server may have refused IDLE, or ended it by itself: its answer is there already.
    if (client_.status() != Status::ready) {
        if (const auto stopped = client_.stop_idle(); !stopped) co_return refused(stopped.error());
    }
    auto finishing = run<imap::Done>({});
    const auto finished = co_await std::move(finishing);
    if (!finished) co_return fail(finished.error());
    // What came between "changed" and the end of IDLE is covered by the search that follows.
    if (client_.take_mailbox_changed()) end = IdleEnd::changed;
    co_return end;
}

async::Task<ImapSession::IdleEnd> ImapSession::idle_without_extension(Deadline until) {
    while (!until.passed()) {
        may_interrupt_ = true;
        auto receiving = receive(until.at_most(options_.noop_interval));
        const auto received = co_await std::move(receiving);
        may_interrupt_ = false;
        if (std::exchange(woken_, false)) co_return IdleEnd::woken;
        if (!received && !is_time_out(received.error())) {
            client_.connection_lost();
            co_return refused(received.error());
        }
        auto asking = run<imap::Done>(client_.noop());
        const auto asked = co_await std::move(asking);
        if (!asked) co_return fail(asked.error());
        if (client_.take_mailbox_changed()) co_return IdleEnd::changed;
        if (client_.has_folder_news()) co_return IdleEnd::told;
    }
    co_return IdleEnd::time;
}

async::Task<std::unique_ptr<ImapSession>> open_imap(SessionContext context, OpenedUse opened) {
    if (opened.destination.imap.port == 0) co_return fail(MailError::not_found, "no IMAP");
    auto connecting = ImapSession::connect(std::move(context), std::move(opened.destination.imap),
                                           std::move(opened.destination.ca_pem));
    auto session = co_await std::move(connecting);
    if (!session) co_return fail(session.error());
    auto signing =
        (*session)->sign_in(std::move(opened.destination.username), std::move(opened.password));
    const auto signed_in = co_await std::move(signing);
    if (!signed_in) co_return fail(signed_in.error());
    co_return std::move(*session);
}

}  // namespace postern::mail::courier
