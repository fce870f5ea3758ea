#pragma once

#include "app/child/runtime.h"
#include "edge/api/router.h"
#include "features/identity/identity.h"
#include "features/identity/trials.h"
#include "features/integrations/integrations.h"
#include "features/mail/mail_service.h"
#include "features/mail/private_trial.h"
#include "features/trust/ports.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"

#include <functional>
#include <string>
#include <utility>
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

/// Tokens and sessions as the claims see them.
class BearerAdapter final : public trust::Bearers {
public:
    explicit BearerAdapter(identity::Identity& identity) : identity_(identity) {}
    async::Task<Token> create_token() override;
    async::Task<> delete_token(WorkspaceId workspace, TokenId id) override;
    [[nodiscard]] std::vector<Made> make_others() override;

private:
    identity::Identity& identity_;
};

/// The API's gate as the claims see it: the question that every request is asked.
class GateAdapter final : public trust::Gate {
public:
    explicit GateAdapter(identity::Trials trials);
    [[nodiscard]] std::vector<std::string> roles() const override;
    async::Task<std::vector<Door>> try_doors(Asker asker) override;
    async::Task<std::vector<Ended>> end_sessions(bool really) override;

private:
    identity::Trials trials_;
    api::Router router_;
};

/// What is seen of private threads, as the claims see it.
class PrivacyAdapter final : public trust::Privacy {
public:
    explicit PrivacyAdapter(mail::PrivateTrial trial) : trial_(trial) {}
    async::Task<std::vector<Look>> look(bool is_private) override;

private:
    mail::PrivateTrial trial_;
};

/// The processes of this installation as the claims see them.
class FenceAdapter final : public trust::Fences {
public:
    /// `missing`: why it is not isolated; empty: it is. Lifetime: the runtime outlives this.
    FenceAdapter(child::Runtime& runtime, std::string missing)
        : runtime_(runtime), missing_(std::move(missing)) {}

    [[nodiscard]] const std::string& missing() const override { return missing_; }
    async::Task<trust::Processes> processes(
        std::function<bool(const trust::Processes&)> settled) override;
    [[nodiscard]] Result<bool> opens(Place place) const override;

private:
    child::Runtime& runtime_;
    std::string missing_;
};

}  // namespace postern::app::front
