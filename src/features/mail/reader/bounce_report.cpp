#include "features/mail/reader/bounce_report.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/message_id.h"
#include "features/mail/reader/mime_tree.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/reader_error.h"
#include "features/mail/reader/transfer_encoding.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_report_bytes_max = 256 * 1024;
constexpr std::size_t k_original_bytes_max = 256 * 1024;
constexpr std::size_t k_address_bytes_max = 320;
constexpr std::size_t k_ids_max = 4;
constexpr std::array<std::string_view, 5> k_actions = {"failed", "delayed", "delivered", "relayed",
                                                       "expanded"};

/// Takes up to three digits; how many there are.
std::size_t digits_at(std::string_view text, std::size_t at) {
    std::size_t count = 0;
    while (at + count < text.size() && is_digit(text[at + count]))
        ++count;
    return count;
}

/// The first "5.1.1" of a text that stands alone (RFC 3463 section 2); empty where there is none.
std::string status_in(std::string_view text) {
    for (std::size_t at = 0; at + 5 <= text.size(); ++at) {
        const bool starts = (text[at] == '2' || text[at] == '4' || text[at] == '5') &&
                            text[at + 1] == '.' &&
                            (at == 0 || (!is_digit(text[at - 1]) && text[at - 1] != '.'));
        if (!starts) continue;
        const auto subject = digits_at(text, at + 2);
        const auto dot = at + 2 + subject;
        if (subject == 0 || subject > 3 || dot >= text.size() || text[dot] != '.') continue;
        const auto detail = digits_at(text, dot + 1);
        const auto end = dot + 1 + detail;
        const bool ends = end == text.size() || text[end] != '.' || digits_at(text, end + 1) == 0;
        if (detail == 0 || detail > 3 || !ends) continue;
        return std::string(text.substr(at, end - at));
    }
    return {};
}

/// Behind "rfc822;", without brackets. Other address types than mail (x400, local) are none.
std::string address_of(std::string_view raw) {
    const std::string value = without_comments(unfolded(raw));
    const auto semicolon = value.find(';');
    std::string_view address = value;
    if (semicolon != std::string::npos) {
        const auto type = lower_case(trimmed(address.substr(0, semicolon)));
        if (type != "rfc822" && type != "utf-8") return {};
        address.remove_prefix(semicolon + 1);
    }
    address = trimmed(address);
    if (address.starts_with('<') && address.ends_with('>')) {
        address = address.substr(1, address.size() - 2);
    }
    const bool fits = address.size() <= k_address_bytes_max &&
                      address.find('@') != std::string_view::npos &&
                      address.find_first_of(" \t\r\n<>") == std::string_view::npos;
    return fits ? display_line(address, k_address_bytes_max) : std::string();
}

std::string diagnostic_of(std::string_view raw) {
    std::string value = unfolded(raw);
    if (lower_case(value.substr(0, 5)) == "smtp;") value.erase(0, 5);
    return display_line(value, k_diagnostic_bytes_max);
}

/// One group of fields per recipient (RFC 3464 section 2.1).
void read_group(std::string_view group, const ParseLimits& limits, BounceReport& out) {
    Defects defects;
    const auto fields = parse_header_fields(group, limits, defects);
    BouncedRecipient recipient;
    recipient.address = address_of(find_field(fields, "final-recipient"));
    recipient.original_address = address_of(find_field(fields, "original-recipient"));
    if (recipient.address.empty()) std::swap(recipient.address, recipient.original_address);
    if (recipient.address.empty()) return;
    const auto action = lower_case(without_comments(unfolded(find_field(fields, "action"))));
    const auto known = std::ranges::find(k_actions, trimmed(action));
    if (known == k_actions.end()) return;
    recipient.action = *known;
    const auto diagnostic = find_field(fields, "diagnostic-code");
    recipient.status = status_in(unfolded(find_field(fields, "status")));
    if (recipient.status.empty()) recipient.status = status_in(unfolded(diagnostic));
    if (recipient.status.empty()) recipient.status = *known == "delayed" ? "4.0.0" : "5.0.0";
    recipient.diagnostic = diagnostic_of(diagnostic);
    out.recipients.push_back(std::move(recipient));
}

/// Cuts at the next blank line; what is behind it stays in `text`.
std::string_view take_paragraph(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size()) {
        const auto line_end = std::min(text.find('\n', end), text.size());
        if (trimmed(text.substr(end, line_end - end)).empty()) break;
        end = std::min(line_end + 1, text.size());
    }
    const auto paragraph = text.substr(0, end);
    const auto next = std::min(text.find('\n', end), text.size());
    text.remove_prefix(std::min(next + 1, text.size()));
    return paragraph;
}

void read_status(std::string_view text, const ParseLimits& limits, BounceReport& out) {
    while (!text.empty() && out.recipients.size() < k_bounced_recipients_max)
        read_group(take_paragraph(text), limits, out);
}

void add_original_id(std::string_view header, const ParseLimits& limits, BounceReport& out) {
    Defects defects;
    auto ids = parse_message_ids(
        find_field(parse_header_fields(header.substr(0, k_original_bytes_max), limits, defects),
                   "message-id"));
    if (!ids.empty() && out.original_ids.size() < k_ids_max) {
        out.original_ids.push_back(std::move(ids.front()));
    }
}

/// "<lea@creators.example>:" and the reason below it; behind a line of hyphens the mail itself
/// (Bernstein's QSBMF).
void read_plain(std::string_view text, const ParseLimits& limits, BounceReport& out) {
    while (!text.empty()) {
        auto paragraph = take_paragraph(text);
        if (paragraph.starts_with("---")) break;
        const auto first_end = std::min(paragraph.find('\n'), paragraph.size());
        auto first = trimmed(paragraph.substr(0, first_end));
        const bool names = first.starts_with('<') && first.ends_with(">:");
        if (!names || out.recipients.size() == k_bounced_recipients_max) continue;
        first.remove_suffix(1);
        BouncedRecipient recipient;
        recipient.address = address_of(first);
        if (recipient.address.empty()) continue;
        const auto reason = paragraph.substr(first_end);
        recipient.action = "failed";
        recipient.status = status_in(reason);
        if (recipient.status.empty()) recipient.status = "5.0.0";
        recipient.diagnostic = display_line(unfolded(reason), k_diagnostic_bytes_max);
        out.recipients.push_back(std::move(recipient));
    }
    while (!text.empty() && out.original_ids.empty())
        add_original_id(take_paragraph(text), limits, out);
}

std::string decoded(const MimePart& part, std::size_t bytes_max) {
    return std::string(as_text(decode_body(part.body, part.encoding, bytes_max).bytes));
}

}  // namespace

Result<BounceReport> parse_bounce(ByteView raw, const ParseLimits& limits) {
    if (raw.size() > limits.bytes) return fail(ReaderError::mail_too_large);
    POSTERN_TRY(const MimeTree tree, split_mime(as_text(raw), limits));
    BounceReport out;
    for (const auto& part : tree.parts) {
        const bool status =
            part.type == "message/delivery-status" || part.type == "message/global-delivery-status";
        const bool original = part.type == "message/rfc822" || part.type == "message/global" ||
                              part.type == "text/rfc822-headers";
        if (status) read_status(decoded(part, k_report_bytes_max), limits, out);
        if (original) {
            const auto text = decoded(part, k_original_bytes_max);
            std::string_view rest = text;
            add_original_id(take_paragraph(rest), limits, out);
        }
    }
    const auto plain = std::ranges::find(tree.parts, "text/plain", &MimePart::type);
    if (out.recipients.empty() && plain != tree.parts.end()) {
        read_plain(decoded(*plain, k_report_bytes_max), limits, out);
    }
    return out;
}

}  // namespace postern::reader
