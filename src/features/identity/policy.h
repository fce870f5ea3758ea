#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::identity {

enum class Role : std::uint8_t { owner, manager, reader, privacy, operator_, auditor };
inline constexpr Role k_roles[] = {Role::owner,   Role::manager,   Role::reader,
                                   Role::privacy, Role::operator_, Role::auditor};

/// What an endpoint may ask for. Each one names an act, not a screen.
enum class Permission : std::uint8_t {
    see_workspace,        ///< who am I, the catalogue, the seal key, what happens (ids only)
    see_integrations,     ///< their settings and states; no secret is among them
    manage_integrations,  ///< connect, reconnect, rename, grant, re-seal
    open_integrations,    ///< unlock, verify, look for replies
    close_integrations,   ///< lock, revoke a grant, cut off, delete: ends access, needs no secret
    read_history,         ///< threads, messages, creators, held mails
    write_mail,
    judge_held,  ///< accept or refuse a held mail
    see_receipts,
    see_read_ledger,
    manage_tokens,
};

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
    constexpr auto k_everyone = detail::set_of(see_workspace, see_integrations);
    constexpr auto k_evidence = detail::set_of(see_receipts, see_read_ledger);
    switch (role) {
        case Role::owner:
            return k_everyone | k_evidence |
                   detail::set_of(manage_integrations, open_integrations, close_integrations,
                                  read_history, write_mail, judge_held, manage_tokens);
        case Role::manager:
            return k_everyone | k_evidence |
                   detail::set_of(manage_integrations, open_integrations, close_integrations,
                                  read_history, write_mail, judge_held);
        case Role::reader: return k_everyone | detail::set_of(read_history);
        case Role::privacy:
            return k_everyone | k_evidence | detail::set_of(close_integrations, read_history);
        case Role::operator_: return k_everyone | detail::set_of(close_integrations, see_receipts);
        case Role::auditor: return k_everyone | k_evidence;
    }
    return 0;
}

[[nodiscard]] constexpr bool allows(Role role, Permission permission) {
    return (permissions_of(role) & detail::set_of(permission)) != 0;
}

/// "owner", "operator", ...: as stored, and as the API and the command line say it.
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> parse_role(std::string_view name);

}  // namespace postern::identity
