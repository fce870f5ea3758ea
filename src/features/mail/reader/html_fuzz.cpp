// Oracle: the sanitiser's result is valid UTF-8 of the allowed subset (judged by HtmlOracle, which
// shares no code with it), within its bound, and sanitising it again changes nothing.
#include "features/mail/reader/html_oracle.h"
#include "features/mail/reader/html_text.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    if (size == 0 || size > k_input_bytes_max) return -1;
    // The first byte picks the bound, so that cutting is met often.
    const SanitiseOptions options{.output_bytes_max = data[0] < 128 ? data[0] : 2U << 20U};
    const std::string_view html(reinterpret_cast<const char*>(data) + 1, size - 1);
    SanitiseReport report;
    const std::string once = sanitise_html(html, report, options);
    require(is_valid_utf8(once));
    require(once.size() <= options.output_bytes_max);
    require(HtmlOracle::fault(once).empty());
    require(sanitise_html(once, report, options) == once);
    const std::string text = html_to_text(html, 1000);
    require(is_valid_utf8(text) && text.size() <= 1000);
    return 0;
}
