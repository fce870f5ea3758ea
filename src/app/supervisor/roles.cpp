#include "app/supervisor/roles.h"

#include "app/config/config.h"
#include "app/fence/fence.h"
#include "app/supervisor/outcome.h"
#include "foundation/base/result.h"
#include "platform/os/process.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/types.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace postern::app::supervisor {
namespace {

std::string own_folder() {
    std::array<char, PATH_MAX> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    const std::string_view whole(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return std::string(whole.substr(0, whole.rfind('/')));
}

}  // namespace

const char* name_of(Role role) {
    switch (role) {
        case Role::front: return "front";
        case Role::keeper: return "keeper";
        case Role::courier: return "courier";
        case Role::reader: return "reader";
    }
    return "unknown";
}

std::optional<uid_t> uid_of(Role role) {
    return os::role_uid(static_cast<std::size_t>(role), name_of(role));
}

std::string missing_isolation(const config::Config& config) {
    auto missing = fence::missing_isolation(config);
    std::string text;
    std::set<uid_t> users{0};
    for (const auto role : k_roles)
        users.insert(uid_of(role).value_or(0));
    if (users.size() == 1 + std::size(k_roles)) return missing;
    text = uid_of(Role::keeper) ? "two processes, or one and root, have the same user; look at the "
                                  "users postern-front, -keeper, -courier and -reader"
                                : "started without root: all processes share one user";
    return missing.empty() ? text : text.append("; ").append(missing);
}

Result<Programs> Programs::open() {
    Programs programs;
    const auto folder = own_folder();
    for (const auto role : k_roles) {
        const std::string name = std::string("/postern-") + name_of(role);
        auto& file = programs.files_[static_cast<std::size_t>(role)];
        for (const auto* place : {"", "/../libexec/postern"}) {
            if (file.valid()) break;
            auto path = folder;
            path.append(place).append(name);
            file = os::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        }
        if (!file.valid()) return fail(SupervisorError::program_missing, folder + name);
    }
    return programs;
}

}  // namespace postern::app::supervisor
