#pragma once

#include "foundation/base/error.h"

namespace postern::identity {

enum class IdentityError {
    unauthenticated,
    invalid_credentials,
    too_many_attempts,
    forbidden,
    no_workspace,
    workspace_needed,
    setup_token_invalid,
    setup_done,
    invalid_email,
    weak_password,
    invalid_workspace_name,
    token_not_found,
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
        case IdentityError::weak_password:
            return {"weak_password", "A password has 12 to 1,000 bytes."};
        case IdentityError::invalid_workspace_name:
            return {"invalid_workspace_name",
                    "A workspace's name has 1 to 200 bytes and no control characters."};
        case IdentityError::token_not_found: return {"not_found", "There is no such token."};
    }
    return {"unauthenticated", "Sign in, or give a valid API token."};
}

}  // namespace postern::identity
