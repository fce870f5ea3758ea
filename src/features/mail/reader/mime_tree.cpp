#include "features/mail/reader/mime_tree.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/header_params.h"
#include "features/mail/reader/message_id.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/reader_error.h"
#include "features/mail/reader/transfer_encoding.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_type_bytes_max = 127;
constexpr std::size_t k_boundary_bytes_max = 998;

bool is_type_token(std::string_view type) {
    const std::size_t slash = type.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < type.size() &&
           type.size() <= k_type_bytes_max && std::ranges::all_of(type, [](char c) {
               return is_alpha(c) || is_digit(c) || std::string_view("/.+-_!#$&^").contains(c);
           });
}

void read_content_type(MimePart& part, const std::vector<HeaderField>& fields, Defects& defects) {
    const HeaderParams params = HeaderParams::parse(find_field(fields, "content-type"));
    if (is_type_token(params.value())) part.type = params.value();
    if (params.value() == "text") part.type = "text/plain";  // RFC 1049, before MIME
    part.charset = params.bytes("charset");
    if (part.type == "text/calendar") part.calendar_method = lower_case(params.bytes("method"));
    part.file_name = params.text("name", defects);
    if (!is_multipart(part)) return;
    part.boundary = params.bytes("boundary");
    while (!part.boundary.empty() && is_space(part.boundary.back()))
        part.boundary.pop_back();
    if (part.boundary.size() > k_boundary_bytes_max) part.boundary.clear();
}

void read_disposition(MimePart& part, const std::vector<HeaderField>& fields, Defects& defects) {
    const HeaderParams params = HeaderParams::parse(find_field(fields, "content-disposition"));
    if (params.value() == "inline") part.disposition = Disposition::inline_;
    // RFC 2183 section 2.8: unknown types count as attachment.
    if (!params.value().empty() && params.value() != "inline") {
        part.disposition = Disposition::attachment;
    }
    std::string name = params.text("filename", defects);
    if (!name.empty()) part.file_name = std::move(name);
}

// One pass over the lines. The stack holds the open multiparts, outermost first.
class Splitter {
public:
    Splitter(std::string_view raw, const ParseLimits& limits) : raw_(raw), limits_(limits) {}

    Result<MimeTree> run() {
        open_part(MimePart::k_no_parent, "text/plain");
        for (std::size_t at = 0; at < raw_.size();) {
            const std::size_t end = std::min(raw_.find('\n', at), raw_.size() - 1) + 1;
            take_line(at, end);
            if (too_many_) return fail(ReaderError::too_many_parts);
            at = end;
        }
        end_part(raw_.size());
        if (!stack_.empty()) tree_.defects.add(Defect::boundary_unclosed);
        close_down_to(0, raw_.size());
        return std::move(tree_);
    }

private:
    enum class In : std::uint8_t { header, body, between };
    struct Open {
        std::uint32_t part;
        std::uint32_t children = 0;
        std::size_t body_begin;
    };
    struct Match {
        std::size_t level;
        bool closing;
    };

    void take_line(std::size_t begin, std::size_t end) {
        std::string_view line = raw_.substr(begin, end - begin);
        if (line.ends_with('\n')) line.remove_suffix(1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("--")) {
            // Also ends a header whose blank line is missing, even by its own first boundary.
            if (in_ == In::header) end_header(begin, begin);
            if (const auto match = match_boundary(line.substr(2))) {
                take_boundary(*match, begin);
                return;
            }
        }
        if (in_ == In::header) take_header_line(line, begin, end);
    }

    void take_header_line(std::string_view line, std::size_t begin, std::size_t end) {
        if (line.empty()) {
            end_header(begin, end);
            return;
        }
        const bool first = begin == header_begin_;
        const bool folded = !first && (line.front() == ' ' || line.front() == '\t');
        if (folded || is_field_start(line)) return;
        if (first && (line.starts_with("From ") || line.starts_with(">From "))) {
            header_begin_ = end;  // the separator line of an mbox file
            return;
        }
        tree_.defects.add(Defect::header_line_broken);
        end_header(begin, begin);
    }

    void end_header(std::size_t header_end, std::size_t body_begin) {
        const std::string_view block = raw_.substr(header_begin_, header_end - header_begin_);
        std::vector<HeaderField> fields = parse_header_fields(block, limits_, tree_.defects);
        MimePart& part = tree_.parts.back();
        read_content_type(part, fields, tree_.defects);
        read_disposition(part, fields, tree_.defects);
        std::vector<std::string> ids = parse_message_ids(find_field(fields, "content-id"));
        if (!ids.empty()) part.content_id = std::move(ids.front());
        part.encoding =
            parse_transfer_encoding(unfolded(find_field(fields, "content-transfer-encoding")));
        if (part.encoding == TransferEncoding::unknown) {
            tree_.defects.add(Defect::transfer_encoding_unknown);
        }
        if (tree_.parts.size() == 1) tree_.fields = std::move(fields);
        body_begin_ = body_begin;
        in_ = In::body;
        if (is_multipart(part)) enter_multipart(part);
    }

    void enter_multipart(MimePart& part) {
        if (part.depth >= limits_.depth) {
            part.opaque = true;
            tree_.defects.add(Defect::depth_cut);
        } else if (part.boundary.empty()) {
            tree_.defects.add(Defect::boundary_missing);
        } else {
            const auto index = static_cast<std::uint32_t>(tree_.parts.size() - 1);
            stack_.push_back({index, 0, body_begin_});
            in_ = In::between;
        }
    }

    // The innermost open multipart wins: a boundary may be the beginning of another, or the same.
    std::optional<Match> match_boundary(std::string_view tail) const {
        while (!tail.empty() && (tail.back() == ' ' || tail.back() == '\t'))
            tail.remove_suffix(1);
        for (std::size_t level = stack_.size(); level-- > 0;) {
            const std::string& boundary = tree_.parts[stack_[level].part].boundary;
            if (!tail.starts_with(boundary)) continue;
            const std::string_view rest = tail.substr(boundary.size());
            if (rest.empty() || rest == "--") return Match{level, !rest.empty()};
        }
        return {};
    }

    void take_boundary(Match match, std::size_t begin) {
        end_part(begin);
        close_down_to(match.level + 1, begin);
        if (match.closing) {
            close_down_to(match.level, begin);
            in_ = In::between;
            return;
        }
        const std::uint32_t parent = stack_.back().part;
        const bool digest = tree_.parts[parent].type == "multipart/digest";
        open_part(parent, digest ? "message/rfc822" : "text/plain");
        header_begin_ = std::min(raw_.find('\n', begin), raw_.size() - 1) + 1;
    }

    void open_part(std::uint32_t parent, std::string_view type) {
        if (tree_.parts.size() > limits_.parts) {
            too_many_ = true;
            return;
        }
        MimePart part;
        part.parent = parent;
        part.type = type;
        if (parent != MimePart::k_no_parent) {
            part.depth = tree_.parts[parent].depth + 1;
            part.place = stack_.back().children++;
        }
        tree_.parts.push_back(std::move(part));
        in_ = In::header;
    }

    void end_part(std::size_t end) {
        if (in_ == In::header) end_header(end, end);
        if (in_ == In::body) tree_.parts.back().body = body_until(body_begin_, end);
        in_ = In::between;
    }

    void close_down_to(std::size_t level, std::size_t end) {
        while (stack_.size() > level) {
            const Open open = stack_.back();
            stack_.pop_back();
            MimePart& part = tree_.parts[open.part];
            part.container = open.children > 0;
            if (part.container) continue;
            // Its boundary never came: what it holds is shown as text.
            part.body = body_until(open.body_begin, end);
            tree_.defects.add(Defect::boundary_missing);
        }
    }

    // RFC 2046 section 5.1.1: the line end before a boundary belongs to the boundary.
    std::string_view body_until(std::size_t begin, std::size_t end) const {
        std::string_view body = raw_.substr(begin, std::max(end, begin) - begin);
        if (end == raw_.size()) return body;
        if (body.ends_with('\n')) body.remove_suffix(1);
        if (body.ends_with('\r')) body.remove_suffix(1);
        return body;
    }

    std::string_view raw_;
    const ParseLimits& limits_;
    MimeTree tree_;
    std::vector<Open> stack_;
    In in_ = In::header;
    std::size_t header_begin_ = 0;
    std::size_t body_begin_ = 0;
    bool too_many_ = false;
};

}  // namespace

bool is_multipart(const MimePart& part) {
    return part.type.starts_with("multipart/");
}

Result<MimeTree> split_mime(std::string_view raw, const ParseLimits& limits) {
    return Splitter(raw, limits).run();
}

}  // namespace postern::reader
