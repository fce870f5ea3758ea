#pragma once

#include "edge/api/call.h"
#include "edge/api/page.h"
#include "foundation/base/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::api {

/// What a form of ours sends. Nothing where the body is too long, has more fields or is not well
/// formed. Errors: unsupported_media_type, foreign_origin.
[[nodiscard]] Result<std::optional<Fields>> form_body(const Call& call);
/// Moves the value out; empty where there is none.
[[nodiscard]] std::string take_field(Fields& fields, std::string_view name);
/// Only what a token looks like is written back into a page; empty for anything else.
[[nodiscard]] std::string shown_token(std::string_view token);
/// A one-time token and the password that comes with it.
struct LinkFields {
    std::string token;
    Secret password;
};
/// Of a page that such a link opens. As form_body().
[[nodiscard]] Result<std::optional<LinkFields>> link_form(const Call& call);
/// Of an API call, as JSON; what is wrong with it goes to `errors`. Errors: foreign_origin, and
/// those of json_body.
[[nodiscard]] Result<LinkFields> link_body(const Call& call,
                                           std::vector<codec::FieldError>& errors);
/// The token in a link to a page.
[[nodiscard]] std::string token_of_link(const Call& call);

}  // namespace postern::api
