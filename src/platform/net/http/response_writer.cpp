#include "platform/net/http/response_writer.h"

#include "foundation/base/bytes.h"
#include "platform/net/http/headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

namespace postern::net::http {
namespace {

constexpr std::array<std::string_view, 5> k_own_fields = {"content-length", "transfer-encoding",
                                                          "connection", "date", "content-type"};

bool is_own(std::string_view name) {
    return std::any_of(k_own_fields.begin(), k_own_fields.end(),
                       [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

bool is_clean(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

bool is_clean_name(std::string_view name) {
    return !name.empty() && is_clean(name) && name.find_first_of(" \t:") == std::string_view::npos;
}

void append_number(WipedBytes& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

/// "Date: ...\r\n"
std::string_view date_line() {
    thread_local std::time_t second = 0;
    thread_local std::string line;
    if (const auto now = std::time(nullptr); now != second) {
        second = now;
        line = "Date: " + http_date(now) + "\r\n";
    }
    return line;
}

}  // namespace

std::string http_date(std::time_t time) {
    constexpr std::array<const char*, 7> k_days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> k_months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm at{};
    gmtime_r(&time, &at);
    std::array<char, 40> text{};
    const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   k_days[static_cast<std::size_t>(at.tm_wday)], at.tm_mday,
                                   k_months[static_cast<std::size_t>(at.tm_mon)], at.tm_year + 1900,
                                   at.tm_hour, at.tm_min, at.tm_sec);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 423: return "Locked";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return "";
    }
}

bool is_writable(const Response& response) {
    // 1xx and 101 would change what follows on the wire.
    if (response.status < 200 || response.status > 599 || !is_clean(response.content_type)) {
        return false;
    }
    return std::all_of(response.headers.begin(), response.headers.end(), [](const auto& field) {
        return is_clean_name(field.first) && is_clean(field.second);
    });
}

void append_head(WipedBytes& out, const Response& response, HeadOptions options) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.append(" ");
    out.append(reason_phrase(response.status));
    out.append("\r\n");
    out.append(date_line());
    if (!response.content_type.empty()) {
        out.append("Content-Type: ");
        out.append(response.content_type);
        out.append("\r\n");
    }
    for (const auto& [name, value] : response.headers) {
        if (is_own(name)) continue;
        out.append(name);
        out.append(": ");
        out.append(value);
        out.append("\r\n");
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    if (options.framing == Framing::content_length && !bodiless) {
        out.append("Content-Length: ");
        append_number(out, options.body_size);
        out.append("\r\n");
    }
    if (options.framing == Framing::chunked) out.append("Transfer-Encoding: chunked\r\n");
    out.append(options.keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
}

}  // namespace postern::net::http
