// Oracle: answers are the same however their bytes arrive; a line never holds a line end; an
// address that may stand in a path can end neither the path nor the line.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/extensions.h"
#include "foundation/codec/smtp/reply.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

std::string answers(postern::ByteView said, std::size_t step) {
    postern::smtp::ReplyReader reader;
    std::string all;
    while (!said.empty()) {
        auto piece = said.first(std::min(step, said.size()));
        said = said.subspan(piece.size());
        while (!piece.empty()) {
            const auto taken = reader.consume(piece);
            if (!taken) return all + std::string(taken.error().code());
            POSTERN_CHECK(*taken <= piece.size() && (*taken > 0 || reader.complete()));
            piece = piece.subspan(*taken);
            if (!reader.complete()) continue;
            for (const auto& line : reader.lines()) {
                POSTERN_CHECK(line.find_first_of("\r\n") == std::string::npos);
                all += line + '\n';
            }
            const auto extensions = postern::smtp::Extensions::parse(reader.lines());
            all += extensions.start_tls ? "t" : "-";
            const auto reply = reader.take();
            POSTERN_CHECK(reply.code >= 100 && reply.code <= 599);
            all += std::to_string(reply.code) + ' ' + std::to_string(extensions.size_max) + '\n';
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    postern::FuzzInput input(data, size);
    const std::size_t step = input.byte() % 16 + 1;
    POSTERN_CHECK(answers(input.bytes(), size + 1) == answers(input.bytes(), step));
    if (const auto address = postern::smtp::Address::parse(input.text())) {
        POSTERN_CHECK(address->text() == input.text());
        POSTERN_CHECK(input.text().find_first_of("\r\n <>\"") == std::string_view::npos);
    }
    return 0;
}
