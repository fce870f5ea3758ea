#include "features/mail/providers.h"

#include <algorithm>
#include <string_view>

namespace postern::mail {
namespace {

using Words = std::string_view;

/// The same name, or one below it.
bool is_within(Words name, Words domain) {
    return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                              name[name.size() - domain.size() - 1] == '.');
}

template <typename F>
const Provider* first_where(F holds) {
    const auto all = providers();
    const auto found = std::ranges::find_if(all, holds);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name_of(SignIn sign_in) {
    switch (sign_in) {
        case SignIn::password: return "password";
        case SignIn::app_password: return "app_password";
        case SignIn::oauth: return "oauth";
        case SignIn::bridge: return "bridge";
    }
    return "password";
}

const Provider* provider_of_domain(std::string_view domain) {
    return first_where([&](const Provider& provider) {
        return std::ranges::find(provider.domains, domain) != provider.domains.end();
    });
}

const Provider* provider_of_mx(std::string_view exchanger) {
    return first_where([&](const Provider& provider) {
        return std::ranges::any_of(provider.mx,
                                   [&](Words domain) { return is_within(exchanger, domain); });
    });
}

const Provider* provider_of_host(std::string_view host) {
    return first_where([&](const Provider& provider) {
        return !host.empty() && (provider.imap.host == host || provider.smtp.host == host);
    });
}

}  // namespace postern::mail
