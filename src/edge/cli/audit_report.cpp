#include "edge/cli/audit_report.h"

#include "edge/cli/admin_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::cli {
namespace {

void add_faults(AuditReport& report,
                std::string_view where,
                const std::vector<std::string>& faults) {
    for (const auto& fault : faults) {
        report.is_whole = false;
        report.text.append(where).append(": ");
        report.text.append(LogField::sanitised("", fault).value()).append("\n");
    }
}

void add_chain(AuditReport& report, const VerifyAudit::Chain& chain) {
    auto& text = report.text;
    text += chain.workspace + ": " + std::to_string(chain.records) + " records";
    if (chain.base > 0) text += " after number " + std::to_string(chain.base);
    if (chain.broken_at == 0) {
        text += ", whole; head " + (chain.head.empty() ? std::string("-") : chain.head) + "\n";
        return;
    }
    report.is_whole = false;
    text += " are whole; number " + std::to_string(chain.broken_at) + ": " + chain.fault + "\n";
}

void add_second_place(AuditReport& report, const VerifyAudit::Answer& answer, bool with_log) {
    auto& text = report.text;
    if (answer.has_anchors) {
        text += "second place: " + std::to_string(answer.anchors) + " anchors\n";
    } else if (answer.has_log_server && !with_log) {
        text +=
            "second place: a log server, whose lines this server cannot read; a tail that was "
            "cut, or a store that was set back, shows when they are given with --anchors\n";
    } else if (!answer.has_log_server && !with_log) {
        text +=
            "second place: none; a tail that was cut, or a store that was set back, "
            "does not show\n";
    }
    add_faults(report, "second place", answer.anchor_faults);
}

void add_log(AuditReport& report, const VerifyAudit::Log& log) {
    auto& text = report.text;
    text += "log: " + std::to_string(log.lines) + " lines\n";
    if (log.too_long > 0) {
        text += "log: " + std::to_string(log.too_long) +
                " of them are too long and were not looked at\n";
    }
    for (const auto& newest : log.newest) {
        text += "log: " + newest.workspace + ": ";
        if (newest.number == 0) {
            text += "no anchor; its record is at number " + std::to_string(newest.record) + "\n";
            continue;
        }
        text += std::to_string(newest.anchors) + " anchors, the farthest says number " +
                std::to_string(newest.number) + " at " + rfc3339(newest.at_ms) +
                "; its record is at number " + std::to_string(newest.record) + "\n";
    }
    add_faults(report, "log", log.faults);
}

}  // namespace

AuditReport report_of(const VerifyAudit::Answer& answer, bool with_log) {
    AuditReport report;
    for (const auto& chain : answer.chains)
        add_chain(report, chain);
    add_second_place(report, answer, with_log);
    if (with_log) add_log(report, answer.log);
    return report;
}

}  // namespace postern::cli
