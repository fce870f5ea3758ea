#pragma once

#include "features/mail/ports.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"
#include "platform/ipc/link.h"

#include <functional>
#include <map>
#include <memory>

namespace postern::app::front {

/// Readers as the mail feature sees them: a process per workspace and batch, ended when nothing of
/// that workspace waits for it any more. No reader ever sees two workspaces. Where one falls over a
/// mail, the others of its batch are tried once more alone.
///
/// Executor: front's thread.
class ReaderPool final : public mail::Readers {
public:
    /// A fresh reader's socket. Errors: ControlError::too_many_readers, no_reader.
    using Starter = std::function<async::Task<os::Fd>(Deadline)>;

    /// `group` outlives it.
    ReaderPool(async::TaskGroup& group, Starter start);

    async::Task<mail::ReadMail> parse(WorkspaceId workspace, os::Fd raw) override;
    async::Task<mail::BounceReport> parse_bounce(WorkspaceId workspace, os::Fd raw) override;
    async::Task<mail::ExtractAttachment::Answer> extract(WorkspaceId workspace,
                                                         os::Fd raw,
                                                         std::uint32_t index) override;

private:
    struct Batch {
        explicit Batch(async::TaskGroup& group, const ipc::Router& router) : link(group, router) {}
        ipc::Link link;
        std::size_t asked = 0;
        std::size_t waiting = 0;
    };
    /// Keeps the batch alive; the last one ends it.
    class Use;

    /// The workspace's, or a fresh one for one mail alone.
    async::Task<std::shared_ptr<Batch>> begin(WorkspaceId workspace, bool alone);
    async::Task<os::Fd> start_reader();
    template <typename Method>
    async::Task<typename Method::Answer> ask(WorkspaceId workspace,
                                             os::Fd raw,
                                             std::function<Method(os::Fd)> make);

    async::TaskGroup& group_;
    Starter start_;
    ipc::Router nothing_served_;
    async::Signal freed_;
    std::map<WorkspaceId, std::shared_ptr<Batch>> batches_;
};

}  // namespace postern::app::front
