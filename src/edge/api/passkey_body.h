#pragma once

#include "features/identity/passkeys.h"
#include "foundation/codec/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

/// What PublicKeyCredential.toJSON() of a browser says (Web Authentication Level 3 section
/// 5.1.8), as the field `name` of a request. Members that are not asked for are passed over: they
/// are the browser's, and more of them come. Empty after an error.

/// The passkey's own name is not among it.
[[nodiscard]] identity::NewPasskey read_new_passkey(codec::ObjectReader& body,
                                                    std::string_view name,
                                                    std::vector<codec::FieldError>& errors);
[[nodiscard]] identity::ShownPasskey read_shown_passkey(codec::ObjectReader& body,
                                                        std::string_view name,
                                                        std::vector<codec::FieldError>& errors);

/// PublicKeyCredentialCreationOptionsJSON and ...RequestOptionsJSON (section 5.1.9, 5.1.10).
[[nodiscard]] std::string creation_options_json(const identity::CreationOptions& options,
                                                const identity::RelyingParty& party);
/// `user_verification`: "required" or "preferred".
[[nodiscard]] std::string request_options_json(const identity::RequestOptions& options,
                                               const identity::RelyingParty& party,
                                               std::string_view user_verification);

}  // namespace postern::api
