#pragma once

#include "features/mail/courier/mail_link.h"
#include "features/mail/courier/session_options.h"
#include "features/mail/courier/uses.h"

#include <memory>

namespace postern::mail::courier {

/// What every session needs. Lifetime: the connector outlives it.
struct SessionContext {
    MailConnector* connector = nullptr;
    std::shared_ptr<UseRegistry::Use> use;
    SessionOptions options;
};

}  // namespace postern::mail::courier
