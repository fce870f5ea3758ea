// Oracle: what counts as ours begins with the needle, and the thread that is read of it is printed
// as the first bytes of what was read.
#include "foundation/codec/mail/thread_index.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/mail/our_message_id.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    static const ThreadIndexForm form(*IdLabel::make("b7x2", "brand.example"));
    const std::string_view value = postern::as_text({data, size});
    for (const auto& text : {std::string(value), form.needle() + std::string(value)}) {
        const auto thread = form.thread_of(text);
        if (!thread) continue;
        const auto ours = *parse_base64(form.text(*thread));
        std::string joined;
        std::ranges::copy_if(text, std::back_inserter(joined), [](char c) {
            return c != ' ' && c != '\t' && c != '\r' && c != '\n';
        });
        const auto read = parse_base64(joined);
        POSTERN_CHECK(read && read->size() >= ours.size());
        POSTERN_CHECK(std::ranges::equal(ours, postern::ByteView(*read).first(ours.size())));
        POSTERN_CHECK(form.thread_of(form.text(*thread)) == thread);
    }
    return 0;
}
