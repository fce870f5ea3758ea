#pragma once

#include "edge/api/router.h"

namespace postern::api {

/// Each adds the routes of one resource.
void add_health_routes(Router& router);
void add_setup_routes(Router& router);
void add_session_routes(Router& router);
void add_sessions_routes(Router& router);
void add_factor_routes(Router& router);
void add_passkey_routes(Router& router);
void add_workspace_routes(Router& router);
void add_password_routes(Router& router);
void add_token_routes(Router& router);
void add_people_routes(Router& router);
void add_invitation_routes(Router& router);
void add_password_reset_routes(Router& router);
void add_provider_routes(Router& router);
void add_provider_sign_in_routes(Router& router);
void add_catalogue_routes(Router& router);
void add_integration_routes(Router& router);
void add_integration_act_routes(Router& router);
void add_discover_routes(Router& router);
void add_thread_routes(Router& router);
void add_private_thread_routes(Router& router);
void add_message_routes(Router& router);
void add_creator_routes(Router& router);
void add_evidence_routes(Router& router);
void add_event_routes(Router& router);
void add_audit_routes(Router& router);

/// All of them.
[[nodiscard]] Router make_router();

}  // namespace postern::api
