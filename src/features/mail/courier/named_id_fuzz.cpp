// Oracle: of a bounce's text only an id of ours is taken, which a Message-ID line tells; lines that
// are none change nothing in front of it, and what is told in a line of its own is found.
#include "features/mail/courier/bounce.h"
#include "features/mail/courier/known_ids.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/message_id.h"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::mail::courier;
    constexpr std::string_view k_label = "@b7.ptn.brand.example";
    const KnownIds known{std::string(k_label)};
    const std::string text(FuzzInput(data, size).text());
    const auto found = named_message_id(text, known);
    if (found) {
        POSTERN_CHECK(codec::ends_in_label(*found, k_label) && known.contains(*found));
        POSTERN_CHECK(found->find_first_of("\r\n") == std::string::npos);
        POSTERN_CHECK(codec::lower(text).contains("message-id:"));
    }
    const std::string in_front = "> Message-ID: <quoted" + std::string(k_label) +
                                 ">\r\nReferences: <r" + std::string(k_label) + ">\r\n";
    POSTERN_CHECK(named_message_id(in_front + text, known) == found);
    const auto ours = "ptn1.a.1.b" + std::string(k_label);
    const auto told = named_message_id(text + "\n\nMessage-ID: <" + ours + ">\n", known);
    POSTERN_CHECK(told == (found ? *found : ours));
    return 0;
}
