#include "edge/cli/claim_report.h"

#include "edge/cli/admin_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/log.h"
#include "foundation/codec/json.h"

#include <string>
#include <string_view>

namespace postern::cli {
namespace {

std::string_view word_of(ClaimVerdict verdict) {
    switch (verdict) {
        case ClaimVerdict::proven: return "proven";
        case ClaimVerdict::failing: return "failing";
        case ClaimVerdict::unknown: return "unknown";
    }
    return "unknown";
}

/// Evidence names files and ids; none of it reaches a terminal as it is.
std::string shown(std::string_view text) {
    return LogField::sanitised("", text).value();
}

}  // namespace

std::string claim_as_text(const ClaimText& claim, const ProveClaim::Answer& proof) {
    std::string text(word_of(proof.verdict));
    if (proof.verdict == ClaimVerdict::failing) text = "FAILING";
    text.resize(9, ' ');
    text.append(claim.id).append(": ").append(claim.text).append("\n");
    for (const auto& line : proof.faults)
        text.append("         ! ").append(shown(line)).append("\n");
    if (!proof.reason.empty()) text.append("         ? ").append(shown(proof.reason)).append("\n");
    for (const auto& line : proof.evidence)
        text.append("         - ").append(shown(line)).append("\n");
    text.append("         how: ").append(claim.method).append("\n");
    text.append("         control: finds ").append(claim.planted);
    text.append("; took ").append(std::to_string(proof.took_ms)).append(" ms\n");
    return text;
}

std::string claim_as_json(const ClaimText& claim, const ProveClaim::Answer& proof) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", claim.id)
        .field("verdict", word_of(proof.verdict))
        .field("text", claim.text)
        .field("method", claim.method)
        .field("control", claim.planted)
        .field("cost", claim.cost)
        .begin_array("faults");
    for (const auto& line : proof.faults)
        json.item(line);
    json.end_array().begin_array("evidence");
    for (const auto& line : proof.evidence)
        json.item(line);
    json.end_array()
        .field("reason", proof.reason)
        .field("at", rfc3339(proof.at_ms))
        .field("took_ms", proof.took_ms)
        .end_object();
    return json.take() + "\n";
}

}  // namespace postern::cli
