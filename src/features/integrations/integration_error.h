#pragma once

#include "foundation/base/error.h"

namespace postern::integrations {

enum class IntegrationError {
    not_found,
    unknown_kind,
    other_account,
    verification_failed,
    busy,
    deleted,
    grant_not_found,
    access_removed,
    superseded,
    changed_meanwhile,
    region_not_allowed,
};

constexpr ErrorInfo describe(IntegrationError error) {
    switch (error) {
        case IntegrationError::not_found: return {"not_found", "There is no such integration."};
        case IntegrationError::unknown_kind:
            return {"unknown_kind", "This kind of integration is not in the catalogue."};
        case IntegrationError::other_account:
            return {"other_account",
                    "This is another account than the one the integration was made for. Connect "
                    "it as a new integration."};
        case IntegrationError::verification_failed:
            return {"verification_failed",
                    "The account could not be connected. Nothing was stored."};
        case IntegrationError::busy:
            return {"integration_busy", "Another change of this integration is under way."};
        case IntegrationError::deleted:
            return {"integration_deleted", "The integration was deleted."};
        case IntegrationError::access_removed:
            return {
                "access_removed",
                "The provider refuses access. Reconnect the integration with a new credential."};
        case IntegrationError::superseded:
            return {"integration_changed",
                    "The integration was changed by somebody else at the same moment."};
        case IntegrationError::changed_meanwhile:
            return {"precondition_failed",
                    "It was changed meanwhile. Fetch it again and repeat the change."};
        case IntegrationError::region_not_allowed:
            return {"region_not_allowed",
                    "The operator of this server keeps data in other regions than this one."};
        case IntegrationError::grant_not_found: return {"not_found", "There is no such grant."};
    }
    return {"not_found", "There is no such integration."};
}

}  // namespace postern::integrations
