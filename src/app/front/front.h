#pragma once

#include "app/child/runtime.h"
#include "app/control/control_protocol.h"
#include "app/front/adapters.h"
#include "app/front/anchor_adapter.h"
#include "app/front/own_mail_carrier.h"
#include "app/front/reader_pool.h"
#include "app/front/trust_adapters.h"
#include "edge/api/services.h"
#include "edge/cli/admin_protocol.h"
#include "features/identity/identity.h"
#include "features/identity/passkeys.h"
#include "features/identity/password_resets.h"
#include "features/identity/people.h"
#include "features/identity/provider_sign_in.h"
#include "features/identity/providers.h"
#include "features/identity/second_factors.h"
#include "features/mail/private_threads.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/trust/registry.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/signal.h"
#include "platform/keys/seals.h"
#include "platform/store/reserve.h"

#include <list>
#include <memory>
#include <string>

namespace postern::app::front {

/// The stores that front alone opens.
struct Stores {
    std::unique_ptr<store::Database> main;
    std::unique_ptr<store::Database> index;
    store::Reserve reserve{{}};

    /// Errors: those of the store.
    [[nodiscard]] static Result<Stores> open(control::StoreAccess& access,
                                             bool create,
                                             const Clock& clock);
};

/// Every part of front, connected. Built once per process.
///
/// Executor: one thread. Lifetime: outlives every job of the runtime's task group.
class Front {
public:
    Front(child::Runtime& runtime, Stores stores);
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    /// Resumes when keeper (and, unless offline, courier) can be called.
    async::Task<> connect();
    /// Finishes what a crash interrupted and starts the jobs.
    async::Task<> begin();
    /// What belongs to a clean end, as far as that goes.
    async::Job end();
    [[nodiscard]] api::Services& services() noexcept { return services_; }
    [[nodiscard]] api::Site& site() noexcept { return site_; }

private:
    void serve_keeper();
    void serve_courier();
    void serve_admin();
    void accept_links();
    async::Task<ipc::Nothing> lease_ended(keys::LeaseEnded ended);
    async::Task<> take_in(mail::FolderSearched searched);
    async::Task<ipc::Nothing> watch_ended(mail::WatchEnded ended);
    async::Task<cli::SetupLink::Answer> make_setup_link();
    async::Task<cli::RecoverPerson::Answer> recover_person(cli::RecoverPerson asked);
    async::Task<cli::CreateToken::Answer> create_token(cli::CreateToken asked);
    async::Task<cli::Identify::Answer> identify();
    async::Task<cli::Doctor::Answer> examine();
    async::Task<cli::ListClaims::Answer> list_claims() const;
    async::Task<cli::ProveClaim::Answer> prove(cli::ProveClaim asked);
    async::Task<cli::SealAll::Answer> seal_all(cli::SealAll asked);
    async::Task<ipc::Nothing> note_host_acts(cli::NoteHostActs asked);
    async::Task<cli::VerifyAudit::Answer> verify_audit(cli::VerifyAudit asked);
    async::Task<> compare_log(os::Fd log, cli::VerifyAudit::Answer* answer);
    [[nodiscard]] bool is_anchored() const;
    [[nodiscard]] std::string anchor_trouble() const;
    async::Task<ipc::Nothing> accept_anchors();
    async::Task<cli::ExportAudit::Answer> export_audit(cli::ExportAudit asked);
    async::Job look_after_grants();
    async::Job look_after_reserve();
    async::Job look_after_audit();
    async::Task<> shorten_audit();
    async::Job run_admin(std::shared_ptr<ipc::Peer> peer);

    child::Runtime& runtime_;
    Stores stores_;
    ipc::Router keeper_router_;
    ipc::Router courier_router_;
    ipc::Router admin_router_;
    ipc::Link keeper_;
    ipc::Link courier_;
    async::Signal attached_;
    bool jobs_started_ = false;
    events::EventLog events_;
    async::BlockingPool passwords_{{.threads = 1, .queue_max = identity::k_sign_ins_waiting_max}};
    audit::AuditLog audit_;
    OwnMailCarrier own_mail_carrier_;
    own_mail::OwnMail own_mail_;
    AnchorAdapter anchor_place_;
    audit::Anchors anchors_;
    LogServerAdapter log_server_;
    audit::LoggedAnchors logged_anchors_;
    identity::Identity identity_;
    identity::SecondFactors factors_;
    identity::People people_;
    identity::PasswordResets resets_;
    identity::Passkeys passkeys_;
    identity::Providers providers_;
    identity::ProviderSignIn provider_sign_in_;
    outreach::Creators creators_;
    integrations::Integrations integrations_;
    ReaderPool readers_;
    MailboxAdapter mailboxes_;
    CreatorAdapter creator_directory_;
    mail::MailRoom room_;
    ColleagueAdapter colleagues_;
    mail::PrivateThreads private_threads_;
    MailNotifier notifier_;
    SealAdapter seals_;
    HistoryAdapter history_;
    FenceAdapter fences_;
    BearerAdapter bearers_;
    GateAdapter gate_;
    PrivacyAdapter privacy_;
    trust::Registry claims_;
    api::Site site_;
    api::Metrics metrics_;
    api::Services services_;
};

}  // namespace postern::app::front
