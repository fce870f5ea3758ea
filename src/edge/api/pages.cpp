#include "edge/api/pages.h"

#include "edge/api/problem.h"
#include "features/identity/people.h"
#include "features/identity/policy.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

constexpr std::string_view k_style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;"
    "color:#1c2733;background:#fbfcfd}h1{font-size:1.5rem}label{display:block;margin:1rem 0 .2rem}"
    "input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #8a97a6;"
    "border-radius:4px}button{font:inherit;margin-top:1.5rem;padding:.6rem 1.4rem;border:0;"
    "border-radius:4px;background:#0b5c4a;color:#fff}code{word-break:break-all;background:#eef2f5;"
    "padding:.1rem .3rem}.notice{border-left:4px solid #b3261e;padding:.3rem .8rem;"
    "background:#fdecea}:focus-visible{outline:3px solid #f0a000}";

/// Only this style, named by its hash, and forms that stay here.
const std::string& policy() {
    static const std::string text =
        "default-src 'none'; style-src 'sha256-" +
        codec::base64(crypto::sha256(as_bytes(k_style))) +
        "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    return text;
}

std::string open_page(std::string_view title, std::size_t room = 0, std::string_view more = {}) {
    std::string html;
    html.reserve(room);
    html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .append("<title>")
        .append(title)
        .append(" - Postern</title>")
        .append(more)
        .append("<style>")
        .append(k_style)
        .append("</style></head><body><main><h1>")
        .append(title)
        .append("</h1>");
    return html;
}

net::http::Response page(int status, std::string html) {
    net::http::Response response;
    response.status = status;
    response.content_type = "text/html; charset=utf-8";
    response.body = std::move(html);
    response.body.append("</main></body></html>");
    response.headers.emplace_back("Content-Security-Policy", policy());
    return response;
}

void add_notice(std::string& html, std::string_view notice) {
    if (notice.empty()) return;
    html.append("<p class=\"notice\" role=\"alert\">").append(escape_html(notice)).append("</p>");
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

net::http::Response home_page(std::string_view version) {
    auto html = open_page("Postern");
    html.append("<p>A Postern server runs here, version ")
        .append(escape_html(version))
        .append(
            ". It writes to creators from its users' own mailboxes, and they can end its access "
            "at any moment.</p><h2>Next</h2><p>The first time: open the set-up link that the "
            "server printed; <code>postern setup-link --data DIR</code> prints a fresh one.</p>"
            "<p>Then connect a mailbox over the API under <code>/v1</code>, with the token that "
            "the set-up shows: <code>Authorization: Bearer pst_...</code></p>");
    return page(200, std::move(html));
}

net::http::Response setup_form(int status, std::string_view token, std::string_view notice) {
    auto html = open_page("Set up Postern");
    add_notice(html, notice);
    html.append("<p>This makes the first workspace and its owner, and shows an API token once.</p>")
        .append("<form method=\"post\" action=\"/setup\">")
        .append("<input type=\"hidden\" name=\"token\" value=\"")
        .append(escape_html(token))
        .append("\"><label for=\"workspace\">Name of the workspace</label>")
        .append("<input id=\"workspace\" name=\"workspace\" required maxlength=\"200\">")
        .append("<label for=\"email\">Your mail address</label>")
        .append("<input id=\"email\" name=\"email\" type=\"email\" required maxlength=\"254\" ")
        .append("autocomplete=\"username\">")
        .append("<label for=\"password\">Password, at least 12 characters</label>")
        .append("<input id=\"password\" name=\"password\" type=\"password\" required ")
        .append("minlength=\"12\" maxlength=\"1000\" autocomplete=\"new-password\">")
        .append("<button type=\"submit\">Create the owner</button></form>");
    return page(status, std::move(html));
}

net::http::Response setup_finished(const Secret& token) {
    constexpr std::size_t k_room = 4096;
    auto html = open_page("Postern is set up", k_room);
    html.append("<p>Your API token. It is shown only now: keep it where you keep passwords.</p>")
        .append("<p><code>");
    token.with_bytes([&](ByteView bytes) { html.append(as_text(bytes)); });
    html.append(
        "</code></p><p>Next: connect a mailbox with <code>POST /v1/integrations</code>.</p>");
    return page(201, std::move(html));
}

net::http::Response invitation_form(int status,
                                    std::string_view token,
                                    const identity::Offer& offer,
                                    std::string_view notice) {
    auto html = open_page("Invitation");
    add_notice(html, notice);
    html.append("<p>You are asked to work in <strong>")
        .append(escape_html(offer.workspace))
        .append("</strong> as ")
        .append(name_of(offer.role))
        .append(", with the address <strong>")
        .append(escape_html(offer.email))
        .append("</strong>.</p><form method=\"post\" action=\"/invitation\">")
        .append("<input type=\"hidden\" name=\"token\" value=\"")
        .append(escape_html(token))
        .append("\"><label for=\"password\">A new password of at least 12 characters</label>")
        .append("<input id=\"password\" name=\"password\" type=\"password\" required ")
        .append("maxlength=\"1000\" autocomplete=\"new-password\">")
        .append("<button type=\"submit\">Accept</button></form>")
        .append("<p>If you sign in here already, do so, and accept there.</p>");
    return page(status, std::move(html));
}

net::http::Response reset_form(int status, std::string_view token, std::string_view notice) {
    auto html = open_page("Choose a new password");
    add_notice(html, notice);
    html.append("<p>It ends every session of yours. Your second factor stays.</p>")
        .append("<form method=\"post\" action=\"/reset\">")
        .append("<input type=\"hidden\" name=\"token\" value=\"")
        .append(escape_html(token))
        .append("\"><label for=\"password\">New password, at least 12 characters</label>")
        .append("<input id=\"password\" name=\"password\" type=\"password\" required ")
        .append("minlength=\"12\" maxlength=\"1000\" autocomplete=\"new-password\">")
        .append("<button type=\"submit\">Change it</button></form>");
    return page(status, std::move(html));
}

int page_status(const Error& error) {
    const auto status = status_of_code(error.code());
    return status == 0 ? 500 : status;
}

net::http::Response refused_page(std::string_view title, const Error& error) {
    return notice_page(page_status(error), title, error.text());
}

net::http::Response arrived_page(std::string_view title, std::string_view text) {
    auto html =
        open_page(escape_html(title), 0, "<meta http-equiv=\"refresh\" content=\"1;url=/\">");
    html.append("<p>").append(escape_html(text)).append("</p><p><a href=\"/\">Go on</a></p>");
    return page(200, std::move(html));
}

net::http::Response notice_page(int status, std::string_view title, std::string_view text) {
    auto html = open_page(escape_html(title));
    html.append("<p>").append(escape_html(text)).append("</p>");
    return page(status, std::move(html));
}

}  // namespace postern::api
