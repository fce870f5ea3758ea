#pragma once

#include "features/mail/message_vault.h"
#include "features/mail/ports.h"
#include "platform/async/task_group.h"
#include "platform/audit/audit_log.h"
#include "platform/events/event_log.h"
#include "platform/ipc/link.h"
#include "platform/store/database.h"

namespace postern::mail {

/// What every part of the mail feature works with. Lifetime: all of it outlives the feature.
struct Parts {
    store::Database& database;
    ipc::Link& keeper;
    ipc::Link& courier;
    events::EventLog& events;
    audit::AuditLog& audit;
    const Clock& clock;
    async::TaskGroup& jobs;
    Mailboxes& mailboxes;
    CreatorDirectory& creators;
    Readers& readers;
};

/// The handle under which background work opens keys at keeper.
inline constexpr std::uint64_t k_job_handle = 1;

[[nodiscard]] inline events::Event message_event(PublicText kind,
                                                 ThreadId thread,
                                                 MessageId message,
                                                 MessageState state) {
    return {kind,
            thread,
            {{"thread_id", thread.text()},
             {"message_id", message.text()},
             {"state", std::string(name_of(state))}}};
}

}  // namespace postern::mail
