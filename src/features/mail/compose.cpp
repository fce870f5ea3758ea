#include "features/mail/compose.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/address.h"
#include "foundation/crypto/random.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace postern::mail {
namespace {

constexpr std::size_t k_line_max = 76;
constexpr std::size_t k_boundary_bytes = 10;
constexpr std::size_t k_id_bytes_max = 250;

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// "Mon, 23 Nov 2026 21:07:54 +0000" (RFC 5322, section 3.3)
std::string mail_date(UnixMs time) {
    using namespace std::chrono;
    constexpr std::array<const char*, 7> k_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const sys_seconds at{seconds(time / 1000)};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss clock{at - day};
    std::array<char, 64> out{};
    const int size = std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                                   k_days.at(weekday(day).c_encoding()), unsigned(date.day()),
                                   k_months.at(unsigned(date.month()) - 1), int(date.year()),
                                   int(clock.hours().count()), int(clock.minutes().count()),
                                   int(clock.seconds().count()));
    return {out.data(), static_cast<std::size_t>(size)};
}

/// RFC 2047 encoded words of at most 75 characters, cut between characters, folded.
std::string encoded_words(std::string_view text) {
    constexpr std::size_t k_bytes_per_word = 42;
    std::string out;
    while (!text.empty()) {
        std::size_t size = std::min(text.size(), k_bytes_per_word);
        while (size > 1 && size < text.size() &&
               (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) {
            --size;
        }
        if (!out.empty()) out += "\r\n ";
        out += "=?utf-8?B?" + codec::base64(as_bytes(text.substr(0, size))) + "?=";
        text.remove_prefix(size);
    }
    return out;
}

/// Plain where that is safe: ASCII, short, and nothing that looks like an encoded word.
std::string unstructured(std::string_view text) {
    constexpr std::size_t k_plain_max = 60;
    if (is_ascii(text) && text.size() <= k_plain_max && text.find("=?") == text.npos) {
        return std::string(text);
    }
    return encoded_words(text);
}

std::string phrase(std::string_view name) {
    if (!is_ascii(name) || name.size() > 60 || name.find("=?") != name.npos) {
        return encoded_words(name);
    }
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

Result<std::string> mailbox(const MailAddress& address) {
    const auto parsed = codec::EmailAddress::parse(address.address);
    if (!parsed) return fail(ComposeError::malformed_address);
    if (has_control(address.name)) return fail(ComposeError::control_character);
    if (address.name.empty()) return parsed->text();
    return phrase(address.name) + " <" + parsed->text() + ">";
}

/// RFC 2045, section 6.7; lines end in CRLF, a lone CR or LF counts as a line end.
std::string quoted_printable(std::string_view text) {
    constexpr std::string_view k_hex = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '\r' || byte == '\n') {
            if (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
            out += "\r\n";
            column = 0;
            continue;
        }
        const bool line_end = i + 1 == text.size() || text[i + 1] == '\r' || text[i + 1] == '\n';
        const bool blank = byte == ' ' || byte == '\t';
        const bool plain = (byte > 0x20 && byte < 0x7f && byte != '=') || (blank && !line_end);
        const std::size_t width = plain ? 1 : 3;
        if (column + width > k_line_max - 1) {
            out += "=\r\n";
            column = 0;
        }
        if (plain) {
            out += static_cast<char>(byte);
        } else {
            out += '=';
            out += k_hex[byte >> 4];
            out += k_hex[byte & 15U];
        }
        column += width;
    }
    if (column != 0) out += "\r\n";
    return out;
}

std::string text_part(std::string_view type, std::string_view text) {
    return "Content-Type: " + std::string(type) +
           "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
           quoted_printable(text);
}

std::string body_of(const Draft& draft) {
    if (draft.html.empty()) return text_part("text/plain", draft.text);
    // Random, so that no text can hold it.
    const std::string boundary = "ptn-" + codec::hex(crypto::random_bytes(k_boundary_bytes));
    const std::string line = "--" + boundary;
    return "Content-Type: multipart/alternative; boundary=\"" + boundary + "\"\r\n\r\n" + line +
           "\r\n" + text_part("text/plain", draft.text) + line + "\r\n" +
           text_part("text/html", draft.html) + line + "--\r\n";
}

}  // namespace

bool is_plain_message_id(std::string_view id) {
    const auto is_plain = [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; };
    return !id.empty() && id.size() <= k_id_bytes_max && std::ranges::all_of(id, is_plain);
}

Result<std::string> compose(const Draft& draft) {
    if (has_control(draft.subject)) return fail(ComposeError::control_character);
    POSTERN_TRY(const auto from, mailbox(draft.from));
    std::string mail = "From: " + from + "\r\nTo: ";
    for (std::size_t i = 0; i < draft.to.size(); ++i) {
        POSTERN_TRY(const auto to, mailbox(draft.to[i]));
        if (i != 0) mail += ",\r\n ";
        mail += to;
    }
    if (!draft.reply_to.address.empty()) {
        POSTERN_TRY(const auto reply_to, mailbox(draft.reply_to));
        mail += "\r\nReply-To: " + reply_to;
    }
    if (draft.is_automatic) mail += "\r\nAuto-Submitted: auto-generated";
    mail += "\r\nSubject: " + unstructured(draft.subject);
    mail += "\r\nDate: " + mail_date(draft.date_ms);
    mail += "\r\nMessage-ID: <" + draft.message_id + ">";
    if (is_plain_message_id(draft.in_reply_to)) {
        mail += "\r\nIn-Reply-To: <" + draft.in_reply_to + ">";
    }
    std::string_view before = "\r\nReferences: <";
    for (const auto& id : draft.references) {
        if (!is_plain_message_id(id)) continue;
        mail += before;
        mail += id + ">";
        before = "\r\n <";
    }
    if (!draft.thread_index.empty()) mail += "\r\nThread-Index: " + draft.thread_index;
    mail += "\r\nMIME-Version: 1.0\r\n" + body_of(draft);
    return mail;
}

}  // namespace postern::mail
