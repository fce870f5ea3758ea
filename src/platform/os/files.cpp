#include "platform/os/files.h"

#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace postern::os {
namespace {

constexpr int k_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<> write_all(int fd, ByteView content, const std::string& what) {
    while (!content.empty()) {
        const auto written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(errno_error(what));
        content = content.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<> sync_parent(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid() || ::fsync(directory.get()) != 0) return fail(errno_error(parent));
    return {};
}

}  // namespace

Error errno_error(const std::string& what) {
    const int number = errno;
    std::array<char, 128> text{};
    const std::string detail = what + ": " + ::strerror_r(number, text.data(), text.size());
    switch (number) {
        case ENOENT: return {OsError::not_found, detail};
        case EEXIST: return {OsError::already_exists, detail};
        case EACCES:
        case EPERM: return {OsError::no_permission, detail};
        case ENOSPC:
        case EDQUOT: return {OsError::disk_full, detail};
        default: return {OsError::io, detail};
    }
}

Result<Secret> read_secret(int fd, std::size_t bytes_max) {
    POSTERN_TRY(const auto size, file_size(fd));
    if (size > bytes_max) return fail(OsError::too_large);
    auto secret = Secret::of_size(size);
    const bool whole = secret.with_mutable_bytes([&](std::span<std::uint8_t> bytes) {
        return ::pread(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    });
    if (!whole) return fail(errno_error("secret file"));
    return secret;
}

Result<Secret> read_secret_file(const std::string& path, std::size_t bytes_max) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid()) return fail(errno_error(path));
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail(errno_error(path));
    if ((status.st_mode & 077U) != 0) return fail(OsError::too_open, path);
    return read_secret(file.get(), bytes_max);
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return fail(errno_error(path));
    std::string text;
    std::array<char, 16384> chunk{};
    while (true) {
        const auto got = ::read(file.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(errno_error(path));
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > bytes_max) return fail(OsError::too_large, path);
    }
}

Result<> create_file(const std::string& path, ByteView content, unsigned mode) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file.valid()) return fail(errno_error(path));
    if (auto done = write_all(file.get(), content, path); !done) {
        ::unlink(path.c_str());
        return done;
    }
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) {
        return fail(errno_error(path));
    }
    return sync_parent(path);
}

Result<Fd> empty_memory_file() {
    Fd file(::memfd_create("postern", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file.valid()) return fail(errno_error("memfd"));
    return file;
}

Result<Fd> duplicate(const Fd& file) {
    Fd copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return fail(errno_error("dup"));
    return copy;
}

Result<Fd> make_memory_file(ByteView content) {
    POSTERN_TRY(auto file, empty_memory_file());
    if (auto done = append(file.get(), content); !done) return fail(done.error());
    if (auto done = seal_memory_file(file.get()); !done) return fail(done.error());
    return file;
}

Result<> append(int fd, ByteView content) {
    return write_all(fd, content, "memfd");
}

Result<> seal_memory_file(int fd) {
    if (::fcntl(fd, F_ADD_SEALS, k_seals) != 0) return fail(errno_error("memfd"));
    return {};
}

Result<std::uint64_t> file_size(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) return fail(errno_error("descriptor"));
    return static_cast<std::uint64_t>(status.st_size);
}

Mapping::~Mapping() {
    if (data_ != nullptr) ::munmap(data_, size_);
}

Result<Mapping> Mapping::of_sealed(int fd, std::size_t bytes_max) {
    const int seals = ::fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & k_seals) != k_seals) return fail(OsError::no_permission, "unsealed");
    POSTERN_TRY(const auto size, file_size(fd));
    if (size > bytes_max) return fail(OsError::too_large);
    Mapping mapping;
    if (size == 0) return mapping;
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return fail(errno_error("mmap"));
    ::madvise(data, size, MADV_DONTDUMP);
    mapping.data_ = data;
    mapping.size_ = size;
    return mapping;
}

}  // namespace postern::os
