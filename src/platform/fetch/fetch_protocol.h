#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "platform/ipc/rpc.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

/// Between front and courier: what courier fetches over HTTPS. Numbers from 140 on, so that a
/// router can serve this beside the mail protocol.
namespace postern::fetch {

/// What came of it, for people; the server's own words stay in courier.
enum class FetchError {
    invalid_url,
    address_refused,
    name_not_found,
    connection_failed,
    timed_out,
    certificate_untrusted,
    certificate_wrong_name,
    certificate_expired,
    tls_failed,
    protocol_violation,
    client_unreadable,
};

constexpr ErrorInfo describe(FetchError error) {
    switch (error) {
        case FetchError::invalid_url:
            return {"address_refused", "This is no https address that can be asked."};
        case FetchError::address_refused:
            return {"address_refused",
                    "The server's address is in a private or special range, which this "
                    "installation does not allow."};
        case FetchError::name_not_found:
            return {"name_not_found", "The server's name is not known."};
        case FetchError::connection_failed:
            return {"connection_failed", "The server could not be reached."};
        case FetchError::timed_out: return {"timed_out", "The server did not answer in time."};
        case FetchError::certificate_untrusted:
            return {"certificate_untrusted",
                    "The server's certificate is not from a trusted authority."};
        case FetchError::certificate_wrong_name:
            return {"certificate_wrong_name", "The server's certificate is for another name."};
        case FetchError::certificate_expired:
            return {"certificate_expired", "The server's certificate is not valid now."};
        case FetchError::tls_failed:
            return {"tls_failed", "No encrypted connection to the server could be made."};
        case FetchError::protocol_violation:
            return {"protocol_violation", "The server answered in a way that makes no sense."};
        case FetchError::client_unreadable:
            return {"cannot_open", "The client's secret cannot be opened. Give it again."};
    }
    return {"protocol_violation", "The server answered in a way that makes no sense."};
}

/// GET, once, without a credential. Any status is an answer.
struct FetchDocument {
    static constexpr std::uint16_t k_method = 140;
    struct Answer {
        std::uint16_t status = 0;
        Bytes body;
        auto wire() { return std::tie(status, body); }
    };
    using Failure = FetchError;
    std::string url;
    std::string ca_pem;  ///< trust these authorities alone; empty: the system's
    auto wire() { return std::tie(url, ca_pem); }
};

/// How a client names itself at the token endpoint (OpenID Connect Core 1.0 section 9).
enum class ClientAuth : std::uint8_t { none = 1, basic = 2, post = 3 };

/// Where a code is exchanged, and by whom: what is sealed with a client's secret.
struct TokenEndpoint {
    static constexpr std::uint8_t k_version = 1;
    std::string url;
    std::string ca_pem;
    std::string client_id;
    ClientAuth auth = ClientAuth::none;
    auto wire() { return std::tie(url, ca_pem, client_id, auth); }
};

/// An authorization code for an ID token (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
struct ExchangeCode {
    static constexpr std::uint16_t k_method = 141;
    struct Answer {
        std::uint16_t status = 0;
        std::string id_token;  ///< empty: there was none; then `error` may say why
        std::string error;     ///< of the answer: a word of letters and "_", else empty
        auto wire() { return std::tie(status, id_token, error); }
    };
    using Failure = FetchError;
    WorkspaceId workspace;
    std::uint16_t column = 0;  ///< place of `client`
    Bytes row;
    Bytes client;  ///< TokenEndpoint and secret, as keys::SealDestined sealed them
    std::string code;
    std::string verifier;
    std::string redirect_uri;
    auto wire() { return std::tie(workspace, column, row, client, code, verifier, redirect_uri); }
};

inline constexpr std::size_t k_document_bytes_max = 64UL * 1024;
inline constexpr std::size_t k_code_bytes_max = 2000;

}  // namespace postern::fetch
