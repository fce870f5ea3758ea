#pragma once

#include "foundation/base/bytes.h"
#include "foundation/codec/dns/message.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::dns::test {

/// Builds answers, right and wrong ones, a field at a time.
class Packet {
public:
    Packet& number(std::size_t value) {
        bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
        bytes_.push_back(static_cast<std::uint8_t>(value));
        return *this;
    }
    Packet& raw(std::string_view bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    /// "a.b" uncompressed, with any bytes in its labels; "" is the root.
    Packet& name(std::string_view text) {
        while (!text.empty()) {
            const auto label = text.substr(0, text.find('.'));
            bytes_.push_back(static_cast<std::uint8_t>(label.size()));
            raw(label);
            text.remove_prefix(std::min(label.size() + 1, text.size()));
        }
        bytes_.push_back(0);
        return *this;
    }
    Packet& pointer(std::size_t to) { return number(0xC000U | to); }
    /// Header and question; flags 0x8180 are a usual answer's.
    Packet& head(std::uint16_t id,
                 const Question& question,
                 std::size_t answers,
                 std::size_t flags = 0x8180) {
        number(id).number(flags).number(1).number(answers).number(0).number(0);
        name(question.name.text()).number(static_cast<std::uint16_t>(question.type)).number(1);
        return *this;
    }
    /// Type, class IN, time to live, and data with its length.
    Packet& record(std::size_t type, const Bytes& data, std::size_t record_class = 1) {
        number(type).number(record_class).number(0).number(300).number(data.size());
        bytes_.insert(bytes_.end(), data.begin(), data.end());
        return *this;
    }
    Packet& srv(const SrvRecord& srv) {
        const Packet data = Packet()
                                .number(srv.priority)
                                .number(srv.weight)
                                .number(srv.port)
                                .name(srv.target.text());
        return record(33, data.bytes());
    }
    Packet& mx(const MxRecord& mx) {
        return record(15, Packet().number(mx.preference).name(mx.exchange.text()).bytes());
    }
    [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

private:
    Bytes bytes_;
};

inline DomainName domain(std::string_view text) {
    return text.empty() ? DomainName() : DomainName::parse(text).value();
}

}  // namespace postern::dns::test
