#include "features/mail/reader/quote_header.h"

#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace postern::reader {
namespace {

constexpr std::size_t k_attribution_lines_max = 4;
constexpr std::size_t k_attribution_bytes_max = 500;
constexpr std::size_t k_block_lines_max = 8;

// The verb of "... wrote:". Lower case where the script has it (ASCII letters only are folded).
constexpr std::array<std::string_view, 34> k_verbs{
    "wrote",      "writes",    "said",       "schrieb",  "geschrieben", "a écrit",  "a ecrit",
    "ha scritto", "scrive",    "escribió",   "escribio", "escreveu",    "napisał",  "napisała",
    "napisał(a)", "schreef",   "geschreven", "skrev",    "kirjoitti",   "írta",     "ezt írta",
    "написал",    "написала",  "написал(а)", "пишет",    "пише",        "yazdı",    "şunu yazdı",
    "napsal",     "napsal(a)", "a scris",    "έγραψε",   "写道",        "님이 작성"};

// How the introducing line begins where it does not begin with a date.
constexpr std::array<std::string_view, 22> k_leads{
    "on ", "am ", "le ",  "il ", "in data ", "el ", "em ",   "op ", "dnia ", "w dniu ",  "den ",
    "på ", "ons", "dne ", "om ", "kl ",      "в ",  "στις ", "pe ", "a ",    "quoting ", "at "};

constexpr std::array<std::string_view, 28> k_separator_words{
    "original message",     "originalnachricht",         "ursprüngliche nachricht",
    "message d'origine",    "message d’origine",         "message original",
    "messaggio originale",  "mensaje original",          "mensagem original",
    "oprindelig besked",    "oprindelig meddelelse",     "ursprungligt meddelande",
    "opprinnelig melding",  "oorspronkelijk bericht",    "alkuperäinen viesti",
    "wiadomość oryginalna", "oryginalna wiadomość",      "původní zpráva",
    "eredeti üzenet",       "исходное сообщение",        "orijinal mesaj",
    "forwarded message",    "weitergeleitete nachricht", "message transféré",
    "messaggio inoltrato",  "mensaje reenviado",         "原始邮件",
    "元のメッセージ"};

enum class Key : unsigned { none = 0, from = 1, date = 2, to = 4, subject = 8 };

struct KeyWord {
    std::string_view word;
    Key key;
};
constexpr std::array k_keys{
    KeyWord{"from", Key::from},
    KeyWord{"von", Key::from},
    KeyWord{"de", Key::from},
    KeyWord{"da", Key::from},
    KeyWord{"van", Key::from},
    KeyWord{"fra", Key::from},
    KeyWord{"från", Key::from},
    KeyWord{"от", Key::from},
    KeyWord{"От", Key::from},
    KeyWord{"od", Key::from},
    KeyWord{"lähettäjä", Key::from},
    KeyWord{"feladó", Key::from},
    KeyWord{"kimden", Key::from},
    KeyWord{"发件人", Key::from},
    KeyWord{"差出人", Key::from},
    KeyWord{"보낸 사람", Key::from},
    KeyWord{"sent", Key::date},
    KeyWord{"date", Key::date},
    KeyWord{"gesendet", Key::date},
    KeyWord{"datum", Key::date},
    KeyWord{"envoyé", Key::date},
    KeyWord{"envoyé le", Key::date},
    KeyWord{"enviado", Key::date},
    KeyWord{"enviado el", Key::date},
    KeyWord{"enviada em", Key::date},
    KeyWord{"fecha", Key::date},
    KeyWord{"data", Key::date},
    KeyWord{"inviato", Key::date},
    KeyWord{"verzonden", Key::date},
    KeyWord{"dato", Key::date},
    KeyWord{"sendt", Key::date},
    KeyWord{"skickat", Key::date},
    KeyWord{"wysłano", Key::date},
    KeyWord{"lähetetty", Key::date},
    KeyWord{"message du", Key::date},
    KeyWord{"дата", Key::date},
    KeyWord{"Дата", Key::date},
    KeyWord{"Отправлено", Key::date},
    KeyWord{"发送时间", Key::date},
    KeyWord{"送信日時", Key::date},
    KeyWord{"to", Key::to},
    KeyWord{"an", Key::to},
    KeyWord{"à", Key::to},
    KeyWord{"À", Key::to},
    KeyWord{"a", Key::to},
    KeyWord{"aan", Key::to},
    KeyWord{"para", Key::to},
    KeyWord{"til", Key::to},
    KeyWord{"till", Key::to},
    KeyWord{"do", Key::to},
    KeyWord{"vastaanottaja", Key::to},
    KeyWord{"кому", Key::to},
    KeyWord{"Кому", Key::to},
    KeyWord{"收件人", Key::to},
    KeyWord{"宛先", Key::to},
    KeyWord{"cc", Key::to},
    KeyWord{"subject", Key::subject},
    KeyWord{"betreff", Key::subject},
    KeyWord{"objet", Key::subject},
    KeyWord{"oggetto", Key::subject},
    KeyWord{"asunto", Key::subject},
    KeyWord{"assunto", Key::subject},
    KeyWord{"onderwerp", Key::subject},
    KeyWord{"emne", Key::subject},
    KeyWord{"ämne", Key::subject},
    KeyWord{"temat", Key::subject},
    KeyWord{"sujet", Key::subject},
    KeyWord{"aihe", Key::subject},
    KeyWord{"тема", Key::subject},
    KeyWord{"Тема", Key::subject},
    KeyWord{"主题", Key::subject},
    KeyWord{"件名", Key::subject},
};

// "*From:* x", " À : x", "Envoyé le :x"
Key key_of(std::string_view line) {
    const std::size_t colon = line.substr(0, 40).find(':');
    if (colon == std::string_view::npos) return Key::none;
    std::string_view word = line.substr(0, colon);
    while (!word.empty() && (is_space(word.front()) || word.front() == '*'))
        word.remove_prefix(1);
    while (!word.empty() && (is_space(word.back()) || word.back() == '*'))
        word.remove_suffix(1);
    if (word.ends_with("\xC2\xA0")) word.remove_suffix(2);
    const std::string lower = lower_case(word);
    const auto found = std::ranges::find(k_keys, std::string_view(lower), &KeyWord::word);
    return found == k_keys.end() ? Key::none : found->key;
}

// Three kinds of field within a few lines, the sender's among them.
std::size_t header_block_lines(std::span<const std::string_view> lines) {
    if (lines.empty() || key_of(lines.front()) == Key::none) return 0;
    unsigned seen = 0;
    std::size_t size = 0;
    for (std::size_t i = 0; i < std::min(lines.size(), k_block_lines_max); ++i) {
        if (trimmed(lines[i]).empty()) break;
        const Key key = key_of(lines[i]);
        if (key == Key::none) continue;
        seen |= static_cast<unsigned>(key);
        size = i + 1;
        // Mobile clients put two fields on one line: "À : a@b.example Objet : x".
        for (const KeyWord& word : k_keys) {
            const bool second =
                word.key == Key::subject &&
                lower_case(lines[i].substr(0, 998)).contains(" " + std::string(word.word) + " :");
            if (second) seen |= static_cast<unsigned>(Key::subject);
        }
    }
    const bool from = (seen & static_cast<unsigned>(Key::from)) != 0;
    return from && std::popcount(seen) >= 3 ? size : 0;
}

bool has_time(std::string_view text) {
    for (std::size_t i = 1; i + 2 < text.size(); ++i) {
        const bool mark = text[i] == ':' || text[i] == '.';
        if (mark && is_digit(text[i - 1]) && is_digit(text[i + 1]) && is_digit(text[i + 2])) {
            return true;
        }
    }
    return false;
}

bool starts_like_attribution(std::string_view line) {
    line = trimmed(line);
    while (line.starts_with('-') || line.starts_with(' '))
        line.remove_prefix(1);
    const std::string_view head = line.substr(0, 25);
    const bool digit = std::ranges::any_of(head, is_digit);
    const std::string lower = lower_case(line.substr(0, 40));
    return digit || std::ranges::any_of(
                        k_leads, [&](std::string_view lead) { return lower.starts_with(lead); });
}

// `text`: one to four lines joined by blanks.
bool is_attribution(std::string_view text) {
    text = trimmed(text);
    while (text.ends_with('-') || text.ends_with(' '))
        text.remove_suffix(1);
    const bool colon = text.ends_with(':') || text.ends_with("：");
    while (text.ends_with(':') || text.ends_with(' '))
        text.remove_suffix(1);
    if (text.ends_with("：")) text.remove_suffix(3);
    if (text.ends_with("\xC2\xA0")) text.remove_suffix(2);
    const bool address = text.contains('@') || text.contains("&lt;");
    if ((!colon && !address) || std::ranges::none_of(text, is_digit)) return false;
    const std::string lower = lower_case(text);
    const bool verb =
        std::ranges::any_of(k_verbs, [&](std::string_view word) { return lower.ends_with(word); });
    // "2017-11-24 16:32 GMT+01:00 Name <a@example.com>:" has none.
    return verb || (colon && address && lower.ends_with('>') && has_time(lower));
}

std::size_t attribution_lines(std::span<const std::string_view> lines) {
    if (lines.empty() || !starts_like_attribution(lines.front())) return 0;
    std::string joined;
    for (std::size_t i = 0; i < std::min(lines.size(), k_attribution_lines_max); ++i) {
        const std::string_view line = trimmed(lines[i]);
        if (line.empty() || line.starts_with("> ")) break;
        if (!joined.empty()) joined.push_back(' ');
        joined += line;
        if (joined.size() > k_attribution_bytes_max) break;
        if (is_attribution(joined)) return i + 1;
        // A sentence ends here, an attribution does not.
        if (line.ends_with('.') || line.ends_with('!') || line.ends_with('?')) break;
    }
    return 0;
}

bool is_separator(std::string_view line) {
    line = trimmed(line);
    if (starts_with_ignoring_case(line, "begin forwarded message")) return true;
    if (!line.starts_with("--") && !line.starts_with("__") && !line.starts_with("—")) return false;
    const std::string lower = lower_case(line.substr(0, 100));
    return std::ranges::any_of(k_separator_words,
                               [&](std::string_view words) { return lower.contains(words); });
}

}  // namespace

bool is_rule(std::string_view line) {
    line = trimmed(line);
    if (line.size() < 4) return false;
    const bool only = line.find_first_not_of("-_=*— ") == std::string_view::npos;
    const bool framed = line.starts_with("----") && line.ends_with("----");
    return only || framed;
}

std::size_t quote_header_lines(std::span<const std::string_view> lines) {
    if (lines.empty()) return 0;
    if (is_separator(lines.front())) return 1;
    const std::size_t block = header_block_lines(lines);
    return block > 0 ? block : attribution_lines(lines);
}

}  // namespace postern::reader
