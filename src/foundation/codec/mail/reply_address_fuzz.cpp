// Oracle: what counts as a reply address of a mailbox is printed as what was read, but for the case
// of letters, and no message id of ours shares its MAC's input.
#include "foundation/codec/mail/reply_address.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/mail/our_message_id.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::codec;
    postern::FuzzInput input(data, size);
    const auto own = input.line();
    const auto address = input.text();
    static const IdLabel label = *IdLabel::make("b7x2", "brand.example");
    static const ReplyAddressForm usual = *ReplyAddressForm::make("maya@brand.example", label);
    if (const auto form = ReplyAddressForm::make(own, label)) {
        const auto text = form->text({1, 2, 3});
        POSTERN_CHECK(form->tag_of(text) == ReplyAddressForm::Tag({1, 2, 3}));
        POSTERN_CHECK(text.find(form->needle()) != std::string::npos);
        POSTERN_CHECK(text.find('@') <= ReplyAddressForm::k_local_bytes_max);
    }
    const auto tag = usual.tag_of(address);
    if (!tag) return 0;
    POSTERN_CHECK(equal_but_for_case(usual.text(*tag), address));
    POSTERN_CHECK(usual.tag_of(usual.text(*tag)) == tag);
    const postern::Bytes mailbox(16, 7);
    OurMessageId id;
    id.thread.fill((*tag)[0]);
    POSTERN_CHECK(ReplyAddressForm::mac_input(mailbox, id.thread) != id.mac_input(mailbox));
    return 0;
}
