#include "foundation/codec/dns/name.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/dns_error.h"
#include "foundation/codec/dns/limits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::dns {
namespace {

constexpr std::uint8_t k_pointer = 0xC0;

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= k_label_bytes_max &&
           std::ranges::all_of(label, is_name_char);
}

}  // namespace

Result<DomainName> DomainName::parse(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    std::string name(text);
    std::ranges::transform(name, name.begin(), lower);
    // A length before each label and one for the root.
    if (name.empty() || name.size() + 2 > k_name_bytes_max) return fail(DnsError::bad_name);
    for (std::size_t at = 0; at <= name.size();) {
        const auto end = std::min(name.find('.', at), name.size());
        if (!is_label(std::string_view(name).substr(at, end - at))) return fail(DnsError::bad_name);
        at = end + 1;
    }
    return DomainName(std::move(name));
}

bool DomainName::is_within(const DomainName& domain) const {
    if (domain.is_root() || text_ == domain.text_) return true;
    return text_.size() > domain.text_.size() && text_.ends_with(domain.text_) &&
           text_[text_.size() - domain.text_.size() - 1] == '.';
}

void DomainName::append_wire(Bytes& out) const {
    for (std::size_t at = 0; at < text_.size();) {
        const auto end = std::min(text_.find('.', at), text_.size());
        out.push_back(static_cast<std::uint8_t>(end - at));
        out.insert(out.end(), text_.begin() + static_cast<std::ptrdiff_t>(at),
                   text_.begin() + static_cast<std::ptrdiff_t>(end));
        at = end + 1;
    }
    out.push_back(0);
}

std::optional<WireName> read_name(ByteView message, std::size_t at) {
    std::string text;
    bool usual = true;
    std::optional<std::size_t> end;
    std::size_t lowest = at;
    std::size_t bytes = 1;
    while (true) {
        if (at >= message.size()) return std::nullopt;
        const std::uint8_t length = message[at];
        if ((length & k_pointer) == k_pointer) {
            if (at + 1 >= message.size()) return std::nullopt;
            const auto target = (static_cast<std::size_t>(length & ~k_pointer) << 8U) |
                                static_cast<std::size_t>(message[at + 1]);
            if (target >= lowest) return std::nullopt;
            if (!end) end = at + 2;
            at = lowest = target;
            continue;
        }
        // 01 and 10 are reserved (RFC 1035 section 4.1.4).
        if ((length & k_pointer) != 0) return std::nullopt;
        if (length == 0) break;
        bytes += length + std::size_t{1};
        if (bytes > k_name_bytes_max || at + 1 + length > message.size()) return std::nullopt;
        std::string label(as_text(message.subspan(at + 1, length)));
        std::ranges::transform(label, label.begin(), lower);
        usual = usual && is_label(label);
        if (!text.empty()) text += '.';
        text += label;
        at += length + std::size_t{1};
    }
    WireName out;
    out.end = end.value_or(at + 1);
    if (usual && text.empty()) out.name = DomainName();
    if (usual && !text.empty()) {
        if (auto name = DomainName::parse(text)) out.name = std::move(*name);
    }
    return out;
}

}  // namespace postern::dns
