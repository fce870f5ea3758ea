#pragma once

#include "app/child/runtime.h"
#include "features/mail/ports.h"
#include "platform/async/signal.h"
#include "platform/ipc/link.h"

#include <map>
#include <memory>

namespace postern::app::front {

/// Readers as the mail feature sees them: a process per workspace and batch, ended when nothing of
/// that workspace waits for it any more. No reader ever sees two workspaces.
///
/// Executor: front's thread.
class ReaderPool final : public mail::Readers {
public:
    explicit ReaderPool(child::Runtime& runtime);

    async::Task<mail::ReadMail> parse(WorkspaceId workspace, os::Fd raw) override;
    async::Task<mail::ExtractAttachment::Answer> extract(WorkspaceId workspace,
                                                         os::Fd raw,
                                                         std::uint32_t index) override;

private:
    struct Batch {
        explicit Batch(async::TaskGroup& group, const ipc::Router& router) : link(group, router) {}
        ipc::Link link;
        std::size_t waiting = 0;
    };
    /// Keeps the batch alive; the last one ends it.
    class Use;

    async::Task<std::shared_ptr<Batch>> begin(WorkspaceId workspace);
    async::Task<os::Fd> start_reader();

    child::Runtime& runtime_;
    ipc::Router nothing_served_;
    async::Signal freed_;
    std::map<WorkspaceId, std::shared_ptr<Batch>> batches_;
};

}  // namespace postern::app::front
