// Oracle: everything is bounded and of the form that RFC 3464 gives it; a report written in that
// form about the same recipients names the same.
#include "features/mail/reader/bounce_report.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using postern::reader::BounceReport;

bool is_status(std::string_view text) {
    return text.size() >= 5 && (text[0] == '2' || text[0] == '4' || text[0] == '5') &&
           text[1] == '.' && std::ranges::count(text, '.') == 2 &&
           text.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string written(const BounceReport& report) {
    std::string text =
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        "MIME-Version: 1.0\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.example\r\n";
    for (const auto& each : report.recipients) {
        text += "\r\nFinal-Recipient: rfc822; " + each.address + "\r\nAction: " + each.action +
                "\r\nStatus: " + each.status + "\r\n";
    }
    return text + "\r\n--b--\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::reader;
    const auto bytes = postern::FuzzInput(data, size).text();
    const auto report = parse_bounce(postern::as_bytes(bytes));
    if (!report) return 0;
    POSTERN_CHECK(report->recipients.size() <= k_bounced_recipients_max);
    for (const auto& id : report->original_ids)
        POSTERN_CHECK(!id.empty() && id.find_first_of(" \t\r\n<>") == std::string::npos);
    for (const auto& each : report->recipients) {
        POSTERN_CHECK(is_status(each.status));
        POSTERN_CHECK(each.diagnostic.size() <= k_diagnostic_bytes_max);
        POSTERN_CHECK(each.diagnostic.find_first_of("\r\n") == std::string::npos);
        POSTERN_CHECK(each.address.find_first_of(" \t\r\n<>") == std::string::npos);
    }
    const auto text = written(*report);
    const auto again = parse_bounce(postern::as_bytes(text));
    POSTERN_CHECK(again.has_value() && again->recipients.size() == report->recipients.size());
    for (std::size_t i = 0; i < report->recipients.size(); ++i) {
        POSTERN_CHECK(again->recipients[i].address == report->recipients[i].address);
        POSTERN_CHECK(again->recipients[i].status == report->recipients[i].status);
    }
    return 0;
}
