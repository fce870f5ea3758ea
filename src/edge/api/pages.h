#pragma once

#include "features/identity/people.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "platform/net/http/response.h"

#include <string>
#include <string_view>

namespace postern::api {

/// The few pages that need no console: plain HTML, no script, nothing from elsewhere.
[[nodiscard]] net::http::Response home_page(std::string_view version);
/// `notice`: what was wrong with the last try; empty: nothing. `token` goes into the form.
[[nodiscard]] net::http::Response setup_form(int status,
                                             std::string_view token,
                                             std::string_view notice);
/// Shows the new token, once.
[[nodiscard]] net::http::Response setup_finished(const Secret& token);
/// What an invitation is to, and a field for the password; as setup_form().
[[nodiscard]] net::http::Response invitation_form(int status,
                                                  std::string_view token,
                                                  const identity::Offer& offer,
                                                  std::string_view notice);
/// For a new password.
[[nodiscard]] net::http::Response reset_form(int status,
                                             std::string_view token,
                                             std::string_view notice);
/// Of an error that a person sees.
[[nodiscard]] int page_status(const Error& error);
[[nodiscard]] net::http::Response refused_page(std::string_view title, const Error& error);
/// A heading and a sentence.
/// After a sign-in elsewhere: leads on to the first page by itself.
[[nodiscard]] net::http::Response arrived_page(std::string_view title, std::string_view text);
[[nodiscard]] net::http::Response notice_page(int status,
                                              std::string_view title,
                                              std::string_view text);

[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace postern::api
