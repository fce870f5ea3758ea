#include "platform/audit/anchor_file.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::audit {
namespace {

constexpr const char* k_name = "anchor_file";

Result<std::size_t> size_of(const os::Fd& file) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail(os::errno_error(k_name));
    return static_cast<std::size_t>(status.st_size);
}

Result<> write_all(const os::Fd& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(os::errno_error(k_name));
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<bool> is_torn(const os::Fd& file) {
    POSTERN_TRY(const auto size, size_of(file));
    if (size == 0) return false;
    char last = 0;
    if (::pread(file.get(), &last, 1, static_cast<off_t>(size - 1)) != 1) {
        return fail(os::errno_error(k_name));
    }
    return last != '\n';
}

Result<> read_into(std::string& out, const os::Fd& file) {
    if (!file.valid()) return {};
    POSTERN_TRY(const auto size, size_of(file));
    if (size > AnchorFile::k_read_bytes_max) return fail(os::OsError::too_large, k_name);
    const auto begin = out.size();
    out.resize(begin + size);
    std::size_t done = 0;
    while (done < size) {
        const auto got =
            ::pread(file.get(), out.data() + begin + done, size - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(os::errno_error(k_name));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    out.resize(begin + done);
    if (done > 0 && out.back() != '\n') out.append(k_torn);
    return {};
}

}  // namespace

Result<> AnchorFile::append(std::string_view lines) const {
    POSTERN_TRY(const auto torn, is_torn(present_));
    std::string bytes(torn ? k_torn : std::string_view{});
    bytes.append(lines);
    if (auto written = write_all(present_, bytes); !written) return written;
    if (::fdatasync(present_.get()) != 0) return fail(os::errno_error(k_name));
    return {};
}

Result<std::string> AnchorFile::read() const {
    std::string text;
    if (auto got = read_into(text, before_); !got) return fail(std::move(got.error()));
    if (auto got = read_into(text, present_); !got) return fail(std::move(got.error()));
    return text;
}

Result<std::size_t> AnchorFile::bytes() const {
    return size_of(present_);
}

}  // namespace postern::audit
