#pragma once

#include "foundation/base/error.h"

#include <string_view>

namespace postern::identity {

enum class IdentityError {
    unauthenticated,
    invalid_credentials,
    too_many_attempts,
    forbidden,
    person_needed,
    no_workspace,
    workspace_needed,
    setup_token_invalid,
    setup_done,
    invalid_email,
    password_too_short,
    password_too_long,
    password_too_common,
    password_is_one_character,
    password_is_address,
    password_is_workspace_name,
    invalid_workspace_name,
    token_not_found,
    session_not_found,
    second_factor_needed,
    second_factor_enrolment_needed,
    fresh_proof_needed,
    scope_needed,
    beyond_own_rights,
    invalid_code,
    invalid_name,
    factor_not_found,
    too_many_factors,
    last_factor,
    invalid_passkey,
};

constexpr ErrorInfo describe(IdentityError error) {
    switch (error) {
        case IdentityError::unauthenticated:
            return {"unauthenticated", "Sign in, or give a valid API token."};
        case IdentityError::invalid_credentials:
            return {"invalid_credentials", "Address or password are wrong."};
        case IdentityError::too_many_attempts:
            return {"too_many_attempts", "Too many attempts. Please wait before the next try."};
        case IdentityError::forbidden: return {"forbidden", "Your role does not allow this."};
        case IdentityError::person_needed:
            return {"forbidden", "An API token may not do this. Sign in."};
        case IdentityError::no_workspace: return {"not_found", "There is no such workspace."};
        case IdentityError::workspace_needed:
            return {"workspace_needed",
                    "You belong to several workspaces: name one with Postern-Workspace."};
        case IdentityError::setup_token_invalid:
            return {"setup_token_invalid",
                    "The set-up link is not valid or too old. Make a new one with `postern "
                    "setup-link`."};
        case IdentityError::setup_done:
            return {"setup_done", "This installation is set up already. Sign in."};
        case IdentityError::invalid_email: return {"invalid_email", "This is not a mail address."};
        case IdentityError::password_too_short:
            return {"weak_password", "A password has at least 12 characters."};
        case IdentityError::password_too_long:
            return {"weak_password", "A password has at most 1,000 bytes."};
        case IdentityError::password_too_common:
            return {"weak_password", "This is one of the commonest passwords. Take another."};
        case IdentityError::password_is_one_character:
            return {"weak_password", "A password is more than one character, again and again."};
        case IdentityError::password_is_address:
            return {"weak_password", "Your address is the first thing that others try."};
        case IdentityError::password_is_workspace_name:
            return {"weak_password", "The workspace's name is the first thing that others try."};
        case IdentityError::invalid_workspace_name:
            return {"invalid_workspace_name",
                    "A workspace's name has 1 to 200 bytes and no control characters."};
        case IdentityError::token_not_found: return {"not_found", "There is no such token."};
        case IdentityError::session_not_found: return {"not_found", "There is no such session."};
        case IdentityError::second_factor_needed:
            return {"second_factor_needed",
                    "Show your second factor first: a passkey, a code of your app, or a recovery "
                    "code."};
        case IdentityError::second_factor_enrolment_needed:
            return {"second_factor_enrolment_needed",
                    "This workspace asks for a second factor. Add one to go on."};
        case IdentityError::fresh_proof_needed:
            return {"fresh_proof_needed",
                    "Confirm that it is you: this needs a proof of the last five minutes."};
        case IdentityError::scope_needed:
            return {"scope_needed", "This token was made without the scope for that."};
        case IdentityError::beyond_own_rights:
            return {"beyond_own_rights", "Nobody gives others more than they may do themselves."};
        case IdentityError::invalid_code:
            return {"invalid_code", "This code is wrong, too old, or was used before."};
        case IdentityError::invalid_name:
            return {"invalid_name", "A name has 1 to 200 bytes and no control characters."};
        case IdentityError::factor_not_found:
            return {"not_found", "There is no such second factor."};
        case IdentityError::too_many_factors:
            return {"too_many_factors", "You have as many second factors as one may have."};
        case IdentityError::last_factor:
            return {"last_factor",
                    "Your workspace asks for a second factor: add another one before you remove "
                    "this one."};
        case IdentityError::invalid_passkey:
            return {"invalid_passkey", "This passkey was not accepted. Ask for it once more."};
    }
    return {"unauthenticated", "Sign in, or give a valid API token."};
}

/// Why a password is not taken, for clients; empty for every other error.
constexpr std::string_view weakness_of(IdentityError error) {
    if (error == IdentityError::password_too_short) return "too_short";
    if (error == IdentityError::password_too_long) return "too_long";
    if (error == IdentityError::password_too_common) return "too_common";
    if (error == IdentityError::password_is_one_character) return "one_character";
    if (error == IdentityError::password_is_address) return "is_your_address";
    if (error == IdentityError::password_is_workspace_name) return "is_workspace_name";
    return {};
}

}  // namespace postern::identity
