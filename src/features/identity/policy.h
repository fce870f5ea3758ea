#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::identity {

enum class Role : std::uint8_t { owner, manager, reader, privacy, operator_, auditor };
inline constexpr Role k_roles[] = {Role::owner,   Role::manager,   Role::reader,
                                   Role::privacy, Role::operator_, Role::auditor};

/// What an endpoint may ask for. Each one names an act, not a screen.
enum class Permission : std::uint8_t {
    see_self,              ///< who am I, sign out, show password or second factor again
    see_own_sign_in,       ///< one's own second factors and sessions; to end the latter
    change_own_password,   ///< showing the present one
    manage_own_factors,    ///< one's own second factors and recovery codes
    join_workspaces,       ///< by an invitation, or with a new one of one's own
    leave_workspace,       ///< one's own place in it
    see_workspace,         ///< the catalogue, the seal key, what happens (ids only)
    see_integrations,      ///< their settings and states; no secret is among them
    manage_integrations,   ///< connect, reconnect, rename, grant
    reseal_integrations,   ///< another secret, another holder
    open_integrations,     ///< unlock, verify, look for replies
    close_integrations,    ///< lock, revoke a grant, seal everything: ends access, needs no secret
    cut_off_integrations,  ///< for good: cut off, delete
    read_history,          ///< who was written to, when, and what came of it; creators, held mails
    read_bodies,           ///< what the mails say
    write_mail,
    judge_held,  ///< accept or refuse a held mail
    see_receipts,
    see_read_ledger,
    see_audit,     ///< who did what
    export_audit,  ///< all of it in one file
    see_people,    ///< who works here, who is asked to
    see_access,    ///< who had access to what, and when
    manage_people,
    reset_passwords,  ///< a link to a new password, for somebody else
    manage_tokens,
    manage_workspace,  ///< what holds for everybody in it
};
inline constexpr std::size_t k_permission_count =
    static_cast<std::size_t>(Permission::manage_workspace) + 1;
/// All of them.
inline constexpr auto k_permissions = [] {
    std::array<Permission, k_permission_count> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all.at(i) = static_cast<Permission>(i);
    return all;
}();

/// How well somebody has shown who they are.
enum class Standing : std::uint8_t {
    whole,
    needs_factor,     ///< has a second factor, and has not shown it in this session
    needs_enrolment,  ///< has none, and the workspace demands one
};
/// So long after password or second factor a proof counts as fresh.
inline constexpr std::int64_t k_fresh_s = 300;

namespace detail {
using Permissions = std::uint32_t;
template <typename... P>
constexpr Permissions set_of(P... permissions) {
    return ((Permissions{1} << static_cast<unsigned>(permissions)) | ... | Permissions{0});
}
}  // namespace detail

/// The whole policy: what a role may do.
[[nodiscard]] constexpr detail::Permissions permissions_of(Role role) {
    using enum Permission;
    constexpr auto k_everyone =
        detail::set_of(see_self, see_own_sign_in, change_own_password, manage_own_factors,
                       join_workspaces, leave_workspace, see_workspace, see_integrations);
    constexpr auto k_closing = detail::set_of(close_integrations, cut_off_integrations);
    constexpr auto k_work =
        detail::set_of(manage_integrations, reseal_integrations, open_integrations, read_history,
                       read_bodies, write_mail, judge_held);
    constexpr auto k_evidence = detail::set_of(see_receipts, see_read_ledger);
    switch (role) {
        case Role::owner:
            return k_everyone | k_evidence | k_closing | k_work |
                   detail::set_of(manage_tokens, manage_workspace, manage_people, reset_passwords,
                                  see_people, see_access, see_audit, export_audit);
        case Role::manager:
            return k_everyone | k_evidence | k_closing | k_work | detail::set_of(see_people);
        case Role::reader: return k_everyone | detail::set_of(read_history);
        case Role::privacy:
            return k_everyone | k_evidence | k_closing |
                   detail::set_of(read_history, read_bodies, see_people, see_access);
        case Role::operator_: return k_everyone | k_closing | detail::set_of(see_receipts);
        case Role::auditor:
            return k_everyone | k_evidence |
                   detail::set_of(see_audit, export_audit, see_people, see_access);
    }
    return 0;
}

[[nodiscard]] constexpr bool allows(Role role, Permission permission) {
    return (permissions_of(role) & detail::set_of(permission)) != 0;
}

/// What is open to somebody who has not shown all there is to show.
[[nodiscard]] constexpr bool is_open_in(Standing standing, Permission permission) {
    using enum Permission;
    switch (standing) {
        case Standing::whole: return true;
        case Standing::needs_factor: return permission == see_self;
        case Standing::needs_enrolment:
            return permission == see_self || permission == see_own_sign_in ||
                   permission == manage_own_factors;
    }
    return false;
}

/// What a person has and a token has not.
[[nodiscard]] constexpr bool is_a_persons(Permission permission) {
    using enum Permission;
    return permission == see_own_sign_in || permission == change_own_password ||
           permission == manage_own_factors || permission == join_workspaces ||
           permission == leave_workspace || permission == reset_passwords;
}

/// What nobody does with a session that was left open: a proof of the last minutes is asked for.
[[nodiscard]] constexpr bool needs_fresh_proof(Permission permission) {
    using enum Permission;
    constexpr auto k_weighty = detail::set_of(
        manage_own_factors, leave_workspace, reseal_integrations, cut_off_integrations,
        manage_tokens, manage_workspace, manage_people, reset_passwords, export_audit);
    return (k_weighty & detail::set_of(permission)) != 0;
}

/// "owner", "operator", ...: as stored, and as the API and the command line say it.
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> parse_role(std::string_view name);
/// "read_history", ...: as reports say it.
[[nodiscard]] std::string_view name_of(Permission permission);

}  // namespace postern::identity
