#include "edge/cli/recovery_sheet.h"

#include "edge/cli/installation.h"
#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/codec/qr.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {
namespace {

// A page of A4, in millimetres; it fits on US Letter, too.
constexpr int k_page_height = 270;
constexpr int k_code_side = 90;
constexpr std::size_t k_line_characters = 48;

class Writer {
public:
    void add(std::string_view text) { out_.append(text); }
    void add(ByteView bytes) { out_.append(bytes); }
    void add(std::size_t number) { out_.append(std::to_string(number)); }
    [[nodiscard]] Secret take() const { return Secret::copy_of(ByteView(out_)); }

private:
    WipedBytes out_;
};

std::string title_of(const Kit& kit, std::size_t at) {
    return "Postern recovery kit: share " + std::to_string(at + 1) + " of " +
           std::to_string(kit.shares.size());
}

std::vector<std::string> words_of(const Kit& kit) {
    std::vector<std::string> words;
    words.push_back("Root key " + kit.fingerprint);
    if (kit.scheme.threshold == 1) {
        words.emplace_back(
            "This one share, together with the data directory, restores the root key.");
    } else {
        words.push_back("Any " + std::to_string(kit.scheme.threshold) + " of the " +
                        std::to_string(kit.scheme.shares) +
                        " shares, together with the data directory, restore the root key. Fewer "
                        "give nothing.");
    }
    words.emplace_back(
        "Keep it apart from the machine, from its backups and from the other shares.");
    words.emplace_back(
        "To restore: postern recover --data DIR, then type or scan the shares, one a line.");
    words.emplace_back("A newer recovery kit makes this one void: then destroy this sheet.");
    return words;
}

/// The code within a square of `side` units at (left, top), its quiet zone included.
void draw_code(Writer& out, const Secret& share, int left, int top) {
    constexpr std::size_t k_quiet = 4;
    const auto code = codec::QrCode::of(share);
    const auto size = code.width() + 2 * k_quiet;
    out.add("<svg x=\"");
    out.add(static_cast<std::size_t>(left));
    out.add("\" y=\"");
    out.add(static_cast<std::size_t>(top));
    out.add("\" width=\"");
    out.add(static_cast<std::size_t>(k_code_side));
    out.add("\" height=\"");
    out.add(static_cast<std::size_t>(k_code_side));
    out.add("\" viewBox=\"0 0 ");
    out.add(size);
    out.add(" ");
    out.add(size);
    out.add(
        "\" shape-rendering=\"crispEdges\"><rect width=\"100%\" height=\"100%\" "
        "fill=\"#fff\"/><path fill=\"#000\" d=\"");
    for (std::size_t y = 0; y < code.width(); ++y) {
        for (std::size_t x = 0; x < code.width(); ++x) {
            if (!code.is_dark(x, y)) continue;
            out.add("M");
            out.add(x + k_quiet);
            out.add(" ");
            out.add(y + k_quiet);
            out.add("h1v1h-1z");
        }
    }
    out.add("\"/></svg>");
}

/// Long lines get lost when they are typed.
template <typename F>
void by_lines(const Secret& share, F line) {
    share.with_bytes([&](ByteView text) {
        for (std::size_t at = 0; at < text.size(); at += k_line_characters) {
            const auto left = text.size() - at;
            line(text.subspan(at, left < k_line_characters ? left : k_line_characters));
        }
    });
}

void svg_text(Writer& out, int y, std::string_view size, std::string_view family, ByteView text) {
    out.add("<text x=\"20\" y=\"");
    out.add(static_cast<std::size_t>(y));
    out.add("\" font-size=\"");
    out.add(size);
    out.add("\" font-family=\"");
    out.add(family);
    out.add("\">");
    out.add(text);
    out.add("</text>\n");
}

void svg_page(Writer& out, const Kit& kit, std::size_t at) {
    const int top = static_cast<int>(at) * k_page_height;
    svg_text(out, top + 25, "7", "sans-serif", as_bytes(title_of(kit, at)));
    draw_code(out, kit.shares[at], 20, top + 32);
    int y = top + 136;
    by_lines(kit.shares[at], [&](ByteView line) {
        svg_text(out, y, "5", "monospace", line);
        y += 8;
    });
    y += 8;
    for (const auto& words : words_of(kit)) {
        svg_text(out, y, "3.6", "sans-serif", as_bytes(words));
        y += 7;
    }
}

Secret svg(const Kit& kit) {
    Writer out;
    const auto height = kit.shares.size() * static_cast<std::size_t>(k_page_height);
    out.add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"");
    out.add(height);
    out.add("mm\" viewBox=\"0 0 210 ");
    out.add(height);
    out.add("\">\n");
    for (std::size_t at = 0; at < kit.shares.size(); ++at)
        svg_page(out, kit, at);
    out.add("</svg>\n");
    return out.take();
}

void html_page(Writer& out, const Kit& kit, std::size_t at) {
    out.add("<section><h1>");
    out.add(title_of(kit, at));
    out.add("</h1>\n<svg class=\"code\" viewBox=\"0 0 90 90\">");
    draw_code(out, kit.shares[at], 0, 0);
    out.add("</svg>\n<pre>");
    by_lines(kit.shares[at], [&](ByteView line) {
        out.add(line);
        out.add("\n");
    });
    out.add("</pre>\n");
    for (const auto& words : words_of(kit)) {
        out.add("<p>");
        out.add(words);
        out.add("</p>\n");
    }
    out.add("</section>\n");
}

Secret html(const Kit& kit) {
    Writer out;
    out.add(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>Postern recovery kit</title><style>"
        "body{font-family:sans-serif;margin:15mm}"
        "section{page-break-after:always}section:last-child{page-break-after:auto}"
        ".code{width:90mm;height:90mm}pre{font-size:13pt}</style></head><body>\n");
    for (std::size_t at = 0; at < kit.shares.size(); ++at)
        html_page(out, kit, at);
    out.add("</body></html>\n");
    return out.take();
}

}  // namespace

Secret recovery_sheet(const Kit& kit, SheetForm form) {
    return form == SheetForm::html ? html(kit) : svg(kit);
}

}  // namespace postern::cli
