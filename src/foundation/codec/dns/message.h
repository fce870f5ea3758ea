#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/dns/name.h"

#include <cstdint>
#include <vector>

namespace postern::dns {

enum class RecordType : std::uint16_t { mx = 15, srv = 33 };

struct Question {
    DomainName name;
    RecordType type = RecordType::srv;
};

/// RFC 2782. A root target says that the service is decidedly not offered.
struct SrvRecord {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    DomainName target;

    auto operator<=>(const SrvRecord&) const = default;
};
struct MxRecord {
    std::uint16_t preference = 0;
    DomainName exchange;

    auto operator<=>(const MxRecord&) const = default;
};

/// Of the asked type, and of the asked name or what it is an alias of. None: there is no such
/// record, or no such name.
struct Answer {
    bool truncated = false;  ///< ask again over TCP
    std::vector<SrvRecord> srv;
    std::vector<MxRecord> mx;
};

/// A recursive query with EDNS0. Nothing in it but the question.
[[nodiscard]] Bytes encode_query(std::uint16_t id, const Question& question);

/// Errors: not_an_answer, malformed, server_failed. Records whose name is no DomainName are left
/// out, and so is everything beyond the answer section.
[[nodiscard]] Result<Answer> parse_answer(ByteView message,
                                          std::uint16_t id,
                                          const Question& question);

}  // namespace postern::dns
