// Preloaded into the real programs by the fault sweep: counts their storage calls, and breaks the
// one that the plan names. It works on a page mapped before main(), and makes no system call that
// the program does not make itself, so that fences do not matter to it.
#include "fault_plan.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace postern::soak {
namespace {

constexpr int k_files_max = 1024;
constexpr std::int64_t k_new_file_bytes = 4096;

Plan* g_plan = nullptr;
std::size_t g_role = 0;
/// What each descriptor was opened as, to be told when the call on it is broken.
std::array<std::array<char, k_name_bytes>, k_files_max> g_names;

/// The function that would have been called without us.
template <typename F>
F next(const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

std::size_t role_of(std::string_view name) {
    constexpr std::array<std::string_view, k_roles> k_names{"supervisor", "front",  "keeper",
                                                            "courier",    "reader", "other"};
    const auto* const found = std::ranges::find(k_names, name);
    return std::min<std::size_t>(static_cast<std::size_t>(found - k_names.begin()), k_roles - 1);
}

[[gnu::constructor]] void map_plan() {
    static const auto open_next = next<decltype(&::open)>("open");
    // Before main(): there is one thread. NOLINTBEGIN(concurrency-mt-unsafe)
    const char* const file = std::getenv("POSTERN_FAULT_PLAN");
    const char* const role = std::getenv("POSTERN_FAULT_ROLE");
    // NOLINTEND(concurrency-mt-unsafe)
    if (file == nullptr || role == nullptr) return;
    g_role = role_of(role);
    const int fd = open_next(file, O_RDWR | O_CLOEXEC);
    void* const page = ::mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || static_cast<Plan*>(page)->size != sizeof(Plan)) std::abort();
    ::close(fd);
    g_plan = static_cast<Plan*>(page);
}

bool is_armed() {
    return g_plan != nullptr && g_plan->armed.load() != 0;
}

std::string_view tail_of(std::string_view name) {
    return name.substr(name.size() - std::min(name.size(), k_name_bytes - 1));
}

void remember(int fd, const char* name) {
    if (fd < 0 || fd >= k_files_max) return;
    auto& room = g_names[static_cast<std::size_t>(fd)];
    const auto tail = tail_of(name);
    std::fill(std::copy(tail.begin(), tail.end(), room.begin()), room.end(), '\0');
}

/// A file or folder of the store: neither a socket nor a memory file, nor what lies elsewhere. A
/// log is none.
bool is_stored(int fd, struct stat& status, int lowest = STDERR_FILENO + 1) {
    if (fd < lowest || ::fstat(fd, &status) != 0 || status.st_dev != g_plan->device) return false;
    return (S_ISREG(status.st_mode) && status.st_nlink > 0) || S_ISDIR(status.st_mode);
}

/// A relative name is one of the store: the children stand in it.
bool is_stored(std::string_view name) {
    return !name.starts_with('/') || name.starts_with(g_plan->place.data());
}

/// A name as an *at() call has it; one below a descriptor that is no folder of ours is none.
bool is_stored_at(int folder, std::string_view name) {
    struct stat status{};
    if (name.starts_with('/') || folder == AT_FDCWD) return is_stored(name);
    return ::fstat(folder, &status) == 0 && status.st_dev == g_plan->device;
}

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    // Where a filter refuses that, the sweep sees `fired` and does it.
    while (true)
        ::pause();
}

enum class Verdict { go_on, fail, half, half_then_die, pretend };

void note_fired(Call call, std::string_view name) {
    g_plan->fired_call = call;
    const auto tail = tail_of(name);
    std::ranges::copy(tail, g_plan->fired_name.begin());
    g_plan->fired.store(1);
}

/// Faults of writes alone are due at the next write where the call of that number is none.
bool waits_for_write() {
    return g_plan->fault == Fault::short_write || g_plan->fault == Fault::drop;
}

Verdict break_call(Call call, std::string_view name) {
    const bool writes = call == Call::write;
    if (waits_for_write() && !writes) return Verdict::go_on;
    if (g_plan->fault == Fault::cut && writes) return Verdict::half_then_die;
    if (g_plan->fault == Fault::full) g_plan->full.store(1);
    note_fired(call, name);
    switch (g_plan->fault) {
        case Fault::none:
        case Fault::full: return Verdict::go_on;
        case Fault::kill:
        case Fault::cut: die();
        case Fault::eio: return Verdict::fail;
        case Fault::short_write: return Verdict::half;
        case Fault::drop: return Verdict::pretend;
    }
    return Verdict::go_on;
}

/// Counts a call of the store, and says what becomes of it.
Verdict count(Call call, std::string_view name) {
    auto& mine = g_plan->roles[g_role];
    const bool reads = call == Call::read;
    auto number = (reads ? mine.reads : mine.changes).fetch_add(1) + 1;
    if (!reads && number <= k_trace_calls) mine.trace[number - 1].store(call);
    if (g_plan->kinds != 0) {
        if ((g_plan->kinds >> static_cast<unsigned>(call) & 1U) == 0) return Verdict::go_on;
        number = mine.chosen.fetch_add(1) + 1;
    }
    if (g_plan->fault == Fault::none || g_plan->role != g_role || g_plan->fired.load() != 0 ||
        (g_plan->reads != 0) != reads) {
        return Verdict::go_on;
    }
    const bool due = waits_for_write() ? number >= g_plan->at : number == g_plan->at;
    return due ? break_call(call, name) : Verdict::go_on;
}

Verdict count(Call call, int fd) {
    return count(call, fd < k_files_max ? g_names[static_cast<std::size_t>(fd)].data() : "");
}

/// Takes room on a full disk; false when there is not so much. Nothing happens on one with room.
bool take_room(std::int64_t bytes) {
    if (g_plan->full.load() == 0 || bytes <= 0) return true;
    if (g_plan->room_bytes.fetch_sub(bytes) >= bytes) return true;
    g_plan->room_bytes.fetch_add(bytes);
    return false;
}

void give_room(std::int64_t bytes) {
    if (g_plan->full.load() != 0 && bytes > 0) g_plan->room_bytes.fetch_add(bytes);
}

int refuse(int number) {
    errno = number;
    return -1;
}

template <typename Write>
ssize_t write_some(int fd, std::size_t size, std::int64_t offset, Write write) {
    struct stat status{};
    if (!is_armed() || !is_stored(fd, status)) return write(size);
    const auto verdict = count(Call::write, fd);
    if (verdict == Verdict::fail) return refuse(EIO);
    if (verdict == Verdict::pretend) return static_cast<ssize_t>(size);
    if (verdict == Verdict::half_then_die) {
        (void)write(size / 2);
        note_fired(Call::write, g_names[static_cast<std::size_t>(fd % k_files_max)].data());
        die();
    }
    const auto end = (offset < 0 ? status.st_size : offset) + static_cast<std::int64_t>(size);
    if (!take_room(end - status.st_size)) return refuse(ENOSPC);
    return write(verdict == Verdict::half && size > 1 ? size / 2 : size);
}

template <typename Read>
ssize_t read_some(int fd, Read read) {
    struct stat status{};
    if (is_armed() && is_stored(fd, status) && count(Call::read, fd) == Verdict::fail)
        return refuse(EIO);
    return read();
}

template <typename Change>
int change(Call call, int fd, Change make) {
    struct stat status{};
    if (is_armed() && is_stored(fd, status) && count(call, fd) == Verdict::fail) return refuse(EIO);
    return make();
}

template <typename Change>
int change(Call call, int folder, const char* name, Change make) {
    if (is_armed() && is_stored_at(folder, name) && count(call, name) == Verdict::fail) {
        return refuse(EIO);
    }
    return make();
}

template <typename Open>
int open_file(int folder, const char* name, int flags, Open open) {
    if (is_armed() && is_stored_at(folder, name)) {
        struct stat status{};
        const bool makes = (flags & O_CREAT) != 0 && ::fstatat(folder, name, &status, 0) != 0;
        if (count(makes ? Call::make : Call::open, name) == Verdict::fail) return refuse(EIO);
        if (makes && !take_room(k_new_file_bytes)) return refuse(ENOSPC);
    }
    const int fd = open();
    remember(fd, name);
    return fd;
}

template <typename Resize>
int resize(int fd, std::int64_t size, Resize make) {
    struct stat status{};
    if (!is_armed() || !is_stored(fd, status)) return make();
    if (count(Call::resize, fd) == Verdict::fail) return refuse(EIO);
    if (!take_room(size - status.st_size)) return refuse(ENOSPC);
    const int done = make();
    if (done == 0) give_room(status.st_size - size);
    return done;
}

/// The error, or 0: of posix_fallocate it is the result.
template <typename Allocate>
int allocate(int fd, std::int64_t end, Allocate make) {
    struct stat status{};
    // Output that is a file is asked for room, too.
    if (!is_armed() || !is_stored(fd, status, STDOUT_FILENO)) return make();
    if (count(Call::allocate, fd) == Verdict::fail) return EIO;
    return take_room(end - status.st_size) ? make() : ENOSPC;
}

template <typename Allocate>
int allocate_or_refuse(int fd, std::int64_t end, Allocate make) {
    const int error = allocate(fd, end, [&] { return make() == 0 ? 0 : errno; });
    return error == 0 ? 0 : refuse(error);
}

/// A name more for something.
template <typename Link>
int make_link(int folder, const char* name, Link make) {
    if (!is_armed() || !is_stored_at(folder, name)) return make();
    if (count(Call::link, name) == Verdict::fail) return refuse(EIO);
    return take_room(k_new_file_bytes) ? make() : refuse(ENOSPC);
}

template <typename Unlink>
int unlink_file(int folder, const char* name, Unlink make) {
    if (!is_armed() || !is_stored_at(folder, name)) return make();
    if (count(Call::unlink, name) == Verdict::fail) return refuse(EIO);
    struct stat status{};
    const bool known = ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    const int done = make();
    if (done == 0 && known) give_room(status.st_size);
    return done;
}

}  // namespace
}  // namespace postern::soak

namespace soak = postern::soak;
using soak::Call;

extern "C" {

int open(const char* name, int flags, ...) {
    static const auto next = soak::next<decltype(&::open)>("open");
    va_list more;
    va_start(more, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return soak::open_file(AT_FDCWD, name, flags, [&] { return next(name, flags, mode); });
}
int open64(const char* name, int flags, ...) {
    static const auto next = soak::next<decltype(&::open64)>("open64");
    va_list more;
    va_start(more, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return soak::open_file(AT_FDCWD, name, flags, [&] { return next(name, flags, mode); });
}
int openat(int folder, const char* name, int flags, ...) {
    static const auto next = soak::next<decltype(&::openat)>("openat");
    va_list more;
    va_start(more, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return soak::open_file(folder, name, flags, [&] { return next(folder, name, flags, mode); });
}
ssize_t write(int fd, const void* data, std::size_t size) {
    static const auto next = soak::next<decltype(&::write)>("write");
    return soak::write_some(fd, size, -1, [&](std::size_t some) { return next(fd, data, some); });
}
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
    static const auto next = soak::next<decltype(&::pwrite)>("pwrite");
    return soak::write_some(fd, size, at,
                            [&](std::size_t some) { return next(fd, data, some, at); });
}
ssize_t pwrite64(int fd, const void* data, std::size_t size, off_t at) {
    static const auto next = soak::next<decltype(&::pwrite64)>("pwrite64");
    return soak::write_some(fd, size, at,
                            [&](std::size_t some) { return next(fd, data, some, at); });
}
ssize_t read(int fd, void* data, std::size_t size) {
    static const auto next = soak::next<decltype(&::read)>("read");
    return soak::read_some(fd, [&] { return next(fd, data, size); });
}
ssize_t pread(int fd, void* data, std::size_t size, off_t at) {
    static const auto next = soak::next<decltype(&::pread)>("pread");
    return soak::read_some(fd, [&] { return next(fd, data, size, at); });
}
ssize_t pread64(int fd, void* data, std::size_t size, off_t at) {
    static const auto next = soak::next<decltype(&::pread64)>("pread64");
    return soak::read_some(fd, [&] { return next(fd, data, size, at); });
}
int fsync(int fd) {
    static const auto next = soak::next<decltype(&::fsync)>("fsync");
    return soak::change(Call::sync, fd, [&] { return next(fd); });
}
int fdatasync(int fd) {
    static const auto next = soak::next<decltype(&::fdatasync)>("fdatasync");
    return soak::change(Call::sync, fd, [&] { return next(fd); });
}
int ftruncate(int fd, off_t size) noexcept {
    static const auto next = soak::next<decltype(&::ftruncate)>("ftruncate");
    return soak::resize(fd, size, [&] { return next(fd, size); });
}
int ftruncate64(int fd, off_t size) noexcept {
    static const auto next = soak::next<decltype(&::ftruncate64)>("ftruncate64");
    return soak::resize(fd, size, [&] { return next(fd, size); });
}
int posix_fallocate(int fd, off_t at, off_t size) {
    static const auto next = soak::next<decltype(&::posix_fallocate)>("posix_fallocate");
    return soak::allocate(fd, at + size, [&] { return next(fd, at, size); });
}
int posix_fallocate64(int fd, off_t at, off_t size) {
    static const auto next = soak::next<decltype(&::posix_fallocate64)>("posix_fallocate64");
    return soak::allocate(fd, at + size, [&] { return next(fd, at, size); });
}
int fallocate(int fd, int mode, off_t at, off_t size) {
    static const auto next = soak::next<decltype(&::fallocate)>("fallocate");
    return soak::allocate_or_refuse(fd, at + size, [&] { return next(fd, mode, at, size); });
}
int fallocate64(int fd, int mode, off_t at, off_t size) {
    static const auto next = soak::next<decltype(&::fallocate64)>("fallocate64");
    return soak::allocate_or_refuse(fd, at + size, [&] { return next(fd, mode, at, size); });
}
int rename(const char* from, const char* to) noexcept {
    static const auto next = soak::next<decltype(&::rename)>("rename");
    return soak::change(Call::rename, AT_FDCWD, to, [&] { return next(from, to); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
    static const auto next = soak::next<decltype(&::renameat)>("renameat");
    return soak::change(Call::rename, to_folder, to,
                        [&] { return next(from_folder, from, to_folder, to); });
}
int link(const char* from, const char* to) noexcept {
    static const auto next = soak::next<decltype(&::link)>("link");
    return soak::make_link(AT_FDCWD, to, [&] { return next(from, to); });
}
int symlink(const char* target, const char* name) noexcept {
    static const auto next = soak::next<decltype(&::symlink)>("symlink");
    return soak::make_link(AT_FDCWD, name, [&] { return next(target, name); });
}
int symlinkat(const char* target, int folder, const char* name) noexcept {
    static const auto next = soak::next<decltype(&::symlinkat)>("symlinkat");
    return soak::make_link(folder, name, [&] { return next(target, folder, name); });
}
int unlink(const char* name) noexcept {
    static const auto next = soak::next<decltype(&::unlink)>("unlink");
    return soak::unlink_file(AT_FDCWD, name, [&] { return next(name); });
}
int unlinkat(int folder, const char* name, int flags) noexcept {
    static const auto next = soak::next<decltype(&::unlinkat)>("unlinkat");
    return soak::unlink_file(folder, name, [&] { return next(folder, name, flags); });
}
int remove(const char* name) noexcept {
    static const auto next = soak::next<decltype(&::remove)>("remove");
    return soak::unlink_file(AT_FDCWD, name, [&] { return next(name); });
}
int rmdir(const char* name) noexcept {
    static const auto next = soak::next<decltype(&::rmdir)>("rmdir");
    return soak::unlink_file(AT_FDCWD, name, [&] { return next(name); });
}
int mkdir(const char* name, mode_t mode) noexcept {
    static const auto next = soak::next<decltype(&::mkdir)>("mkdir");
    return soak::change(Call::mkdir, AT_FDCWD, name, [&] { return next(name, mode); });
}
int chmod(const char* name, mode_t mode) noexcept {
    static const auto next = soak::next<decltype(&::chmod)>("chmod");
    return soak::change(Call::own, AT_FDCWD, name, [&] { return next(name, mode); });
}
int fchmod(int fd, mode_t mode) noexcept {
    static const auto next = soak::next<decltype(&::fchmod)>("fchmod");
    return soak::change(Call::own, fd, [&] { return next(fd, mode); });
}
int fchmodat(int folder, const char* name, mode_t mode, int flags) noexcept {
    static const auto next = soak::next<decltype(&::fchmodat)>("fchmodat");
    return soak::change(Call::own, folder, name, [&] { return next(folder, name, mode, flags); });
}
int fchown(int fd, uid_t user, gid_t group) noexcept {
    static const auto next = soak::next<decltype(&::fchown)>("fchown");
    return soak::change(Call::own, fd, [&] { return next(fd, user, group); });
}
int fchownat(int folder, const char* name, uid_t user, gid_t group, int flags) noexcept {
    static const auto next = soak::next<decltype(&::fchownat)>("fchownat");
    return soak::change(Call::own, folder, name,
                        [&] { return next(folder, name, user, group, flags); });
}

}  // extern "C"
