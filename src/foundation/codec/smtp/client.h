#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/body_encoder.h"
#include "foundation/codec/smtp/extensions.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/reply.h"
#include "foundation/codec/smtp/smtp_error.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp {

/// Fills the span from its start and returns how much; 0 at the end.
using MailSource = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

struct ClientOptions {
    bool tls = false;                      ///< the connection is inside TLS from its first byte
    bool allow_plaintext_sign_in = false;  ///< only for a server on loopback
    /// A domain or "[192.0.2.1]"; anything else becomes "localhost". Servers show it to recipients.
    std::string ehlo_name = "localhost";
};

struct Envelope {
    Address from;
    std::vector<Address> recipients;
    std::uint64_t mail_bytes = 0;
    bool has_8bit = false;
    bool needs_smtputf8 = false;  ///< the header does; addresses are looked at in any case
    /// With one recipient refused nobody gets the mail.
    bool all_recipients_or_none = true;
};

/// One SMTP submission connection.
///
/// Lifecycle: write take_output() until it is empty, then receive() what arrives, until status()
/// is not waiting; then look at take_outcome(): one is there when a step failed or a mail was
/// settled. A mail stops at before_final_dot: make the point of no return durable, then call
/// send_final_dot(). Until then closing the transport is safe: nothing is delivered.
class Client {
public:
    enum class Status { waiting, ready, tls_handshake, before_final_dot, closed };

    explicit Client(ClientOptions options);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void receive(ByteView bytes);
    /// Secret: may hold a password. At most about 128 KiB of a mail at once.
    [[nodiscard]] WipedBytes take_output();
    /// The transport ended, or the caller ended it.
    void connection_lost();
    /// The caller finished the TLS handshake after start_tls(); EHLO is sent again.
    Result<> tls_started();

    [[nodiscard]] Status status() const noexcept;
    [[nodiscard]] const Extensions& extensions() const noexcept { return extensions_; }
    [[nodiscard]] std::optional<Outcome> take_outcome();

    // Each starts one step. Errors: nothing was sent.
    Result<> start_tls();
    Result<> sign_in(std::string_view user, const Secret& password);
    Result<> send(Envelope envelope, MailSource source);
    Result<> send_final_dot();
    Result<> quit();

private:
    enum class Step {
        greeting,
        ehlo,
        idle,
        starttls,
        tls_handshake,
        auth,
        reset,
        mail_from,
        rcpt_to,
        data,
        body,
        before_final_dot,
        final_dot,
        quit,
    };

    void on_reply(const Reply& reply, const Extensions& offered);
    void on_auth(const Reply& reply);
    void on_recipient(const Reply& reply);
    void on_mail_from(const Reply& reply);
    void on_settled(const Reply& reply);
    void on_early_reply(const Reply& reply);
    void say(Step step, std::string_view line);
    void say_ehlo();
    void say_mail_from();
    [[nodiscard]] std::string mail_from_line(const Envelope& envelope) const;
    void next_recipient();
    /// A refusal with 4xx or 5xx; anything else breaks the connection.
    void refuse(const Reply& reply, SmtpError error);
    void settle(Outcome outcome);
    void break_off(Error error, const Reply& reply = {});
    [[nodiscard]] Result<> check(const Envelope& envelope) const;

    ClientOptions options_;
    ReplyReader reader_;
    Extensions extensions_;
    Step step_ = Step::greeting;
    Stage stage_ = Stage::connect;
    WipedBytes output_;
    std::deque<WipedBytes> auth_answers_;  ///< each waits for a 334
    std::string mail_from_;
    std::vector<Address> recipients_;
    bool all_recipients_or_none_ = true;
    MailSource source_;
    BodyEncoder encoder_;
    std::size_t recipient_ = 0;
    std::vector<RefusedRecipient> refused_;
    std::optional<Outcome> outcome_;
    bool within_reply_ = false;
    bool tls_ = false;
    bool signed_in_ = false;
    bool must_reset_ = false;
    bool closed_ = false;
};

}  // namespace postern::smtp
