#pragma once

#include "foundation/base/error.h"

namespace postern::api {

/// What the API itself refuses; everything else comes from the features.
enum class ApiError {
    not_found,
    method_not_allowed,
    misdirected,
    foreign_origin,
    unsupported_media_type,
    invalid_request,
    verification_failed,
    idempotency_key_invalid,
    idempotency_key_reused,
    idempotency_in_progress,
    idempotency_result_gone,
    too_many_streams,
    session_needed,
    passkeys_not_possible,
};

constexpr ErrorInfo describe(ApiError error) {
    switch (error) {
        case ApiError::not_found: return {"not_found", "There is nothing here."};
        case ApiError::method_not_allowed:
            return {"method_not_allowed", "This address does not take this method."};
        case ApiError::misdirected:
            return {"misdirected",
                    "This server does not answer to that host name. Use localhost, or set "
                    "public_url."};
        case ApiError::foreign_origin:
            return {"foreign_origin", "Another site may not do this in your name."};
        case ApiError::unsupported_media_type:
            return {"unsupported_media_type", "Send the body as application/json."};
        case ApiError::invalid_request:
            return {"invalid_request", "Some fields of the request are not right."};
        case ApiError::verification_failed:
            return {"verification_failed",
                    "The account could not be connected. Nothing was stored."};
        case ApiError::idempotency_key_invalid:
            return {"idempotency_key_invalid",
                    "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces."};
        case ApiError::idempotency_key_reused:
            return {"idempotency_key_reused", "This Idempotency-Key was used for another request."};
        case ApiError::idempotency_in_progress:
            return {"idempotency_in_progress",
                    "The request with this Idempotency-Key is still being worked on."};
        case ApiError::idempotency_result_gone:
            return {"idempotency_result_gone",
                    "The request was carried out, but what it made is gone since."};
        case ApiError::too_many_streams:
            return {"busy", "Too many event streams are open. Please try again."};
        case ApiError::session_needed:
            return {"session_needed", "This is a session's; an API token has none."};
        case ApiError::passkeys_not_possible:
            return {"passkeys_not_possible",
                    "Passkeys belong to a name, and public_url names an address."};
    }
    return {"not_found", "There is nothing here."};
}

}  // namespace postern::api
