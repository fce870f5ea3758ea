#pragma once

#include "edge/api/services.h"
#include "platform/net/http/request.h"
#include "platform/net/http/response.h"

#include <string>
#include <string_view>

namespace postern::api {

/// "localhost", 127.0.0.1 or [::1] with a port of ours (or none), or public_url's host: a page of
/// another site that points its own name at us is not served.
[[nodiscard]] bool is_our_host(const Site& site, std::string_view host);
/// Whether the caller named this machine itself: what is for its operator only.
[[nodiscard]] bool is_loopback_host(std::string_view host);
/// Whether a browser says that the request comes from a page of ours. Asked of whatever a cookie
/// authenticates and changes something.
[[nodiscard]] bool is_same_origin(const net::http::Request& request);
/// False where a browser says that another site sent it; true where nobody says anything.
[[nodiscard]] bool is_not_foreign(const net::http::Request& request);
/// Where a page asked for as 127.0.0.1 or [::1] stands; empty: here.
[[nodiscard]] std::string page_redirect(const net::http::Request& request);
/// Where people open a page of ours, for a link that goes elsewhere: "https://p.example/reset".
[[nodiscard]] std::string page_url(const Site& site,
                                   const net::http::Request& request,
                                   std::string_view path);
/// Where people reach this server: public_url, else where this request came to. Without a slash at
/// the end.
[[nodiscard]] std::string own_place(const Site& site, const net::http::Request& request);
/// Where an identity provider sends people back to.
[[nodiscard]] std::string callback_place(const Site& site, const net::http::Request& request);
/// The same page at public_url, where the request came to another name; empty: here.
[[nodiscard]] std::string public_place(const Site& site, const net::http::Request& request);
/// What every answer carries.
void add_security_headers(net::http::Response& response, bool is_secure);

}  // namespace postern::api
