// Oracle: a stored record that is read is written as the very bytes; another version is refused.
#include "features/mail/mail_types.h"
#include "features/mail/message_vault.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/keys/records.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace {

template <typename Record>
void require_one_form(postern::ByteView bytes) {
    auto record = postern::keys::decode_record<Record>(bytes);
    if (!record) return;
    POSTERN_CHECK(bytes.front() == Record::k_version);
    const auto again = postern::keys::encode_record(std::move(*record));
    POSTERN_CHECK(std::ranges::equal(again, bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::mail;
    postern::FuzzInput input(data, size);
    if (input.byte() % 2 == 0) {
        require_one_form<MessageBody>(input.bytes());
    } else {
        require_one_form<ThreadHead>(input.bytes());
    }
    return 0;
}
