#pragma once

#include "features/integrations/integrations.h"
#include "foundation/codec/json.h"

#include <string>
#include <vector>

namespace postern::api {

/// What POST /v1/integrations and POST .../reconnect were given.
struct ConnectBody {
    integrations::ConnectAsk ask;
    bool is_empty_secret = false;  ///< weak_secret, before anything is asked of anybody
};
[[nodiscard]] ConnectBody read_connect(const codec::Json& json,
                                       std::vector<codec::FieldError>& errors);
/// Without a configuration the account stays where it is.
[[nodiscard]] ConnectBody read_reconnect(const codec::Json& json,
                                         std::vector<codec::FieldError>& errors);

/// "name": one line, not empty.
[[nodiscard]] std::string read_name(codec::ObjectReader& body);
/// {verbs, expires_in, hourly_ceiling?} of a grant; the caller calls finish().
[[nodiscard]] integrations::GrantAsk read_grant(codec::ObjectReader& body);

}  // namespace postern::api
