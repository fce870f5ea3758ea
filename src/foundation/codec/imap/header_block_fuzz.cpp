// Oracle: no value holds a line end; the fields written again are read as the same.
#include "foundation/codec/imap/header_block.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using imap::HeaderBlock;
    const FuzzInput input(data, size);
    const auto block = HeaderBlock::parse(input.bytes());
    if (!block) return 0;
    std::string written;
    std::size_t known = 0;
    for (const auto* name : {"From", "To", "Message-ID", "References", "In-Reply-To", "x"}) {
        const auto values = block->all(name);
        POSTERN_CHECK(values.empty() == !block->first(name).has_value());
        for (const auto value : values) {
            POSTERN_CHECK(value.find('\n') == std::string_view::npos);
            written.append(name).append(": ").append(value).append("\r\n");
            ++known;
        }
    }
    POSTERN_CHECK(known <= block->field_count());
    const auto again = HeaderBlock::parse(as_bytes(written));
    POSTERN_CHECK(again.has_value() && again->field_count() == known);
    for (const auto* name : {"From", "To", "Message-ID", "References", "In-Reply-To", "x"})
        POSTERN_CHECK(again->all(name) == block->all(name));
    return 0;
}
