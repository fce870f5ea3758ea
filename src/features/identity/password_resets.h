#pragma once

#include "features/identity/actor.h"
#include "features/identity/identity.h"
#include "features/identity/password_resets_store.h"
#include "features/identity/place_budget.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/own_mail/own_mail.h"

#include <cstdint>
#include <optional>
#include <string>

namespace postern::identity {

inline constexpr std::int64_t k_reset_s = 30 * 60;
/// How often links are asked for in a minute, from one network and in all: each leaves a record,
/// and anybody may ask.
inline constexpr std::int64_t k_asked_at_place_max = 6;
inline constexpr std::int64_t k_asked_max = 60;

/// Links with which somebody chooses a new password: good once, for 30 minutes. None begins a
/// session, and none but the host's touches a second factor. Executor: front's thread. Lifetime:
/// outlives every coroutine that it started.
class PasswordResets {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        audit::AuditLog& audit;
        own_mail::OwnMail& mail;
        Identity& identity;
    };
    explicit PasswordResets(Parts parts) : parts_(parts) {}

    /// By mail, where somebody has this address: the same answer and work where nobody has, and
    /// where one was asked for too often. `page`: "https://postern.example/reset". Errors: no_mail,
    /// AsyncError::busy (asked too often in all, or from there).
    async::Task<> ask(std::string email, std::string page, std::string from);
    /// An owner asks for somebody of their workspace: by mail, and then nothing is answered; where
    /// no mail is sent, the link is for them to pass on. Errors: person_not_found, works_elsewhere.
    async::Task<std::optional<Secret>> ask_for(Authorized<Permission::reset_passwords> who,
                                               PersonId person,
                                               std::string page);
    /// For the command line of the machine: the token of a link that ends second factors, too.
    /// Every owner where the person works is told. Errors: person_not_found.
    async::Task<Secret> recover(std::string email);

    /// Errors: reset_invalid.
    async::Task<> look_at(std::string token);
    /// Ends every session of the person. Errors: reset_invalid, AsyncError::busy, and those of
    /// check_new_password.
    async::Task<> use(std::string token, Secret password, std::string from);

private:
    async::Task<PersonRow> find(std::string email);
    async::Task<ResetRow> find_reset(std::string token);
    /// A letter to each owner of these workspaces.
    async::Task<std::vector<own_mail::Enclosed>> letters_to_owners(
        std::vector<WorkspaceId> workspaces, std::string about);

    async::Task<std::string> stored_address(std::optional<PersonRow> person, std::string typed);
    /// Errors: AsyncError::busy.
    Result<> count_asking(const std::string& from);

    Parts parts_;
    PlaceBudget asked_{{.at_place = k_asked_at_place_max, .in_all = k_asked_max, .stretch_s = 60}};
};

/// "https://postern.example/reset?token=..."
[[nodiscard]] Secret link_with(const std::string& page, const Secret& token);

}  // namespace postern::identity
