#pragma once

#include "features/mail/protocol/mailbox.h"

#include <span>
#include <string_view>

namespace postern::mail {

/// What a provider wants of somebody who connects a mailbox.
enum class SignIn {
    password,
    app_password,  ///< made for one program, in the account's settings
    oauth,         ///< takes no passwords at all
    bridge,        ///< a program of the provider on the user's own machine
};
[[nodiscard]] std::string_view name_of(SignIn sign_in);

struct ProviderHost {
    std::string_view host;
    std::uint16_t port = 0;
    TlsUse tls = TlsUse::implicit;
};

/// A mail provider that needs no looking up. All views are literals.
struct Provider {
    std::string_view id;
    std::string_view name;
    std::span<const std::string_view> domains;  ///< of its addresses
    std::span<const std::string_view> mx;       ///< its mail exchangers lie within these
    ProviderHost imap;
    ProviderHost smtp;
    SignIn sign_in = SignIn::password;
    std::span<const std::string_view> steps;  ///< in words, in order
    std::string_view
        help_url;  ///< what the hosts are from: the provider's own page, or Mozilla's file
};

[[nodiscard]] std::span<const Provider> providers();
/// By the domain of an address, lower case. Nothing: null.
[[nodiscard]] const Provider* provider_of_domain(std::string_view domain);
/// By a mail exchanger of a domain that is hosted there.
[[nodiscard]] const Provider* provider_of_mx(std::string_view exchanger);
/// By the IMAP or SMTP host that something else named.
[[nodiscard]] const Provider* provider_of_host(std::string_view host);

}  // namespace postern::mail
