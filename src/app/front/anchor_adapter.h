#pragma once

#include "app/child/runtime.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchors.h"
#include "platform/audit/logged_anchors.h"
#include "platform/ipc/link.h"

#include <cstdint>
#include <memory>
#include <vector>

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

/// By way of courier, which alone connects outwards.
class LogServerAdapter final : public audit::AnchorCarrier {
public:
    LogServerAdapter(ipc::Link& courier, bool is_set) : courier_(courier), is_set_(is_set) {}

    [[nodiscard]] bool is_set() const override { return is_set_; }
    async::Task<std::int64_t> carry(std::vector<audit::Anchor> anchors, bool anew) override;

private:
    ipc::Link& courier_;
    bool is_set_;
};

}  // namespace postern::app::front
