#pragma once

#include "app/control/control_protocol.h"
#include "features/mail/ports.h"
#include "platform/async/signal.h"
#include "platform/async/task_group.h"
#include "platform/ipc/link.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
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
    using Starter = std::function<async::Task<control::StartReader::Answer>(Deadline)>;
    /// Told of each whose socket was closed.
    using Ender = std::function<void(std::uint64_t number)>;

    /// `group` outlives it.
    ReaderPool(async::TaskGroup& group, Starter start, Ender end);

    async::Task<mail::ReadMail> parse(WorkspaceId workspace, os::Fd raw) override;
    async::Task<mail::BounceReport> parse_bounce(WorkspaceId workspace, os::Fd raw) override;
    async::Task<mail::ExtractAttachment::Answer> extract(WorkspaceId workspace,
                                                         os::Fd raw,
                                                         std::uint32_t index) override;

private:
    struct Batch {
        Batch(async::TaskGroup& group, const ipc::Router& router, std::uint64_t its_number)
            : link(group, router), number(its_number) {}
        ipc::Link link;
        std::uint64_t number;
        std::size_t asked = 0;
        std::size_t waiting = 0;
    };
    /// Keeps the batch alive; the last one ends it.
    class Use;

    /// The workspace's, or a fresh one for one mail alone.
    async::Task<std::shared_ptr<Batch>> begin(WorkspaceId workspace, bool alone);
    async::Task<control::StartReader::Answer> start_reader();
    void reader_ended();
    template <typename Method>
    async::Task<typename Method::Answer> ask(WorkspaceId workspace,
                                             os::Fd raw,
                                             std::function<Method(os::Fd)> make);

    async::TaskGroup& group_;
    Starter start_;
    Ender end_;
    ipc::Router nothing_served_;
    /// Of those that wait until a reader has ended, each its own: a signal wakes one.
    std::list<std::shared_ptr<async::Signal>> waiting_;
    std::map<WorkspaceId, std::shared_ptr<Batch>> batches_;
};

}  // namespace postern::app::front
