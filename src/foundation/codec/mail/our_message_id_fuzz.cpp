// Oracle: an id of ours is printed as what was read, but for the case of its label, and no two
// ids share a MAC's input; a label is printed as one that is read as the same.
#include "foundation/codec/mail/our_message_id.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/ascii.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    postern::FuzzInput input(data, size);
    const auto label_text = input.line();
    const auto id_text = input.text();
    static const IdLabel usual = *IdLabel::make("b7x2", "brand.example");
    if (const auto label = IdLabel::parse(label_text)) {
        POSTERN_CHECK(equal_but_for_case(label->text(), label_text));
        POSTERN_CHECK(*IdLabel::parse(label->text()) == *label);
    }
    const auto id = OurMessageId::parse(id_text, usual);
    if (!id) return 0;
    POSTERN_CHECK(id->number >= 1 && id->number <= OurMessageId::k_number_max);
    POSTERN_CHECK(equal_but_for_case(id->text(usual), id_text));
    POSTERN_CHECK(*OurMessageId::parse(id->text(usual), usual) == *id);
    auto other = *id;
    other.number = id->number % OurMessageId::k_number_max + 1;
    const postern::Bytes box(16, 7);
    POSTERN_CHECK(other.mac_input(box) != id->mac_input(box));
    return 0;
}
