#pragma once

#include "features/mail/courier/mail_link.h"
#include "features/mail/courier/session_context.h"
#include "foundation/base/clock.h"
#include "foundation/codec/smtp/client.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace postern::mail::courier {

/// How a step of a submission ended.
struct StepEnd {
    bool went_well = true;
    smtp::Outcome outcome;  ///< where it did not, and of the final dot
};

/// One SMTP submission connection: moves bytes between a link and the engine. Where it broke, the
/// error of a step's outcome says what the link met.
///
/// Executor: all calls from the executor's own thread.
class SmtpSession {
public:
    using Step = async::Task<StepEnd>;

    SmtpSession(std::unique_ptr<MailLink> link, SessionContext context, TlsUse tls);
    ~SmtpSession();
    SmtpSession(const SmtpSession&) = delete;
    SmtpSession& operator=(const SmtpSession&) = delete;

    /// Errors: why there is no connection. Nothing of the server was seen.
    static async::Task<std::unique_ptr<SmtpSession>> connect(SessionContext context,
                                                             MailHost host,
                                                             std::string ca_pem);

    /// Every later step but the final dot ends by then.
    void end_by(Deadline until) { until_ = until; }
    /// Greeting, EHLO and where it is to be, STARTTLS.
    Step greet();
    Step sign_in(std::string user, Secret password);
    /// Up to the final dot, which is not sent.
    Step hand_over(smtp::Envelope envelope, smtp::MailSource source);
    /// An outcome in any case: without an answer it is unknown.
    Step final_dot();
    /// Says good-bye and does not wait for the answer.
    async::Task<> leave();

    [[nodiscard]] std::string tls_version() const { return link_->tls_version(); }

private:
    Step run(Result<> started, smtp::Stage stage, std::chrono::milliseconds stall);
    [[nodiscard]] Deadline due(std::chrono::milliseconds stall) const;
    /// Whether there was anything to send.
    async::Task<bool> flush();
    void lose(const Error& error);
    [[nodiscard]] StepEnd take_end(smtp::Stage stage);

    std::unique_ptr<MailLink> link_;
    std::shared_ptr<UseRegistry::Use> use_;
    SessionOptions options_;
    TlsUse tls_;
    smtp::Client client_;
    std::optional<Error> lost_;
    std::optional<Deadline> until_;
    WipedBytes buffer_;
};

}  // namespace postern::mail::courier
