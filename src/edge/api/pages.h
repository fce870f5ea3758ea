#pragma once

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
/// A heading and a sentence.
/// After a sign-in elsewhere: leads on to the first page by itself.
[[nodiscard]] net::http::Response arrived_page(std::string_view title, std::string_view text);
[[nodiscard]] net::http::Response notice_page(int status,
                                              std::string_view title,
                                              std::string_view text);

[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace postern::api
