#include "app/reader/reader.h"

#include "app/child/child_main.h"
#include "app/control/control_protocol.h"
#include "app/fence/fence.h"
#include "features/mail/reader/charset.h"
#include "foundation/base/log.h"
#include "platform/async/loop.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/os/fd.h"
#include "platform/os/system_call_filter.h"

#include <sys/resource.h>
#include <memory>

namespace postern::app::reader {
namespace {

// Standard streams, the connection, the loop's own, and what a mail and an attachment need.
constexpr rlim_t k_descriptors_max = 32;
constexpr rlim_t k_memory_bytes_max = rlim_t{1} << 30U;
#if defined(__SANITIZE_ADDRESS__)
constexpr bool k_sanitized = true;
#elif defined(__has_feature)
constexpr bool k_sanitized = __has_feature(address_sanitizer);
#else
constexpr bool k_sanitized = false;
#endif
constexpr rlim_t k_file_bytes_max = rlim_t{64} << 20U;

bool set_limit(int what, rlim_t value) {
    const struct rlimit limit{value, value};
    return ::setrlimit(static_cast<__rlimit_resource>(what), &limit) == 0;
}

async::Job serve_until_closed(std::shared_ptr<ipc::Peer> peer, async::Loop* loop) {
    co_await peer->run();
    loop->stop();
}

}  // namespace

bool limit_process() {
    // AddressSanitizer's shadow alone is larger.
    const bool memory = k_sanitized || set_limit(RLIMIT_AS, k_memory_bytes_max);
    return memory && set_limit(RLIMIT_NOFILE, k_descriptors_max) &&
           set_limit(RLIMIT_FSIZE, k_file_bytes_max) && set_limit(RLIMIT_NPROC, 0) &&
           set_limit(RLIMIT_MEMLOCK, 0);
}

int run_reader(os::Violation violation) {
    if (!child::prepare_process("reader")) return 1;
    postern::reader::warm_up();
    async::Loop loop;
    async::TaskGroup tasks(loop.executor());
    ipc::Router router;
    serve_mails(router);
    const auto peer = std::make_shared<ipc::Peer>(
        loop.executor(), os::Fd(control::k_control_descriptor), router.handler());
    if (!limit_process()) {
        log(LogLevel::error, "reader_not_limited");
        return 1;
    }
    if (const auto fenced = fence::enter(fence::of_reader(violation)); !fenced) {
        log(LogLevel::error, "reader_not_fenced", {{"error", fenced.error()}});
        return 1;
    }
    tasks.spawn("reader_link", serve_until_closed(peer, &loop));
    loop.run();
    return 0;
}

}  // namespace postern::app::reader
