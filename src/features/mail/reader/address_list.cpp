#include "features/mail/reader/address_list.h"

#include "features/mail/reader/defect.h"
#include "features/mail/reader/encoded_word.h"
#include "features/mail/reader/header_field.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/utf8_text.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::reader {
namespace {

constexpr std::size_t k_name_bytes_max = 512;
constexpr std::size_t k_address_bytes_max = 512;

class AddressParser {
public:
    AddressParser(std::string_view text, std::size_t max, Defects& defects)
        : text_(text), max_(max), defects_(defects) {}

    std::vector<Mailbox> run() {
        while (at_ < text_.size() && !full_)
            step();
        finish();
        return std::move(list_);
    }

private:
    void step() {
        switch (text_[at_]) {
            case '"': quoted(); break;
            case '(': comment(); break;
            case '<': angle(); break;
            case ',':
            case ';':
                finish();
                ++at_;
                break;
            case ':': colon(); break;
            default: word(); break;
        }
    }

    // An encoded word is one token: broken mailers leave commas and quotes inside it unencoded.
    void word() {
        const std::size_t size = std::max<std::size_t>(encoded_word_size(text_.substr(at_)), 1);
        phrase_ += text_.substr(at_, size);
        at_ += size;
    }

    void quoted() {
        // A quote within an address without brackets is part of it: "a b"@example.com
        const std::size_t start = at_++;
        std::string content;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            content.push_back(text_[at_++]);
        }
        if (at_ < text_.size()) ++at_;
        const bool local_part = at_ < text_.size() && text_[at_] == '@';
        phrase_ += local_part ? text_.substr(start, at_ - start) : std::string_view(content);
        if (!local_part) quoted_ = true;
    }

    void comment() {
        std::size_t depth = 0;
        std::string content;
        do {
            const char c = text_[at_];
            if (c == '\\' && at_ + 1 < text_.size()) ++at_;
            if (c == '(') ++depth;
            if (c == ')') --depth;
            const bool bracket = (c == '(' && depth == 1) || (c == ')' && depth == 0);
            if (!bracket) content.push_back(text_[at_]);
            ++at_;
        } while (depth > 0 && at_ < text_.size());
        if (comment_.empty()) comment_ = std::move(content);
        phrase_.push_back(' ');
    }

    void angle() {
        const std::size_t start = ++at_;
        bool in_quotes = false;
        while (at_ < text_.size() && (in_quotes || text_[at_] != '>')) {
            if (text_[at_] == '"') in_quotes = !in_quotes;
            if (!in_quotes && text_[at_] == ',' && text_[start] != '@') break;
            ++at_;
        }
        std::string_view address = text_.substr(start, at_ - start);
        if (at_ < text_.size() && text_[at_] == '>') ++at_;
        // Obsolete source route: "<@a.example,@b.example:user@c.example>".
        if (address.starts_with('@') && address.contains(':')) {
            address.remove_prefix(address.find(':') + 1);
        }
        if (address_.empty()) address_ = address;
        has_angle_ = true;
    }

    void colon() {
        ++at_;
        if (has_angle_ || phrase_.contains('@')) {
            phrase_.push_back(':');
            return;
        }
        phrase_.clear();  // the name of a group
        quoted_ = false;
    }

    void finish() {
        Mailbox mailbox;
        const std::string_view phrase = trimmed(phrase_);
        const bool bare = !has_angle_ && !quoted_ && phrase.contains('@');
        mailbox.address = clean_address(bare ? phrase : std::string_view(address_));
        std::string name(bare ? std::string_view{} : phrase);
        if (name.empty() && (bare || has_angle_)) name = std::exchange(comment_, {});
        mailbox.name = display_line(decode_header_text(name, defects_), k_name_bytes_max);
        if (!mailbox.name.empty() || !mailbox.address.empty()) add(std::move(mailbox));
        phrase_.clear();
        comment_.clear();
        address_.clear();
        has_angle_ = false;
        quoted_ = false;
    }

    void add(Mailbox mailbox) {
        if (list_.size() == max_) {
            defects_.add(Defect::addresses_cut);
            full_ = true;
            return;
        }
        list_.push_back(std::move(mailbox));
    }

    static std::string clean_address(std::string_view raw) {
        std::string clean = display_line(raw, k_address_bytes_max + 1);
        if (!clean.starts_with('"')) std::erase(clean, ' ');
        return clean.size() > k_address_bytes_max ? std::string{} : clean;
    }

    std::string_view text_;
    std::size_t max_;
    Defects& defects_;
    std::size_t at_ = 0;
    bool full_ = false;
    std::vector<Mailbox> list_;
    std::string phrase_;
    std::string comment_;
    std::string address_;
    bool has_angle_ = false;
    bool quoted_ = false;
};

}  // namespace

std::vector<Mailbox> parse_address_list(std::string_view raw,
                                        std::size_t addresses_max,
                                        Defects& defects) {
    const std::string text = unfolded(raw);
    return AddressParser(text, addresses_max, defects).run();
}

}  // namespace postern::reader
