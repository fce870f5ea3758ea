// Oracle: an id that is read is printed as the very text that was read.
#include "foundation/base/id.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    const FuzzInput input(data, size);
    if (const auto id = ThreadId::parse(input.text())) POSTERN_CHECK(id->text() == input.text());
    if (const auto id = WorkspaceId::parse(input.text())) POSTERN_CHECK(id->text() == input.text());
    if (const auto id = MessageId::from_bytes(input.bytes()))
        POSTERN_CHECK(MessageId::parse(id->text()) == *id);
    return 0;
}
