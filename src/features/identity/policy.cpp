#include "features/identity/policy.h"

#include <optional>
#include <string_view>

namespace postern::identity {

std::string_view name_of(Role role) {
    switch (role) {
        case Role::owner: return "owner";
        case Role::manager: return "manager";
        case Role::reader: return "reader";
        case Role::privacy: return "privacy";
        case Role::operator_: return "operator";
        case Role::auditor: return "auditor";
    }
    return "reader";
}

std::optional<Role> parse_role(std::string_view name) {
    for (const auto role : k_roles) {
        if (name_of(role) == name) return role;
    }
    return std::nullopt;
}

std::string_view name_of(Permission permission) {
    switch (permission) {
        case Permission::see_self: return "see_self";
        case Permission::see_own_sign_in: return "see_own_sign_in";
        case Permission::change_own_password: return "change_own_password";
        case Permission::manage_own_factors: return "manage_own_factors";
        case Permission::join_workspaces: return "join_workspaces";
        case Permission::leave_workspace: return "leave_workspace";
        case Permission::see_workspace: return "see_workspace";
        case Permission::see_integrations: return "see_integrations";
        case Permission::manage_integrations: return "manage_integrations";
        case Permission::reseal_integrations: return "reseal_integrations";
        case Permission::open_integrations: return "open_integrations";
        case Permission::close_integrations: return "close_integrations";
        case Permission::cut_off_integrations: return "cut_off_integrations";
        case Permission::read_history: return "read_history";
        case Permission::read_bodies: return "read_bodies";
        case Permission::write_mail: return "write_mail";
        case Permission::judge_held: return "judge_held";
        case Permission::see_receipts: return "see_receipts";
        case Permission::see_read_ledger: return "see_read_ledger";
        case Permission::see_audit: return "see_audit";
        case Permission::export_audit: return "export_audit";
        case Permission::see_people: return "see_people";
        case Permission::see_access: return "see_access";
        case Permission::manage_people: return "manage_people";
        case Permission::reset_passwords: return "reset_passwords";
        case Permission::manage_tokens: return "manage_tokens";
        case Permission::manage_workspace: return "manage_workspace";
    }
    return "see_self";
}

}  // namespace postern::identity
