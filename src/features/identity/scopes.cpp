#include "features/identity/scopes.h"

#include "features/identity/policy.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::identity {
namespace {

struct Scope {
    std::string_view name;
    Permission permission;
};

constexpr Scope k_scopes[] = {
    {"reseal", Permission::reseal_integrations}, {"cut_off", Permission::cut_off_integrations},
    {"tokens", Permission::manage_tokens},       {"workspace", Permission::manage_workspace},
    {"people", Permission::manage_people},       {"export", Permission::export_audit},
};
static_assert(std::ranges::all_of(k_scopes, [](const auto& scope) {
    return needs_fresh_proof(scope.permission);
}));

constexpr std::string_view k_all = "all";

}  // namespace

Scopes Scopes::all() {
    return Scopes(~detail::Permissions{0});
}

std::optional<Scopes> Scopes::of(const std::vector<std::string>& names) {
    Scopes out;
    for (const auto& name : names) {
        const auto* const found = std::ranges::find(k_scopes, name, &Scope::name);
        if (found == std::end(k_scopes)) return std::nullopt;
        out.set_ |= detail::set_of(found->permission);
    }
    return out;
}

std::optional<Scopes> Scopes::parse(std::string_view text) {
    if (text == k_all) return all();
    std::vector<std::string> names;
    for (auto left = text; !left.empty();) {
        const auto end = std::min(left.find(' '), left.size());
        names.emplace_back(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    auto scopes = of(names);
    return scopes && scopes->text() == text ? scopes : std::nullopt;
}

std::string Scopes::text() const {
    if (*this == all()) return std::string(k_all);
    std::string out;
    for (const auto name : names())
        out.append(out.empty() ? "" : " ").append(name);
    return out;
}

std::vector<std::string_view> Scopes::names() const {
    std::vector<std::string_view> out;
    for (const auto& scope : k_scopes) {
        if (allow(scope.permission)) out.push_back(scope.name);
    }
    return out;
}

bool Scopes::allow(Permission permission) const {
    return (set_ & detail::set_of(permission)) != 0;
}

bool Scopes::are_within(const Scopes& others) const {
    return (set_ & ~others.set_) == 0;
}

}  // namespace postern::identity
