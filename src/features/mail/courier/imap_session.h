#pragma once

#include "features/mail/courier/credential_source.h"
#include "features/mail/courier/mail_link.h"
#include "features/mail/courier/session_context.h"
#include "foundation/codec/imap/client.h"

#include <memory>
#include <string>
#include <utility>

namespace postern::mail::courier {

/// One IMAP connection: moves bytes between a link and the engine, and the engine's errors into
/// MailError. One coroutine at a time; only wake() comes from others. After an error that is none
/// of provider_refused, not_found and the like the connection is gone: closed() tells.
///
/// Executor: all calls from the executor's own thread.
class ImapSession {
public:
    /// `told`: of other folders only.
    enum class IdleEnd { changed, told, woken, time };

    ImapSession(std::unique_ptr<MailLink> link, SessionContext context, TlsUse tls);
    ~ImapSession();
    ImapSession(const ImapSession&) = delete;
    ImapSession& operator=(const ImapSession&) = delete;

    /// Connects, encrypts, reads the greeting and what the server can do.
    static async::Task<std::unique_ptr<ImapSession>> connect(SessionContext context,
                                                             MailHost host,
                                                             std::string ca_pem);
    async::Task<> sign_in(std::string user, Secret password);

    /// The engine, to start a command with; run() then brings its answer.
    [[nodiscard]] imap::Client& engine() noexcept { return client_; }
    template <typename T>
    async::Task<T> run(Result<> started) {
        refused_for_now_ = false;
        if (!started) co_return refused(started.error());
        auto settling = settle();
        const auto settled = co_await std::move(settling);
        auto answer = client_.template take<T>();
        if (use_->ended()) co_return fail(MailError::use_ended);
        if (!settled) co_return fail(settled.error());
        if (!answer) co_return refused(note_refusal(answer.error()));
        co_return std::move(*answer);
    }
    /// Waits in IDLE (without it: between two NOOPs) for a change of the open folder.
    async::Task<IdleEnd> idle(Deadline until);
    /// Ends the present idle(), or else the next one at its start.
    void wake();

    /// Whatever waits ends with an error.
    void abort() { link_->close(); }
    [[nodiscard]] bool closed() const noexcept;
    /// The server said no to the last command, and will take the next one.
    [[nodiscard]] bool is_refusal(const Error& error) const;
    /// It said that it cannot at the moment.
    [[nodiscard]] bool refused_for_now() const noexcept { return refused_for_now_; }
    /// Of IMAP, without TLS.
    [[nodiscard]] std::uint64_t bytes_received() const noexcept { return bytes_received_; }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }
    [[nodiscard]] std::string tls_version() const { return link_->tls_version(); }

private:
    async::Task<> greet(TlsUse tls);
    async::Task<> ask_capabilities_if_unknown();
    /// Until the engine waits for us.
    async::Task<> settle();
    async::Task<> flush();
    async::Task<> receive(Deadline deadline);
    async::Task<IdleEnd> idle_without_extension(Deadline until);
    [[nodiscard]] std::unexpected<Error> refused(const Error& error) const;
    const Error& note_refusal(const Error& error);
    std::unexpected<Error> talks_without_end();

    std::unique_ptr<MailLink> link_;
    std::shared_ptr<UseRegistry::Use> use_;
    SessionOptions options_;
    imap::Client client_;
    WipedBytes buffer_;
    std::uint64_t bytes_received_ = 0;
    std::uint64_t bytes_sent_ = 0;
    bool may_interrupt_ = false;
    bool woken_ = false;
    bool refused_for_now_ = false;
};

/// connect() and sign_in() with what a ticket gave.
async::Task<std::unique_ptr<ImapSession>> open_imap(SessionContext context, OpenedUse opened);

}  // namespace postern::mail::courier
