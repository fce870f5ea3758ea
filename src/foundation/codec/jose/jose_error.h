#pragma once

#include "foundation/base/error.h"

namespace postern::jose {

/// Why a token or a set of keys of an identity provider is not taken.
enum class JoseError {
    malformed,
    too_large,
    unknown_algorithm,
    unknown_extension,
    wrong_type,
    wrong_issuer,
    wrong_audience,
    wrong_party,
    expired,
    not_yet_issued,
    wrong_nonce,
    signed_in_too_long_ago,
    unknown_key,
    wrong_signature,
};

constexpr ErrorInfo describe(JoseError error) {
    switch (error) {
        case JoseError::malformed: return {"token_malformed", "The token cannot be read."};
        case JoseError::too_large: return {"token_too_large", "The token is too large."};
        case JoseError::unknown_algorithm:
            return {"token_algorithm", "The token is signed in a way that is not taken here."};
        case JoseError::unknown_extension:
            return {"token_extension", "The token asks for something that is not known here."};
        case JoseError::wrong_type: return {"token_type", "The token is one of another kind."};
        case JoseError::wrong_issuer: return {"token_issuer", "The token is of another provider."};
        case JoseError::wrong_audience:
            return {"token_audience", "The token is for somebody else."};
        case JoseError::wrong_party:
            return {"token_party", "The token was given to somebody else."};
        case JoseError::expired: return {"token_expired", "The token is too old."};
        case JoseError::not_yet_issued:
            return {"token_not_yet", "The token is of a time that is still to come."};
        case JoseError::wrong_nonce: return {"token_nonce", "The token is of another sign-in."};
        case JoseError::signed_in_too_long_ago:
            return {"token_auth_time", "The provider did not ask for a sign-in now."};
        case JoseError::unknown_key:
            return {"token_key", "The token is signed with a key that its provider has not."};
        case JoseError::wrong_signature:
            return {"token_signature", "The token's signature is not right."};
    }
    return {"token_malformed", "The token cannot be read."};
}

}  // namespace postern::jose
