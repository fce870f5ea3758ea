#include "app/front/anchor_adapter.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "foundation/base/result.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_file.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchors.h"
#include "platform/audit/logged_anchors.h"
#include "platform/os/files.h"
#include "platform/syslog/syslog_protocol.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace postern::app::front {
namespace {

/// To connect and to write have 15 seconds each.
constexpr std::chrono::seconds k_carry_time{40};
static_assert(audit::k_carried_max <= syslog::k_messages_max);

control::AnchorStep step_of(audit::AnchorStep step) {
    switch (step) {
        case audit::AnchorStep::open: return control::AnchorStep::open;
        case audit::AnchorStep::rotate: return control::AnchorStep::rotate;
        case audit::AnchorStep::accept: return control::AnchorStep::accept;
    }
    return control::AnchorStep::open;
}

}  // namespace

bool AnchorAdapter::is_set() const {
    return !runtime_.config().audit.anchor_file.empty();
}

async::Task<std::shared_ptr<const audit::AnchorFile>> AnchorAdapter::open(audit::AnchorStep step) {
    const auto deadline = Deadline::in(std::chrono::seconds(20));
    auto opened = co_await runtime_.open_anchors(step_of(step), deadline);
    if (!opened) co_return fail(std::move(opened.error()));
    if (!opened->refused.code.empty()) {
        co_return fail(os::OsError::io, opened->refused.code + " " + opened->refused.detail);
    }
    co_return std::make_shared<const audit::AnchorFile>(std::move(opened->present),
                                                        std::move(opened->before));
}

async::Task<std::int64_t> LogServerAdapter::carry(std::vector<audit::Anchor> anchors, bool anew) {
    syslog::SendSyslog ask;
    ask.anew = anew;
    for (const auto& anchor : anchors)
        ask.messages.push_back({anchor.at_ms, audit::line_of(anchor)});
    auto sent = co_await courier_.call(std::move(ask), Deadline::in(k_carry_time));
    if (!sent) co_return fail(std::move(sent.error()));
    co_return sent->connection;
}

}  // namespace postern::app::front
