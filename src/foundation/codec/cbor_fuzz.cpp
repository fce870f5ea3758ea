// Oracle: an encoder by the letter of RFC 8949 section 4.2.1, which shares no code with the reader,
// writes what was read as the very bytes that were read; what it writes of any value is read.
#include "foundation/codec/cbor.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstddef>
#include <cstdint>

namespace {

using postern::Bytes;
using postern::ByteView;
using postern::FuzzInput;
using postern::codec::Cbor;

void head(Bytes& out, unsigned major, std::uint64_t argument) {
    unsigned bytes = 0;
    if (argument > 23) bytes = 1;
    if (argument > 0xFF) bytes = 2;
    if (argument > 0xFFFF) bytes = 4;
    if (argument > 0xFFFFFFFF) bytes = 8;
    const unsigned log = bytes == 8 ? 3 : bytes / 2;  // of 1, 2, 4, 8
    out.push_back(static_cast<std::uint8_t>(major * 32 + (bytes == 0 ? argument : 24 + log)));
    for (unsigned i = bytes; i > 0; --i)
        out.push_back(static_cast<std::uint8_t>(argument >> (8 * (i - 1))));
}

void write(Bytes& out, const Cbor& item) {
    const auto string = [&out](unsigned major, ByteView bytes) {
        head(out, major, bytes.size());
        out.insert(out.end(), bytes.begin(), bytes.end());
    };
    if (item.is_null()) out.push_back(0xF6);
    if (const auto flag = item.boolean()) out.push_back(*flag ? 0xF5 : 0xF4);
    if (const auto number = item.integer())
        head(out, *number < 0 ? 1 : 0,
             static_cast<std::uint64_t>(*number < 0 ? ~*number : *number));
    if (const auto bytes = item.bytes()) string(2, *bytes);
    if (const auto text = item.text()) string(3, postern::as_bytes(*text));
    if (const auto* const items = item.items()) {
        head(out, 4, items->size());
        for (const auto& one : *items)
            write(out, one);
    }
    if (const auto* const entries = item.entries()) {
        head(out, 5, entries->size());
        for (const auto& [key, value] : *entries) {
            write(out, key);
            write(out, value);
            const auto* const found =
                key.integer() ? item.find(*key.integer()) : item.find(*key.text());
            POSTERN_CHECK(found == &value);
        }
    }
}

/// Some value that must be read, chosen by the input: arrays and maps nested in each other.
void make(Bytes& out, FuzzInput& input, unsigned depth) {
    const unsigned choice = input.byte() % (depth == 0 ? 4 : 6);
    const std::uint64_t size = input.byte() % 5;
    if (choice < 2) head(out, choice, size * size << (8 * size));
    if (choice == 2 || choice == 3) {
        head(out, choice, size);
        out.insert(out.end(), size, static_cast<std::uint8_t>('a' + input.byte() % 26));
    }
    if (choice < 4) return;
    head(out, choice, size);
    for (std::uint64_t i = 0; i < size; ++i) {
        if (choice == 5) head(out, i % 2 == 0 ? 0 : 1, i);
        make(out, input, depth - 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    FuzzInput input(data, size);
    Bytes written;
    if (const auto item = Cbor::parse_prefix(input.bytes())) {
        write(written, item->item);
        POSTERN_CHECK(written == to_bytes(input.bytes().first(item->size)));
        POSTERN_CHECK(Cbor::parse(input.bytes()).has_value() ==
                      (item->size == input.bytes().size()));
    }
    Bytes made;
    make(made, input, 4);
    const auto again = Cbor::parse(made);
    POSTERN_CHECK(again.has_value());
    written.clear();
    write(written, *again);
    POSTERN_CHECK(written == made);
    return 0;
}
