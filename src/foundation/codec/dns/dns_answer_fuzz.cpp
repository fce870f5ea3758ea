#include "foundation/base/bytes.h"
#include "foundation/codec/dns/message.h"
#include "foundation/codec/dns/name.h"
#include "foundation/codec/dns/packet_test.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Whatever is accepted, written anew without compression, is read as the same.

namespace postern::dns {
namespace {

constexpr std::uint16_t k_id = 7;

Bytes written(const Answer& answer, const Question& question) {
    test::Packet packet;
    packet.head(k_id, question, answer.srv.size() + answer.mx.size());
    for (const auto& srv : answer.srv)
        packet.name(question.name.text()).srv(srv);
    for (const auto& mx : answer.mx)
        packet.name(question.name.text()).mx(mx);
    return packet.bytes();
}

void check(ByteView message, const Question& question) {
    const auto answer = parse_answer(message, k_id, question);
    if (!answer || answer->truncated) return;
    const auto again = parse_answer(written(*answer, question), k_id, question);
    if (!again || again->srv != answer->srv || again->mx != answer->mx) std::abort();
    for (const auto& srv : answer->srv) {
        if (srv.target.is_root()) continue;
        if (DomainName::parse(srv.target.text()).value() != srv.target) std::abort();
    }
}

}  // namespace
}  // namespace postern::dns

/// The first byte says whether the rest is a whole message or what follows a right question.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::dns;
    if (size < 2 || size > 4096) return 0;
    const Question question{test::domain("a.example"),
                            (data[0] & 1U) != 0 ? RecordType::srv : RecordType::mx};
    const postern::ByteView rest(data + 1, size - 1);
    if ((data[0] & 2U) != 0) {
        check(rest, question);
        return 0;
    }
    test::Packet packet;
    packet.head(k_id, question, rest[0]);
    packet.raw(postern::as_text(rest.subspan(1)));
    check(packet.bytes(), question);
    return 0;
}
