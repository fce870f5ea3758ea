#include "platform/os/landlock.h"

#include "foundation/base/result.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::os {
namespace {

// include/uapi/linux/landlock.h; Debian 12's copy of it ends at version 2.
constexpr int k_first_with_refer = 2;
constexpr int k_first_with_truncate = 3;
constexpr int k_first_with_tcp = 4;
constexpr int k_first_with_devices = 5;
constexpr int k_first_with_scopes = 6;

constexpr unsigned k_ask_version = 1;
constexpr unsigned k_path_beneath = 1;
constexpr unsigned k_net_port = 2;

constexpr std::uint64_t k_write_file = 1U << 1U;
constexpr std::uint64_t k_read_file = 1U << 2U;
constexpr std::uint64_t k_read_folder = 1U << 3U;
constexpr std::uint64_t k_delete_file = 1U << 5U;
constexpr std::uint64_t k_make_file = 1U << 8U;
constexpr std::uint64_t k_all_of_version_1 = (1U << 13U) - 1;
constexpr std::uint64_t k_refer = 1U << 13U;
constexpr std::uint64_t k_truncate = 1U << 14U;
constexpr std::uint64_t k_ioctl_device = 1U << 15U;

constexpr std::uint64_t k_bind_tcp = 1U << 0U;
constexpr std::uint64_t k_connect_tcp = 1U << 1U;
constexpr std::uint64_t k_scopes = 3;  // abstract sockets and signals

struct RulesetAttribute {
    std::uint64_t files = 0;
    std::uint64_t net = 0;
    std::uint64_t scoped = 0;
};
struct [[gnu::packed]] PathAttribute {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};
struct PortAttribute {
    std::uint64_t allowed = 0;
    std::uint64_t port = 0;
};

/// What a set of rules decides about; all of it that no rule allows is refused.
RulesetAttribute handled_by(int version, const LandlockRules& rules) {
    RulesetAttribute all;
    all.files = k_all_of_version_1;
    if (version >= k_first_with_refer) all.files |= k_refer;
    if (version >= k_first_with_truncate) all.files |= k_truncate;
    if (version >= k_first_with_devices) all.files |= k_ioctl_device;
    if (version >= k_first_with_tcp) all.net = k_bind_tcp;
    if (version >= k_first_with_tcp && rules.connect_ports) all.net |= k_connect_tcp;
    if (version >= k_first_with_scopes) all.scoped = k_scopes;
    return all;
}

/// An older kernel refuses an attribute that is longer than the one it knows.
std::size_t size_for(int version) {
    if (version >= k_first_with_scopes) return sizeof(RulesetAttribute);
    if (version >= k_first_with_tcp) return offsetof(RulesetAttribute, scoped);
    return offsetof(RulesetAttribute, net);
}

class Ruleset {
public:
    static Result<Ruleset> create(int version, const LandlockRules& rules) {
        Ruleset made;
        made.handled_ = handled_by(version, rules);
        made.fd_ = Fd(static_cast<int>(
            ::syscall(SYS_landlock_create_ruleset, &made.handled_, size_for(version), 0U)));
        if (!made.fd_.valid()) return fail(errno_error("landlock_create_ruleset"));
        return made;
    }

    Result<> allow(const std::string& path, std::uint64_t of_files, std::uint64_t of_folders) {
        const Fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
        struct stat status{};
        if (!place.valid() || ::fstat(place.get(), &status) != 0) return fail(errno_error(path));
        const auto wanted = S_ISDIR(status.st_mode) ? of_files | of_folders : of_files;
        const PathAttribute rule{wanted & handled_.files, place.get()};
        return add(k_path_beneath, &rule, path);
    }

    Result<> allow(const std::vector<std::uint16_t>& ports, std::uint64_t access) {
        if ((handled_.net & access) == 0) return {};
        for (const auto port : ports) {
            const PortAttribute rule{access, port};
            auto added = add(k_net_port, &rule, "port " + std::to_string(port));
            if (!added) return added;
        }
        return {};
    }

    Result<> enter() {
        if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0U) == 0) return {};
        return fail(errno_error("landlock_restrict_self"));
    }

private:
    Result<> add(unsigned kind, const void* rule, const std::string& what) {
        if (::syscall(SYS_landlock_add_rule, fd_.get(), kind, rule, 0U) == 0) return {};
        return fail(errno_error("landlock rule for " + what));
    }

    RulesetAttribute handled_;
    Fd fd_;
};

}  // namespace

int landlock_version() {
    const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0UL, k_ask_version);
    return version > 0 ? static_cast<int>(version) : 0;
}

Result<> enter_landlock(const LandlockRules& rules) {
    const int version = landlock_version();
    if (version == 0) return {};
    POSTERN_TRY(auto ruleset, Ruleset::create(version, rules));
    for (const auto& path : rules.readable) {
        auto allowed = ruleset.allow(path, k_read_file, k_read_folder);
        if (!allowed && !allowed.error().is(OsError::not_found)) return allowed;
    }
    constexpr auto of_files = k_read_file | k_write_file | k_truncate;
    constexpr auto of_folders = k_read_folder | k_make_file | k_delete_file;
    for (const auto& path : rules.writable) {
        if (auto allowed = ruleset.allow(path, of_files, of_folders); !allowed) return allowed;
    }
    if (auto allowed = ruleset.allow(rules.listen_ports, k_bind_tcp); !allowed) return allowed;
    if (rules.connect_ports) {
        auto allowed = ruleset.allow(*rules.connect_ports, k_connect_tcp);
        if (!allowed) return allowed;
    }
    return ruleset.enter();
}

}  // namespace postern::os
