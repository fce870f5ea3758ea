// Oracle: one_form.h, for what front, courier and reader say to one another; a destination that is
// read (it lies sealed in the store) is written as the same.
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/ipc/one_form.h"

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::mail;
    postern::FuzzInput input(data, size);
    if (input.byte() == 0) {
        const auto destination = decode_destination(input.bytes());
        if (destination) {
            const auto again = encode_destination(*destination);
            POSTERN_CHECK(std::ranges::equal(again, input.bytes()));
        }
        return 0;
    }
    return postern::ipc::require_one_form_of_any<
        VerifyMailbox, VerifyMailbox::Answer, SendMail, SendMail::Answer, BeforeFinalDot, SaveSent,
        SaveSent::Answer, FolderCursor, Watch, Watch::Answer, StopWatch, SearchNow,
        SearchNow::Answer, FetchMail, FetchMail::Answer, Candidate, FolderSearched, WatchEnded,
        ReadMail, ParseMail, ExtractAttachment, ExtractAttachment::Answer>(data, size);
}
