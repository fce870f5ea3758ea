#include "features/integrations/receipt_text.h"

#include "features/integrations/integration_types.h"
#include "foundation/base/clock.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/json.h"

#include <cstdint>
#include <string>

namespace postern::integrations {

std::string receipt_json(const Receipt& receipt, bool with_signature) {
    codec::JsonWriter json;
    json.begin_object()
        .field("id", receipt.id.text())
        .field("kind", receipt.kind)
        .field("state", receipt.state)
        .field("at", rfc3339(receipt.at_ms))
        .field("subject", receipt.subject)
        .field("epoch", static_cast<std::int64_t>(receipt.epoch))
        .begin_array("steps");
    for (const auto& step : receipt.steps) {
        json.begin_object()
            .field("name", step.name)
            .field("result", step.result)
            .field("at", rfc3339(step.at_ms))
            .end_object();
    }
    json.end_array().field("bound_ms", receipt.bound_ms).field("advice", receipt.advice);
    if (receipt.link.empty()) {
        json.null_field("link");
    } else {
        json.field("link", receipt.link);
    }
    json.field("key", codec::base64(receipt.key));
    if (with_signature) json.field("signature", codec::base64(receipt.signature));
    json.end_object();
    return json.take();
}

}  // namespace postern::integrations
