#include "app/front/reader_pool.h"

#include "app/control/control_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace postern::app::front {

using namespace std::chrono_literals;

namespace {

Deadline parse_deadline() {
    return Deadline::in(60s);
}

/// A reader that died or hangs over a mail: the mail is what did it.
bool is_of_the_mail(const Error& error) {
    return error.is(ipc::IpcError::closed) || error.is(async::AsyncError::deadline_passed);
}

}  // namespace

class ReaderPool::Use {
public:
    Use(ReaderPool& pool, WorkspaceId workspace, std::shared_ptr<Batch> batch)
        : pool_(pool), workspace_(workspace), batch_(std::move(batch)) {
        ++batch_->asked;
        ++batch_->waiting;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        if (--batch_->waiting != 0) return;
        batch_->link.close();
        pool_.end_(batch_->number);
        const auto found = pool_.batches_.find(workspace_);
        if (found != pool_.batches_.end() && found->second == batch_) pool_.batches_.erase(found);
        pool_.reader_ended();
    }

private:
    ReaderPool& pool_;
    WorkspaceId workspace_;
    std::shared_ptr<Batch> batch_;
};

ReaderPool::ReaderPool(async::TaskGroup& group, Starter start, Ender end)
    : group_(group), start_(std::move(start)), end_(std::move(end)) {}

void ReaderPool::reader_ended() {
    for (const auto& waiter : std::exchange(waiting_, {}))
        waiter->set();
}

async::Task<control::StartReader::Answer> ReaderPool::start_reader() {
    const auto deadline = parse_deadline();
    while (true) {
        // Before it is asked for: one may end while the refusal is on its way.
        const auto ended = std::make_shared<async::Signal>(group_.executor());
        waiting_.push_back(ended);
        auto started = co_await start_(deadline);
        if (started || !started.error().is(control::ControlError::too_many_readers)) {
            waiting_.remove(ended);
            co_return started;
        }
        auto freed = co_await ended->wait(deadline);
        waiting_.remove(ended);
        if (!freed) co_return fail(std::move(freed.error()));
    }
}

async::Task<std::shared_ptr<ReaderPool::Batch>> ReaderPool::begin(WorkspaceId workspace,
                                                                  bool alone) {
    const auto found = batches_.find(workspace);
    if (!alone && found != batches_.end() && found->second->link.attached()) {
        co_return found->second;
    }
    auto started = co_await start_reader();
    if (!started) co_return fail(std::move(started.error()));
    auto batch = std::make_shared<Batch>(group_, nothing_served_, started->number);
    batch->link.attach(std::move(started->socket));
    if (!alone) batches_[workspace] = batch;
    co_return batch;
}

template <typename Method>
async::Task<typename Method::Answer> ReaderPool::ask(WorkspaceId workspace,
                                                     os::Fd raw,
                                                     std::function<Method(os::Fd)> make) {
    for (bool alone = false;; alone = true) {
        auto batch = co_await begin(workspace, alone);
        if (!batch) co_return fail(std::move(batch.error()));
        const Use use(*this, workspace, *batch);
        auto copy = os::duplicate(raw);
        if (!copy) co_return fail(std::move(copy.error()));
        auto answer = co_await (*batch)->link.call(make(std::move(*copy)), parse_deadline());
        if (answer || !is_of_the_mail(answer.error())) co_return answer;
        // Whatever else it read may be what it fell over.
        if (alone || (*batch)->asked < 2) co_return fail(mail::MailError::mail_unreadable);
    }
}

async::Task<mail::ReadMail> ReaderPool::parse(WorkspaceId workspace, os::Fd raw) {
    const auto make = [](os::Fd file) { return mail::ParseMail{std::move(file)}; };
    co_return co_await ask<mail::ParseMail>(workspace, std::move(raw), make);
}

async::Task<mail::BounceReport> ReaderPool::parse_bounce(WorkspaceId workspace, os::Fd raw) {
    const auto make = [](os::Fd file) { return mail::ParseBounce{std::move(file)}; };
    co_return co_await ask<mail::ParseBounce>(workspace, std::move(raw), make);
}

async::Task<mail::ExtractAttachment::Answer> ReaderPool::extract(WorkspaceId workspace,
                                                                 os::Fd raw,
                                                                 std::uint32_t index) {
    const auto make = [index](os::Fd file) {
        return mail::ExtractAttachment{std::move(file), index};
    };
    co_return co_await ask<mail::ExtractAttachment>(workspace, std::move(raw), make);
}

}  // namespace postern::app::front
