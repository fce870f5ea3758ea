#include "features/mail/reader/parse_mail.h"

#include "features/mail/reader/address_list.h"
#include "features/mail/reader/body_plan.h"
#include "features/mail/reader/charset.h"
#include "features/mail/reader/defect.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/html_entity.h"
#include "features/mail/reader/html_text.h"
#include "features/mail/reader/mail_date.h"
#include "features/mail/reader/message_id.h"
#include "features/mail/reader/mime_tree.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/quoted_text.h"
#include "features/mail/reader/reader_error.h"
#include "features/mail/reader/sanitise_html.h"
#include "features/mail/reader/transfer_encoding.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_subject_bytes_max = 4096;
constexpr std::size_t k_keyword_bytes_max = 128;
constexpr std::size_t k_list_id_bytes_max = 512;
constexpr std::size_t k_charset_width_max = 4;  // bytes that one character may take

void read_envelope(ParsedMail& mail, const MimeTree& tree, const ParseLimits& limits) {
    const auto field = [&tree](std::string_view name) { return find_field(tree.fields, name); };
    const auto addresses = [&](std::string_view name) {
        return parse_address_list(field(name), limits.addresses, mail.defects);
    };
    const auto ids = [&](std::string_view name) {
        std::vector<std::string> list = parse_message_ids(field(name));
        if (cut_message_ids(list, limits.references)) mail.defects.add(Defect::references_cut);
        return list;
    };
    mail.subject = display_line(decode_header_text(unfolded(field("subject")), mail.defects),
                                k_subject_bytes_max);
    mail.from = addresses("from");
    mail.sender = addresses("sender");
    mail.reply_to = addresses("reply-to");
    mail.to = addresses("to");
    mail.cc = addresses("cc");
    mail.date = parse_mail_date(field("date"));
    if (!mail.date && !field("date").empty()) mail.defects.add(Defect::date_broken);
    std::vector<std::string> own = ids("message-id");
    if (!own.empty()) mail.message_id = std::move(own.front());
    mail.in_reply_to = ids("in-reply-to");
    mail.references = ids("references");
    const std::string automatic = without_comments(unfolded(field("auto-submitted")));
    mail.auto_submitted = lower_case(display_line(
        std::string_view(automatic).substr(0, automatic.find(';')), k_keyword_bytes_max));
    mail.list_id = display_line(decode_header_text(unfolded(field("list-id")), mail.defects),
                                k_list_id_bytes_max);
}

// Reads what MimeTree and BodyPlan point at.
class BodyReader {
public:
    BodyReader(ParsedMail& mail, const MimeTree& tree, const ParseLimits& limits)
        : mail_(mail), tree_(tree), limits_(limits) {
        for (const MimePart& part : tree.parts) {
            if (!part.content_id.empty()) content_ids_.insert(part.content_id);
        }
    }

    void read(const BodyPlan& plan) {
        const bool has_html = std::ranges::any_of(
            plan.pieces, [](const BodyPiece& piece) { return !piece.html.empty(); });
        for (const BodyPiece& piece : plan.pieces)
            read_piece(piece, has_html);
        const std::string_view text = cut_utf8(mail_.text, limits_.text_bytes);
        if (text.size() < mail_.text.size()) {
            mail_.text.resize(text.size());
            mail_.defects.add(Defect::text_cut);
        }
        for (const std::uint32_t index : plan.attachments)
            read_attachment(index);
    }

private:
    void read_piece(const BodyPiece& piece, bool has_html) {
        if (mail_.text.size() > limits_.text_bytes) return;
        const std::string html = joined(piece.html);
        std::string plain = body_text(joined(piece.plain));
        if (trimmed(plain).empty() && !html.empty()) {
            plain = body_text(html_to_text(html, limits_.text_bytes));
        }
        const bool blank = trimmed(plain).empty();
        if (has_html && !(html.empty() && blank)) add_html(html, plain);
        if (blank) return;
        if (!mail_.text.empty() && !mail_.text.ends_with('\n')) mail_.text.push_back('\n');
        if (mail_.text.size() <= limits_.text_bytes) mail_.text += plain;
    }

    void add_html(const std::string& html, const std::string& plain) {
        SanitiseReport report;
        const SanitiseOptions options{&content_ids_, limits_.text_bytes - mail_.html.size()};
        mail_.html += sanitise_html(html.empty() ? text_as_html(plain) : html, report, options);
        mail_.remote_images += report.remote_images;
        if (report.cut) mail_.defects.add(Defect::html_cut);
    }

    // A text between HTML parts, e.g. above and below an attachment.
    static std::string text_as_html(std::string_view plain) {
        std::string out = "<div>";
        while (!plain.empty()) {
            const std::size_t end = std::min(plain.find('\n'), plain.size());
            append_escaped(out, plain.substr(0, end));
            out += "<br>";
            plain.remove_prefix(std::min(end + 1, plain.size()));
        }
        return out + "</div>";
    }

    std::string joined(const std::vector<std::uint32_t>& parts) {
        std::string out;
        for (const std::uint32_t index : parts) {
            if (!out.empty()) out.push_back('\n');
            if (out.size() > limits_.text_bytes) break;
            out += text_of(tree_.parts[index]);
        }
        return out;
    }

    std::string text_of(const MimePart& part) {
        const std::size_t bytes_max = k_charset_width_max * limits_.text_bytes;
        const DecodedBody decoded = decode_body(part.body, part.encoding, bytes_max);
        if (decoded.broken) mail_.defects.add(Defect::transfer_encoding_broken);
        if (decoded.bytes.size() == bytes_max) mail_.defects.add(Defect::text_cut);
        Utf8Text text = to_utf8(as_text(decoded.bytes), part.charset);
        if (!text.charset_known) mail_.defects.add(Defect::charset_unknown);
        if (text.broken) mail_.defects.add(Defect::charset_broken);
        return std::move(text.text);
    }

    void read_attachment(std::uint32_t index) {
        const MimePart& part = tree_.parts[index];
        DecodedBody decoded = decode_body(part.body, part.encoding, limits_.bytes);
        if (decoded.broken) mail_.defects.add(Defect::transfer_encoding_broken);
        const bool related = part.parent != MimePart::k_no_parent &&
                             tree_.parts[part.parent].type == "multipart/related";
        const bool is_inline =
            part.disposition == Disposition::inline_ ||
            (part.disposition == Disposition::none && related && !part.content_id.empty());
        mail_.attachments.push_back({name_of(part), part.type, display_line(part.content_id, 998),
                                     is_inline, std::move(decoded.bytes)});
    }

    std::string name_of(const MimePart& part) const {
        std::string name = safe_file_name(part.file_name);
        if (!name.empty()) return name;
        struct Extension {
            std::string_view type;
            std::string_view extension;
        };
        static constexpr std::array<Extension, 10> k_extensions{{{"message/rfc822", ".eml"},
                                                                 {"image/png", ".png"},
                                                                 {"image/jpeg", ".jpg"},
                                                                 {"image/gif", ".gif"},
                                                                 {"text/calendar", ".ics"},
                                                                 {"text/plain", ".txt"},
                                                                 {"text/html", ".html"},
                                                                 {"text/csv", ".csv"},
                                                                 {"application/pdf", ".pdf"},
                                                                 {"application/zip", ".zip"}}};
        const auto found = std::ranges::find(k_extensions, part.type, &Extension::type);
        name = "attachment-" + std::to_string(mail_.attachments.size() + 1);
        return found == k_extensions.end() ? name : name + std::string(found->extension);
    }

    ParsedMail& mail_;
    const MimeTree& tree_;
    const ParseLimits& limits_;
    std::set<std::string> content_ids_;
};

}  // namespace

Result<ParsedMail> parse_mail(ByteView raw, const ParseLimits& limits) {
    if (raw.size() > limits.bytes) return fail(ReaderError::mail_too_large);
    POSTERN_TRY(MimeTree tree, split_mime(as_text(raw), limits));
    ParsedMail mail;
    mail.defects = std::move(tree.defects);
    read_envelope(mail, tree, limits);
    mail.answers_invitation = std::ranges::any_of(tree.parts, [](const MimePart& part) {
        return part.calendar_method == "reply" || part.calendar_method == "counter";
    });
    BodyReader(mail, tree, limits).read(plan_body(tree));
    QuotedSplit split = split_quoted(mail.text);
    mail.new_text = std::move(split.new_text);
    mail.quoted_text = std::move(split.quoted_text);
    return mail;
}

}  // namespace postern::reader
