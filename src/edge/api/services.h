#pragma once

#include "edge/api/metrics.h"
#include "features/identity/identity.h"
#include "features/identity/passkeys.h"
#include "features/identity/password_resets.h"
#include "features/identity/people.h"
#include "features/identity/provider_sign_in.h"
#include "features/identity/providers.h"
#include "features/identity/second_factors.h"
#include "features/integrations/integrations.h"
#include "features/mail/mail_service.h"
#include "features/mail/private_threads.h"
#include "features/outreach/creators.h"
#include "foundation/base/clock.h"
#include "platform/audit/audit_log.h"
#include "platform/events/event_log.h"
#include "platform/ipc/link.h"
#include "platform/store/database.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace postern::api {

/// How this server is reached and run. May change between requests (ports are known after start).
struct Site {
    std::vector<std::uint16_t> ports;  ///< of all listeners
    std::string public_url;            ///< "https://postern.example", empty: none
    std::string isolation;             ///< empty: every process is fenced; else what is missing
    std::string version;
    /// Of the audit record: "anchored", "not anchored" or "trouble", which its operator looks into.
    std::function<const char*()> audit = [] { return "not anchored"; };
};

/// What the endpoints work with. Lifetime: all of it outlives the server.
struct Services {
    identity::Identity& identity;
    identity::SecondFactors& factors;
    identity::People& people;
    identity::PasswordResets& resets;
    identity::Passkeys& passkeys;
    identity::Providers& providers;
    identity::ProviderSignIn& provider_sign_in;
    audit::AuditLog& audit;
    integrations::Integrations& integrations;
    mail::MailService& mail;
    mail::PrivateThreads& private_threads;
    outreach::Creators& creators;
    events::EventLog& events;
    store::Database& database;
    ipc::Link& keeper;
    ipc::Link& courier;
    const Clock& clock;
    const Site& site;
    Metrics& metrics;
};

}  // namespace postern::api
