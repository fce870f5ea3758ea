#pragma once

#include "foundation/base/error.h"

namespace postern::identity {

/// What is wrong with an identity provider, or with a sign-in that came back from one. Who signs in
/// reads the text on a page, and the record has the code.
enum class ProviderError {
    not_found,
    link_not_found,
    too_many_providers,
    unsuitable,
    secret_needed,
    last_way_in,
    not_by_provider,
    sign_in_unknown,
    refused_there,
    wrong_issuer,
    code_refused,
    token_refused,
    keys_unusable,
    turned_off,
    session_over,
    not_a_member,
    nobody_here,
    address_taken,
    linked_to_another,
    somebody_else,
};

constexpr ErrorInfo describe(ProviderError error) {
    switch (error) {
        case ProviderError::not_found: return {"not_found", "There is no such identity provider."};
        case ProviderError::link_not_found: return {"not_found", "There is no such link."};
        case ProviderError::too_many_providers:
            return {"too_many_providers",
                    "The workspace has as many identity providers as one may have."};
        case ProviderError::unsuitable:
            return {
                "provider_unsuitable",
                "What the provider says of itself is not what a sign-in needs: its issuer as it "
                "was given here, https addresses, codes with PKCE (S256), and ID tokens signed "
                "with RS256 or ES256."};
        case ProviderError::secret_needed:
            return {"provider_secret_needed",
                    "The provider's token address is another one now. Give the client's secret "
                    "again."};
        case ProviderError::last_way_in:
            return {"last_way_in", "Without this link you could not sign in any more."};
        case ProviderError::not_by_provider:
            return {"session_not_by_provider",
                    "This session was not begun with an identity provider."};
        case ProviderError::sign_in_unknown:
            return {"sign_in_unknown",
                    "This sign-in was not begun in this browser, is older than ten minutes, or was "
                    "finished already. Please begin anew."};
        case ProviderError::refused_there:
            return {"refused_there", "The identity provider did not let you in."};
        case ProviderError::wrong_issuer:
            return {"wrong_issuer", "The answer came from another identity provider."};
        case ProviderError::code_refused:
            return {"code_refused",
                    "The identity provider did not confirm the sign-in. Please begin anew."};
        case ProviderError::token_refused:
            return {"token_refused",
                    "What the identity provider confirms is not for this sign-in. Please begin "
                    "anew."};
        case ProviderError::keys_unusable:
            return {"keys_unusable",
                    "The identity provider's keys could not be had. Please try again."};
        case ProviderError::turned_off:
            return {"turned_off", "Nobody signs in with this identity provider at the moment."};
        case ProviderError::session_over:
            return {"session_over", "Your session has ended. Sign in and begin anew."};
        case ProviderError::not_a_member:
            return {"not_a_member", "You are not in this workspace any more. Ask its owner."};
        case ProviderError::nobody_here:
            return {"nobody_here",
                    "The identity provider knows you, this workspace does not. Ask its owner, or "
                    "sign in as you do and link your account there."};
        case ProviderError::address_taken:
            return {"address_taken",
                    "Somebody in this workspace has your address already. If it is you: sign in as "
                    "you do, and link your account at the identity provider."};
        case ProviderError::linked_to_another:
            return {"linked_to_another",
                    "This account at the identity provider is somebody else's here."};
        case ProviderError::somebody_else:
            return {"somebody_else",
                    "You signed in there as somebody else than here. Nothing was changed."};
    }
    return {"sign_in_unknown", "Please begin anew."};
}

}  // namespace postern::identity
