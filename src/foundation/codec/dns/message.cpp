#include "foundation/codec/dns/message.h"

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/dns_error.h"
#include "foundation/codec/dns/limits.h"
#include "foundation/codec/dns/name.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace postern::dns {
namespace {

// RFC 1035 section 4.1.1.
constexpr std::size_t k_header_bytes = 12;
constexpr std::uint16_t k_is_response = 0x8000;
constexpr std::uint16_t k_opcode_mask = 0x7800;
constexpr std::uint16_t k_is_truncated = 0x0200;
constexpr std::uint16_t k_recursion_desired = 0x0100;
constexpr std::uint16_t k_rcode_mask = 0x000F;
constexpr std::uint16_t k_no_such_name = 3;
constexpr std::uint16_t k_class_in = 1;
constexpr std::uint16_t k_type_cname = 5;
constexpr std::uint16_t k_type_opt = 41;

void put16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8U));
    out.push_back(static_cast<std::uint8_t>(value));
}

/// Reads numbers in order; `failed` once it has run out.
class Reader {
public:
    Reader(ByteView message, std::size_t at) : message_(message), at_(at) {}

    std::uint16_t number() {
        if (at_ + 2 > message_.size()) {
            failed_ = true;
            return 0;
        }
        const auto high = message_[at_];
        const auto low = message_[at_ + 1];
        at_ += 2;
        return static_cast<std::uint16_t>((high << 8U) | low);
    }
    std::optional<DomainName> name() {
        auto read = failed_ ? std::nullopt : read_name(message_, at_);
        if (!read) {
            failed_ = true;
            return std::nullopt;
        }
        at_ = read->end;
        return std::move(read->name);
    }
    void skip(std::size_t bytes) { at_ += bytes; }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }
    [[nodiscard]] bool failed() const noexcept { return failed_ || at_ > message_.size(); }

private:
    ByteView message_;
    std::size_t at_;
    bool failed_ = false;
};

struct Record {
    std::optional<DomainName> owner;
    std::uint16_t type = 0;
    std::uint16_t record_class = 0;
    std::size_t data_at = 0;
    std::size_t data_end = 0;
};

std::optional<Record> read_record(Reader& reader) {
    Record record;
    record.owner = reader.name();
    record.type = reader.number();
    record.record_class = reader.number();
    reader.number();  // time to live: nothing is kept
    reader.number();
    const auto size = reader.number();
    record.data_at = reader.at();
    record.data_end = record.data_at + size;
    reader.skip(size);
    if (reader.failed()) return std::nullopt;
    return record;
}

/// The name a record's data ends with, which must end where the data does.
Result<std::optional<DomainName>> last_name(ByteView message, std::size_t at, const Record& of) {
    const auto read = read_name(message, at);
    if (!read || read->end != of.data_end) return fail(DnsError::malformed);
    return read->name;
}

Result<> take(ByteView message, const Record& record, Answer& answer) {
    Reader reader(message, record.data_at);
    if (record.type == static_cast<std::uint16_t>(RecordType::mx)) {
        MxRecord mx;
        mx.preference = reader.number();
        POSTERN_TRY(auto exchange, last_name(message, reader.at(), record));
        if (!exchange) return {};
        mx.exchange = std::move(*exchange);
        answer.mx.push_back(std::move(mx));
        return {};
    }
    SrvRecord srv;
    srv.priority = reader.number();
    srv.weight = reader.number();
    srv.port = reader.number();
    POSTERN_TRY(auto target, last_name(message, reader.at(), record));
    if (!target) return {};
    srv.target = std::move(*target);
    answer.srv.push_back(std::move(srv));
    return {};
}

/// Where the aliases of the asked name lead. Nothing for a loop or an endless chain.
Result<DomainName> follow(const std::vector<std::pair<DomainName, DomainName>>& aliases,
                          DomainName name) {
    for (std::size_t steps = 0; steps <= k_aliases_max; ++steps) {
        const auto next =
            std::ranges::find(aliases, name, &std::pair<DomainName, DomainName>::first);
        if (next == aliases.end()) return name;
        name = next->second;
    }
    return fail(DnsError::malformed, "aliases without end");
}

Result<Answer> read_records(ByteView message,
                            Reader reader,
                            std::size_t count,
                            const Question& question) {
    if (count > k_records_max) return fail(DnsError::malformed, "too many records");
    std::vector<Record> wanted;
    std::vector<std::pair<DomainName, DomainName>> aliases;
    for (std::size_t i = 0; i < count; ++i) {
        auto record = read_record(reader);
        if (!record) return fail(DnsError::malformed);
        if (!record->owner || record->record_class != k_class_in) continue;
        if (record->type == k_type_cname) {
            POSTERN_TRY(auto target, last_name(message, record->data_at, *record));
            if (target) aliases.emplace_back(std::move(*record->owner), std::move(*target));
        } else if (record->type == static_cast<std::uint16_t>(question.type)) {
            wanted.push_back(std::move(*record));
        }
    }
    POSTERN_TRY(const auto name, follow(aliases, question.name));
    Answer answer;
    for (const auto& record : wanted) {
        if (record.owner != name) continue;
        if (auto taken = take(message, record, answer); !taken) {
            return fail(std::move(taken.error()));
        }
    }
    return answer;
}

}  // namespace

Bytes encode_query(std::uint16_t id, const Question& question) {
    Bytes out;
    put16(out, id);
    put16(out, k_recursion_desired);
    put16(out, 1);
    put16(out, 0);
    put16(out, 0);
    put16(out, 1);
    question.name.append_wire(out);
    put16(out, static_cast<std::uint16_t>(question.type));
    put16(out, k_class_in);
    // RFC 6891 section 6.1.2: root, OPT, size, extended code, version, flags, no data.
    out.push_back(0);
    put16(out, k_type_opt);
    put16(out, k_udp_bytes_max);
    put16(out, 0);
    put16(out, 0);
    put16(out, 0);
    return out;
}

Result<Answer> parse_answer(ByteView message, std::uint16_t id, const Question& question) {
    Reader reader(message, 0);
    const auto got_id = reader.number();
    const auto flags = reader.number();
    const auto questions = reader.number();
    const auto answers = reader.number();
    if (message.size() < k_header_bytes || got_id != id || (flags & k_is_response) == 0 ||
        (flags & k_opcode_mask) != 0 || questions != 1) {
        return fail(DnsError::not_an_answer);
    }
    reader.skip(k_header_bytes - reader.at());
    const auto name = reader.name();
    const auto type = reader.number();
    const auto record_class = reader.number();
    if (reader.failed() || name != question.name || record_class != k_class_in ||
        type != static_cast<std::uint16_t>(question.type)) {
        return fail(DnsError::not_an_answer);
    }
    Answer answer;
    const auto code = flags & k_rcode_mask;
    if (code == k_no_such_name) return answer;
    if (code != 0) return fail(DnsError::server_failed);
    if ((flags & k_is_truncated) != 0) {
        answer.truncated = true;
        return answer;
    }
    return read_records(message, reader, answers, question);
}

}  // namespace postern::dns
