#include "app/supervisor/data_directory.h"

#include "app/config/config.h"
#include "app/supervisor/outcome.h"
#include "app/supervisor/place_error.h"
#include "app/supervisor/roles.h"
#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace postern::app::supervisor {
namespace {

constexpr mode_t k_folder_mode = 0700;
constexpr std::size_t k_engine_bytes_max = 64;
constexpr const char* k_engine = "engine";
constexpr const char* k_moving = "moving";
constexpr const char* k_root_key_link = "root-key";
/// There from the first step of init to its last.
constexpr const char* k_half_made = "/half-made";
constexpr std::string_view k_on_postgresql = "postgresql\n";
constexpr std::string_view k_on_sqlite = "sqlite\n";

struct CloseFolder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

Folder open_folder(int fd) {
    os::Fd copy(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Folder folder(::fdopendir(copy.get()));
    if (folder) (void)copy.release();
    return folder;
}

/// A folder whose owner was another: made when no role had a uid of its own, or by a package.
Result<> hand_over(int folder_fd, std::optional<uid_t> owner) {
    struct stat status{};
    if (::fstat(folder_fd, &status) != 0) return fail(os::errno_error("data directory"));
    if (!owner || status.st_uid == *owner) return {};
    const auto folder = open_folder(folder_fd);
    if (!folder) return fail(os::errno_error("data directory"));
    while (const auto* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe)
        struct stat file{};
        const bool known = ::fstatat(folder_fd, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0;
        // Plain files of one name only: another name could be one of somebody else's.
        if (!known || !S_ISREG(file.st_mode) || file.st_nlink != 1) continue;
        if (::fchownat(folder_fd, entry->d_name, *owner, *owner, AT_SYMLINK_NOFOLLOW) != 0) {
            return fail(os::errno_error(entry->d_name));
        }
    }
    if (::fchown(folder_fd, *owner, *owner) != 0) return fail(os::errno_error("data directory"));
    return {};
}

Result<os::Fd> open_part(const std::string& path, bool make, std::optional<uid_t> owner) {
    if (make && ::mkdir(path.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
        return fail(os::errno_error(path));
    }
    os::Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder.valid()) {
        if (errno == ENOENT) return fail(PlaceError::not_set_up, path);
        return fail(os::errno_error(path));
    }
    if (make && ::fchmod(folder.get(), k_folder_mode) != 0) return fail(os::errno_error(path));
    if (auto done = hand_over(folder.get(), owner); !done) return fail(std::move(done.error()));
    return folder;
}

bool is_half_made(const std::string& path) {
    return ::access((path + k_half_made).c_str(), F_OK) == 0;
}

/// All that create() and what follows it make, but for the lock and the mark.
void remove_parts(const std::string& path) {
    std::error_code ignored;
    for (const auto* part :
         {"store", "keyring", "run", "root.key", "root.key.new", "engine", "engine.new"}) {
        std::filesystem::remove_all(path + "/" + part, ignored);
    }
}

/// A volume of its own that was mounted there before.
bool is_fresh_volume(const std::filesystem::directory_entry& entry) {
    std::error_code error;
    if (!entry.is_directory(error) || entry.is_symlink(error)) return false;
    const auto files = std::filesystem::directory_iterator(entry.path(), error);
    return !error && std::ranges::all_of(files, [](const auto& file) {
        return file.path().filename() == "lost+found";
    });
}

Result<> check_empty(const std::string& path) {
    std::error_code error;
    bool ours = false;
    bool others = false;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
        const auto name = entry.path().filename();
        if ((name == "keyring" || name == "store") && is_fresh_volume(entry)) continue;
        ours = ours || name == "keyring" || name == "store" || name == "root.key";
        others = true;
    }
    if (error) return fail(os::OsError::io, path + ": " + error.message());
    if (ours) return fail(PlaceError::already_set_up, path);
    if (others) return fail(PlaceError::folder_not_empty, path);
    return {};
}

}  // namespace

Result<> DataDirectory::take_lock() {
    const auto name = path_ + "/lock";
    lock_ = os::Fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_.valid()) return fail(os::errno_error(name));
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return fail(PlaceError::in_use, path_);
        return fail(os::errno_error(name));
    }
    return {};
}

Result<> DataDirectory::open_parts(bool make_folders) {
    POSTERN_TRY(store_, open_part(path_ + "/store", make_folders, uid_of(Role::front)));
    POSTERN_TRY(keyring_, open_part(path_ + "/keyring", make_folders, uid_of(Role::keeper)));
    POSTERN_TRY(run_, open_part(path_ + "/run", true, std::nullopt));
    return {};
}

Result<DataDirectory> DataDirectory::create(const std::string& path) {
    DataDirectory directory;
    directory.path_ = path;
    const bool is_left = is_half_made(path);
    if (::mkdir(path.c_str(), k_folder_mode) != 0) {
        if (errno != EEXIST) return fail(os::errno_error(path));
        auto empty = is_left ? Result<>() : check_empty(path);
        if (!empty) return fail(std::move(empty.error()));
        if (::chmod(path.c_str(), k_folder_mode) != 0) return fail(os::errno_error(path));
    }
    auto marked = is_left ? Result<>() : os::create_file(path + k_half_made, {}, 0600);
    if (!marked) return fail(std::move(marked.error()));
    if (auto taken = directory.take_lock(); !taken) return fail(std::move(taken.error()));
    if (is_left) remove_parts(path);
    if (auto opened = directory.open_parts(true); !opened) return fail(std::move(opened.error()));
    return directory;
}

Result<> DataDirectory::made() const {
    const auto mark = path_ + k_half_made;
    if (::unlink(mark.c_str()) != 0) return fail(os::errno_error(mark));
    const os::Fd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (::fsync(folder.get()) != 0) return fail(os::errno_error(path_));
    return {};
}

Result<DataDirectory> DataDirectory::open(const std::string& path) {
    DataDirectory directory;
    directory.path_ = path;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return fail(PlaceError::not_set_up, path);
        return fail(os::errno_error(path));
    }
    if ((status.st_mode & 077U) != 0) return fail(PlaceError::folder_open, path);
    // Root would hand its parts to the users of the processes, and its owner could not go on.
    if (status.st_uid != ::geteuid()) return fail(PlaceError::folder_of_another, path);
    const bool is_half = is_half_made(path);
    if (!is_half && ::access((path + "/keyring").c_str(), F_OK) != 0) {
        return fail(PlaceError::not_set_up, path);
    }
    if (auto taken = directory.take_lock(); !taken) return fail(std::move(taken.error()));
    if (is_half) return fail(PlaceError::half_made, path);
    if (auto opened = directory.open_parts(false); !opened) return fail(std::move(opened.error()));
    return directory;
}

Result<std::optional<config::StoreEngine>> DataDirectory::read_note(const char* name) const {
    const auto path = path_ + "/" + name;
    const auto text = os::read_file(path, k_engine_bytes_max);
    if (!text) {
        if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::nullopt;
        return fail(text.error());
    }
    if (*text == k_on_postgresql) return config::StoreEngine::postgresql;
    if (*text == k_on_sqlite) return config::StoreEngine::sqlite;
    return fail(os::OsError::io, path + " is damaged");
}

Result<> DataDirectory::write_note(const char* name, config::StoreEngine engine) const {
    const auto path = path_ + "/" + name;
    const auto fresh = path + ".new";
    const std::string_view text =
        engine == config::StoreEngine::postgresql ? k_on_postgresql : k_on_sqlite;
    const os::Fd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    const os::Fd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const bool written =
        file.valid() && folder.valid() &&
        ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.get()) == 0 && ::rename(fresh.c_str(), path.c_str()) == 0 &&
        ::fsync(folder.get()) == 0;
    if (!written) return fail(os::errno_error(path));
    return {};
}

Result<config::StoreEngine> DataDirectory::engine() const {
    POSTERN_TRY(const auto noted, read_note(k_engine));
    return noted.value_or(config::StoreEngine::sqlite);
}

Result<> DataDirectory::set_engine(config::StoreEngine engine) const {
    return write_note(k_engine, engine);
}

Result<std::optional<config::StoreEngine>> DataDirectory::moving() const {
    return read_note(k_moving);
}

Result<> DataDirectory::begin_moving(config::StoreEngine to) const {
    return write_note(k_moving, to);
}

Result<> DataDirectory::end_moving() const {
    const auto path = path_ + "/" + k_moving;
    const os::Fd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const bool gone = ::unlink(path.c_str()) == 0 || errno == ENOENT;
    if (!gone || !folder.valid() || ::fsync(folder.get()) != 0) return fail(os::errno_error(path));
    return {};
}

Result<> DataDirectory::check_not_moving() const {
    POSTERN_TRY(const auto to, moving());
    if (!to) return {};
    return fail(SupervisorError::move_unfinished,
                *to == config::StoreEngine::sqlite ? "--to sqlite" : "--to postgresql");
}

Result<> DataDirectory::point_at_root_key(const std::string& file) const {
    std::error_code error;
    const auto target = std::filesystem::absolute(file, error);
    if (error) return fail(os::OsError::io, file + ": " + error.message());
    if (::unlinkat(run_.get(), k_root_key_link, 0) != 0 && errno != ENOENT) {
        return fail(os::errno_error(k_root_key_link));
    }
    if (::symlinkat(target.c_str(), run_.get(), k_root_key_link) != 0) {
        return fail(os::errno_error(k_root_key_link));
    }
    return {};
}

Result<std::string> DataDirectory::root_key_in_use(const std::string& path) {
    const auto link = path + "/run/" + k_root_key_link;
    std::error_code error;
    const auto target = std::filesystem::read_symlink(link, error);
    if (error) return fail(os::OsError::io, link + ": " + error.message());
    return target.string();
}

Result<> DataDirectory::check_root_key(const std::string& path, const std::string& file) {
    POSTERN_TRY(const auto in_use, root_key_in_use(path));
    struct stat theirs{};
    struct stat ours{};
    const bool is_same = ::stat(in_use.c_str(), &theirs) == 0 && ::stat(file.c_str(), &ours) == 0 &&
                         theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
    if (!is_same) {
        return fail(PlaceError::other_root_key, "the server's is " + in_use + ", this is " + file);
    }
    return {};
}

void DataDirectory::abandon(const std::string& path) {
    remove_parts(path);
    std::error_code ignored;
    std::filesystem::remove(path + "/lock", ignored);
    std::filesystem::remove(path + k_half_made, ignored);
    std::filesystem::remove(path, ignored);
}

}  // namespace postern::app::supervisor
