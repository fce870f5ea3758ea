#pragma once

#include "features/integrations/integrations.h"
#include "features/mail/mail_room.h"
#include "features/mail/ports.h"
#include "features/outreach/creators.h"

#include <string>
#include <vector>

namespace postern::app::front {

/// Integrations as the mail feature sees them.
class MailboxAdapter final : public mail::Mailboxes {
public:
    explicit MailboxAdapter(integrations::Integrations& integrations)
        : integrations_(integrations) {}

    async::Task<mail::Mailbox> find(WorkspaceId workspace, IntegrationId id) override;
    async::Task<std::vector<mail::MailboxRef>> active() override;
    async::Task<> check_open(WorkspaceId workspace, IntegrationId id, mail::MailVerb verb) override;
    async::Task<Bytes> ticket(WorkspaceId workspace,
                              IntegrationId id,
                              mail::MailVerb verb) override;
    [[nodiscard]] bool waits_for_person(const Error& error) const override;
    [[nodiscard]] bool is_cut_off(const Error& error) const override;
    async::Task<> report(WorkspaceId workspace,
                         IntegrationId id,
                         std::optional<mail::MailError> refusal) override;

private:
    integrations::Integrations& integrations_;
};

/// Creators as the mail feature sees them.
class CreatorAdapter final : public mail::CreatorDirectory {
public:
    explicit CreatorAdapter(outreach::Creators& creators) : creators_(creators) {}
    async::Task<CreatorId> ensure(WorkspaceId workspace,
                                  std::string name,
                                  std::string address) override {
        return creators_.ensure(workspace, std::move(name), std::move(address));
    }

private:
    outreach::Creators& creators_;
};

/// Who works in a workspace, as the mail feature sees it.
class ColleagueAdapter final : public mail::Colleagues {
public:
    Result<bool> may_read(store::Transaction& tx,
                          WorkspaceId workspace,
                          PersonId person) const override;
    Result<bool> may_write(store::Transaction& tx,
                           WorkspaceId workspace,
                           PersonId person) const override;
};

/// Tells the mail feature what happened to an integration.
class MailNotifier final : public integrations::StateListener {
public:
    explicit MailNotifier(mail::MailRoom& room) : room_(room) {}
    void integration_changed(WorkspaceId workspace, IntegrationId integration) override {
        room_.mailbox_changed(workspace, integration);
    }

private:
    mail::MailRoom& room_;
};

}  // namespace postern::app::front
