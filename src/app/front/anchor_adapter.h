#pragma once

#include "app/child/runtime.h"
#include "platform/audit/anchors.h"

#include <memory>

namespace postern::app::front {

/// The audit record's second place, whose files the supervisor opens.
class AnchorAdapter final : public audit::AnchorPlace {
public:
    explicit AnchorAdapter(child::Runtime& runtime) : runtime_(runtime) {}

    [[nodiscard]] bool is_set() const override;
    async::Task<std::shared_ptr<const audit::AnchorFile>> open(audit::AnchorStep step) override;

private:
    child::Runtime& runtime_;
};

}  // namespace postern::app::front
