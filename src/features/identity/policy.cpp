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

}  // namespace postern::identity
