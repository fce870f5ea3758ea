#pragma once

#include "features/integrations/integrations.h"
#include "features/mail/mail_service.h"
#include "features/trust/ports.h"

#include <vector>

namespace postern::app::front {

/// Integrations as the claims see them.
class SealAdapter final : public trust::SealDirectory {
public:
    explicit SealAdapter(integrations::Integrations& integrations) : integrations_(integrations) {}
    async::Task<std::vector<trust::SealedIntegration>> active() override;

private:
    integrations::Integrations& integrations_;
};

/// The outreach history as the claims see it.
class HistoryAdapter final : public trust::History {
public:
    explicit HistoryAdapter(mail::MailService& mail) : mail_(mail) {}
    async::Task<trust::OpenedThread> open(WorkspaceId workspace, ThreadId thread) override;

private:
    mail::MailService& mail_;
};

}  // namespace postern::app::front
