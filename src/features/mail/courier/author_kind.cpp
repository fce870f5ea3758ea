#include "features/mail/courier/author_kind.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/codec/imap/header_block.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_value_bytes_max = 4096;
constexpr std::array<std::string_view, 3> k_autoreply_fields = {"X-Autoreply", "X-Auto-Reply",
                                                                "X-Autorespond"};

/// The start of the topmost field of this name, in lower case; empty where there is none.
std::string value_of(const imap::HeaderBlock& header, std::string_view name) {
    const auto value = header.first(name);
    return value ? codec::lower(codec::trim(value->substr(0, k_value_bytes_max))) : std::string();
}

/// "auto-replied" of "auto-replied; owner-email=..." and of "auto-replied (vacation)".
std::string_view keyword_of(std::string_view value) {
    return value.substr(0, std::min(value.find_first_of(" \t;("), value.size()));
}

bool is_report(std::string_view content_type) {
    return content_type.starts_with("multipart/report");
}

bool is_calendar(std::string_view content_type) {
    return content_type.starts_with("text/calendar");
}

/// The form of our own ids, whichever mailbox's: a program like this one has sent it.
bool is_of_postern(std::string_view message_id) {
    const auto id = codec::first_message_id(message_id);
    return id && id->starts_with("ptn1.") && id->find(".ptn.", id->find('@')) != std::string::npos;
}

bool says_autoreply(const imap::HeaderBlock& header) {
    return std::ranges::any_of(k_autoreply_fields, [&](std::string_view name) {
        const auto value = value_of(header, name);
        return !value.empty() && value != "no" && value != "false";
    });
}

}  // namespace

std::vector<std::string> author_kind_fields() {
    std::vector<std::string> out{"AUTO-SUBMITTED", "LIST-ID", "PRECEDENCE", "RETURN-PATH",
                                 "CONTENT-TYPE"};
    out.insert(out.end(), k_autoreply_fields.begin(), k_autoreply_fields.end());
    return out;
}

AuthorKind author_kind_of(const imap::HeaderBlock& header) {
    const auto content_type = value_of(header, "Content-Type");
    const auto own_id = header.first("Message-ID");
    if (is_report(content_type) || is_calendar(content_type) || header.first("List-Id") ||
        (own_id && is_of_postern(*own_id))) {
        return AuthorKind::machine;
    }
    const auto submitted = value_of(header, "Auto-Submitted");
    const auto keyword = keyword_of(submitted);
    // RFC 3834 section 5: "no" is what a person's mail may say.
    if (keyword == "no") return AuthorKind::person;
    if (keyword == "auto-replied") return AuthorKind::auto_reply;
    if (!keyword.empty()) {
        // Exchange says "auto-generated" of its out-of-office replies, too: those name what they
        // answer.
        return header.first("In-Reply-To") ? AuthorKind::auto_reply : AuthorKind::machine;
    }
    if (says_autoreply(header)) return AuthorKind::auto_reply;
    const auto precedence_value = value_of(header, "Precedence");
    const auto precedence = keyword_of(precedence_value);
    if (precedence == "list") return AuthorKind::machine;
    if (precedence == "bulk" || precedence == "junk" || precedence == "auto_reply") {
        return AuthorKind::auto_reply;
    }
    // RFC 3834 section 3.3: nobody is to answer an automatic reply.
    if (value_of(header, "Return-Path") == "<>") return AuthorKind::auto_reply;
    return AuthorKind::person;
}

bool may_be_bounce(const imap::HeaderBlock& header) {
    const auto content_type = value_of(header, "Content-Type");
    if (is_report(content_type)) {
        return content_type.find("delivery-status") != std::string::npos;
    }
    const auto author = value_of(header, "From");
    return author.find("mailer-daemon@") != std::string::npos;
}

}  // namespace postern::mail::courier
