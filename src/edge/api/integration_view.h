#pragma once

#include "features/integrations/integrations.h"
#include "features/mail/mail_types.h"
#include "foundation/base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

/// An integration as clients see it; nothing in it opens anything.
[[nodiscard]] std::string integration_json(const integrations::View& view, UnixMs now_ms);
[[nodiscard]] std::string grant_json(const integrations::Grant& grant, UnixMs now_ms);
[[nodiscard]] std::string lease_json(const keys::Lease& lease);
/// How replies are found, as one more line of the checklist.
[[nodiscard]] mail::Check search_check(const mail::SearchState& search);
/// Whether answers may go to an address made for their thread; good in any state, since replies are
/// found without.
[[nodiscard]] mail::Check reply_address_check(mail::ReplyAddressState state);
[[nodiscard]] std::string checks_json(const std::vector<mail::Check>& checks);

/// What stops and when, where nothing was granted for the time when nobody is there. JSON array.
[[nodiscard]] std::string notices_json(const integrations::View& view);

/// {code, text} of why a grant that was asked for beside the rest was not made.
[[nodiscard]] std::string refusal_json(const Error& error);

/// The generated secret, or its shares, beside the rest; neither where none was generated.
[[nodiscard]] std::string with_generated(std::string json,
                                         const Secret& secret,
                                         const std::vector<Secret>& shares);
[[nodiscard]] std::string holder_json(const integrations::Holder& holder);
/// The version of what PATCH edits: changes with settings and epoch, not with lease or grants.
[[nodiscard]] std::string etag_of(const integrations::View& view);

}  // namespace postern::api
