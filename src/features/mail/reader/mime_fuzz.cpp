// Oracle: everything that parse_mail gives out is valid UTF-8 without NUL, its HTML is of the
// allowed subset and a fixed point of the sanitiser, file names are fixed points too.
#include "features/mail/reader/charset.h"
#include "features/mail/reader/html_oracle.h"
#include "features/mail/reader/parse_mail.h"
#include "features/mail/reader/sanitise_html.h"
#include "features/mail/reader/utf8_text.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t k_input_bytes_max = 64U << 10U;

void require(bool condition) {
    if (!condition) std::abort();
}

void require_text(const std::string& text) {
    require(postern::reader::is_valid_utf8(text));
    require(!text.contains('\0'));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    postern::reader::warm_up();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    if (size > k_input_bytes_max) return -1;
    const auto mail = parse_mail({data, size});
    if (!mail) return 0;
    for (const std::string* text : {&mail->subject, &mail->text, &mail->html, &mail->new_text,
                                    &mail->quoted_text, &mail->message_id, &mail->list_id}) {
        require_text(*text);
    }
    for (const auto* list : {&mail->from, &mail->to, &mail->cc, &mail->sender, &mail->reply_to}) {
        for (const Mailbox& mailbox : *list) {
            require_text(mailbox.name);
            require_text(mailbox.address);
        }
    }
    for (const Attachment& attachment : mail->attachments) {
        require_text(attachment.content_id);
        require(!attachment.name.empty() && safe_file_name(attachment.name) == attachment.name);
    }
    require(HtmlOracle::fault(mail->html).empty());
    SanitiseReport report;
    require(sanitise_html(mail->html, report) == mail->html);
    return 0;
}
