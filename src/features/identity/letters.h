#pragma once

#include "features/identity/client.h"
#include "foundation/base/clock.h"
#include "foundation/base/secret.h"
#include "platform/own_mail/own_mail.h"

#include <string>
#include <string_view>

/// What the server writes to its people. Each goes to one address, and holds nothing of what they
/// work on.
namespace postern::identity::letters {

[[nodiscard]] own_mail::Letter invitation(std::string to,
                                          std::string_view workspace,
                                          std::string_view role,
                                          const Secret& link);
[[nodiscard]] own_mail::Letter password_link(std::string to, const Secret& link);
[[nodiscard]] own_mail::Letter password_changed(std::string to, UnixMs at_ms);
/// From a device and network that were not seen before.
[[nodiscard]] own_mail::Letter signed_in(std::string to, const Client& client, UnixMs at_ms);
/// `what`: "a passkey was added".
[[nodiscard]] own_mail::Letter factors_changed(std::string to, std::string_view what, UnixMs at_ms);
/// To an owner: somebody on the machine made a link that lets this person in anew.
[[nodiscard]] own_mail::Letter recovery(std::string to, std::string_view person, UnixMs at_ms);

}  // namespace postern::identity::letters
