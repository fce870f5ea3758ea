// Oracle: one_form.h, for what front asks of courier; a text that has a frame stands whole in it,
// and the frame's length is the one that it names.
#include "platform/syslog/syslog_protocol.h"

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/ipc/one_form.h"
#include "platform/syslog/syslog_message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

void require_one_frame(const std::string& text) {
    using namespace postern;
    const auto frame = syslog::frame_of("mail.example", {0, text});
    if (!frame) return;
    const auto space = frame->find(' ');
    POSTERN_CHECK(std::to_string(frame->size() - space - 1) == frame->substr(0, space));
    POSTERN_CHECK(frame->ends_with(" anchor - " + text));
    POSTERN_CHECK(std::ranges::all_of(*frame, [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    FuzzInput input(data, size);
    if (input.byte() == 0) {
        const auto bytes = input.bytes();
        require_one_frame(std::string(bytes.begin(), bytes.end()));
        return 0;
    }
    return ipc::require_one_form_of_any<syslog::SendSyslog, syslog::SendSyslog::Answer>(data, size);
}
