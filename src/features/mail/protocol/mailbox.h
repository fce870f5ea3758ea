#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "platform/ipc/wire.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

namespace postern::mail {

enum class TlsUse : std::uint8_t { implicit = 1, starttls = 2 };

struct MailHost {
    std::string host;
    std::uint16_t port = 0;
    TlsUse tls = TlsUse::implicit;
    auto wire() { return std::tie(host, port, tls); }
};

/// Where a mailbox's credential may be used: sealed with the credential, so that nobody can point a
/// password elsewhere. Encoded with ipc::Encoder; `version` is its stored format.
struct MailboxDestination {
    std::uint8_t version = 1;
    std::string address;
    std::string username;
    MailHost imap;  ///< port 0: not configured (send-only)
    MailHost smtp;
    std::string ca_pem;  ///< empty: the system's certificate authorities
    auto wire() { return std::tie(version, address, username, imap, smtp, ca_pem); }
};

[[nodiscard]] inline Bytes encode_destination(MailboxDestination destination) {
    ipc::Encoder encoder;
    encoder.put(destination);
    return {encoder.bytes().begin(), encoder.bytes().end()};
}
/// Nothing for another version or damaged bytes.
[[nodiscard]] inline std::optional<MailboxDestination> decode_destination(ByteView bytes) {
    ipc::Decoder decoder(bytes, {});
    MailboxDestination destination;
    if (!decoder.get(destination) || !decoder.finished() || destination.version != 1) {
        return std::nullopt;
    }
    return destination;
}

/// What a provider or the way to it refused. Texts are for people; codes are stable.
enum class MailError {
    ticket_refused,
    address_refused,
    name_not_found,
    connection_failed,
    timed_out,
    certificate_untrusted,
    certificate_wrong_name,
    certificate_expired,
    tls_failed,
    sign_in_refused,
    sign_in_unavailable,
    protocol_violation,
    provider_refused,
    connection_lost,
    use_ended,
    not_found,
    too_large,
    mail_refused,
    mail_unreadable,
};

constexpr ErrorInfo describe(MailError error) {
    switch (error) {
        case MailError::ticket_refused: return {"ticket_refused", "The ticket is not valid."};
        case MailError::address_refused:
            return {"address_refused",
                    "The server's address is in a private or special range, which this "
                    "installation does not allow."};
        case MailError::name_not_found:
            return {"name_not_found", "The server's name is not known."};
        case MailError::connection_failed:
            return {"connection_failed", "The mail server could not be reached."};
        case MailError::timed_out: return {"timed_out", "The mail server did not answer in time."};
        case MailError::certificate_untrusted:
            return {"certificate_untrusted",
                    "The mail server's certificate is not from a trusted authority."};
        case MailError::certificate_wrong_name:
            return {"certificate_wrong_name", "The mail server's certificate is for another name."};
        case MailError::certificate_expired:
            return {"certificate_expired", "The mail server's certificate is not valid now."};
        case MailError::tls_failed:
            return {"tls_failed", "No encrypted connection to the mail server could be made."};
        case MailError::sign_in_refused:
            return {"sign_in_refused", "The mail server refused the user name or password."};
        case MailError::sign_in_unavailable:
            return {"sign_in_unavailable",
                    "The mail server takes no sign-in at the moment. It says that this passes: "
                    "please try again later."};
        case MailError::protocol_violation:
            return {"protocol_violation", "The mail server answered in a way that makes no sense."};
        case MailError::provider_refused:
            return {"provider_refused", "The mail server refused the command."};
        case MailError::connection_lost:
            return {"connection_lost", "The connection to the mail server broke."};
        case MailError::use_ended: return {"use_ended", "The access was ended here."};
        case MailError::not_found: return {"not_found", "The mail is no longer there."};
        case MailError::too_large: return {"too_large", "The mail is larger than allowed."};
        case MailError::mail_refused:
            return {"mail_refused", "The mail server does not hand out this mail."};
        case MailError::mail_unreadable: return {"mail_unreadable", "The mail cannot be read."};
    }
    return {"mail_unreadable", "The mail cannot be read."};
}

}  // namespace postern::mail
