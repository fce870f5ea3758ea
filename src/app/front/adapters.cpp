#include "app/front/adapters.h"

#include "features/identity/people_store.h"
#include "features/identity/policy.h"
#include "features/integrations/integration_error.h"
#include "features/integrations/integration_types.h"
#include "features/mail/mail_types.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <optional>
#include <utility>
#include <vector>

namespace postern::app::front {
namespace {

keys::Verb verb_of(mail::MailVerb verb) {
    return verb == mail::MailVerb::send ? keys::Verb::send : keys::Verb::read_replies;
}

}  // namespace

Result<bool> ColleagueAdapter::may_read(store::Transaction& tx,
                                        WorkspaceId workspace,
                                        PersonId person) const {
    return identity::may(tx, workspace, person, identity::Permission::read_history);
}
Result<bool> ColleagueAdapter::may_write(store::Transaction& tx,
                                         WorkspaceId workspace,
                                         PersonId person) const {
    return identity::may(tx, workspace, person, identity::Permission::write_mail);
}

async::Task<mail::Mailbox> MailboxAdapter::find(WorkspaceId workspace, IntegrationId id) {
    auto described = co_await integrations_.describe(workspace, id);
    if (!described) {
        if (described.error().is(integrations::IntegrationError::not_found)) {
            co_return fail(mail::MailServiceError::integration_not_found);
        }
        co_return fail(std::move(described.error()));
    }
    mail::Mailbox mailbox;
    mailbox.workspace = workspace;
    mailbox.id = id;
    mailbox.name = described->settings.name;
    mailbox.address = described->settings.destination.address;
    mailbox.imap_host = described->settings.destination.imap.host;
    mailbox.smtp_host = described->settings.destination.smtp.host;
    mailbox.search_label = described->integration.search_label;
    mailbox.reads_replies =
        described->integration.level == "replies" && described->settings.destination.imap.port != 0;
    mailbox.cut_off = described->integration.stored_state != integrations::StoredState::active;
    co_return mailbox;
}

async::Task<std::vector<mail::MailboxRef>> MailboxAdapter::active() {
    auto rows = co_await integrations_.list_active();
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<mail::MailboxRef> out;
    for (const auto& row : *rows)
        out.push_back({row.workspace, row.id});
    co_return out;
}

async::Task<> MailboxAdapter::check_open(WorkspaceId workspace,
                                         IntegrationId id,
                                         mail::MailVerb verb) {
    co_return co_await integrations_.check_open(workspace, id, verb_of(verb));
}

async::Task<Bytes> MailboxAdapter::ticket(WorkspaceId workspace,
                                          IntegrationId id,
                                          mail::MailVerb verb) {
    auto ticket = co_await integrations_.ticket(workspace, id, verb_of(verb));
    if (!ticket) co_return fail(std::move(ticket.error()));
    co_return std::move(ticket->ticket);
}

bool MailboxAdapter::waits_for_person(const Error& error) const {
    return error.is(keys::KeyError::integration_sealed) ||
           error.is(integrations::IntegrationError::access_removed);
}

bool MailboxAdapter::is_cut_off(const Error& error) const {
    return error.is(keys::KeyError::integration_cut_off) ||
           error.is(integrations::IntegrationError::not_found) ||
           error.is(integrations::IntegrationError::deleted);
}

async::Task<> MailboxAdapter::report(WorkspaceId workspace,
                                     IntegrationId id,
                                     std::optional<mail::MailError> refusal) {
    if (!refusal) co_return co_await integrations_.mend(workspace, id);
    std::string code(mail::describe(*refusal).code.view());
    co_return co_await integrations_.set_broken(workspace, id, std::move(code));
}

}  // namespace postern::app::front
