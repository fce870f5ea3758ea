#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/outcome.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

// A server's bytes against a whole submission, in two chunkings: both must end alike, "delivered"
// only after the final dot went out, and after it never "broken". The first byte is the size of
// the pieces; the server speaks in turns that end at a 0xff byte.

namespace postern::smtp {
namespace {

MailSource small_mail() {
    return [left = 9](std::span<std::uint8_t> room) mutable -> Result<std::size_t> {
        if (left == 0) return 0;
        room[0] = left-- % 3 == 0 ? '\n' : '.';
        return 1;
    };
}

struct Run {
    std::string log;
    bool signed_in = false;
    bool sent = false;
    bool dot = false;

    void note(Client& client) {
        while (const auto outcome = client.take_outcome()) {
            const bool delivered = outcome->verdict == Verdict::delivered;
            if (delivered && !dot) std::abort();
            if (dot && outcome->verdict == Verdict::broken) std::abort();
            if (!dot && outcome->verdict == Verdict::unknown) std::abort();
            log += std::string(name_of(outcome->verdict)) + name_of(outcome->stage) +
                   std::to_string(outcome->reply.code) + outcome->reply.text;
        }
    }
    /// What a caller would do next.
    void act(Client& client) {
        note(client);
        if (client.status() == Client::Status::before_final_dot) {
            dot = client.send_final_dot().has_value();
        } else if (client.status() == Client::Status::ready && !signed_in) {
            signed_in = true;
            (void)client.sign_in("a", Secret::copy_of(as_bytes("b")));
        } else if (client.status() == Client::Status::ready && !sent) {
            sent = true;
            const Address address = *Address::parse("a@x");
            (void)client.send({.from = address, .recipients = {address, address}}, small_mail());
        }
        for (WipedBytes out = client.take_output(); !out.empty(); out = client.take_output()) {
            log += as_text(ByteView(out.data(), out.size()));
        }
    }
};

std::string run(ByteView said, std::size_t chunk) {
    Client client({.tls = true});
    Run state;
    while (!said.empty()) {
        const auto end = std::ranges::find(said, std::uint8_t{0xff});
        ByteView turn(said.begin(), end);
        said = ByteView(end == said.end() ? end : end + 1, said.end());
        while (!turn.empty()) {
            const ByteView part = turn.first(std::min(chunk, turn.size()));
            client.receive(part);
            turn = turn.subspan(part.size());
        }
        state.act(client);
        // The last piece of a mail and its final dot are two turns of the caller.
        state.act(client);
    }
    client.connection_lost();
    state.note(client);
    return state.log;
}

}  // namespace
}  // namespace postern::smtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 64 * 1024) return 0;
    const postern::ByteView said(data + 1, size - 1);
    if (postern::smtp::run(said, size + 1) != postern::smtp::run(said, data[0] % 16 + 1u))
        std::abort();
    return 0;
}
