#include "edge/api/audit_line.h"

#include "foundation/base/clock.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"
#include "platform/audit/audit_log.h"

#include <string>

namespace postern::api {

std::string audit_line(const audit::WholeRecord& record) {
    const auto& stored = record.stored;
    codec::JsonWriter json;
    json.begin_object()
        .field("number", stored.number)
        .field("at", rfc3339(stored.at_ms))
        .field("action", stored.action);
    if (record.from.empty()) {
        json.null_field("from");
    } else {
        json.field("from", record.from);
    }
    json.raw_field("facts", stored.facts)
        .field("at_ms", stored.at_ms)
        .field("segment", codec::hex(stored.segment))
        .field("step", stored.step)
        .field("seal_row", codec::hex(stored.seal_row));
    if (stored.details) {
        json.field("details", codec::hex(stored.details->view()));
    } else {
        json.null_field("details");
    }
    json.field("mac", codec::hex(stored.mac)).end_object();
    return json.take() + "\n";
}

}  // namespace postern::api
