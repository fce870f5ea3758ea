// Stands where the supervisor looks for a role's program, and becomes the real one beside it, in
// real/, with the shim loaded: a child gets no environment from the supervisor.
#include <unistd.h>
#include <array>
#include <climits>
#include <cstddef>
#include <string>
#include <string_view>

int main(int, char** argv) {
    std::array<char, PATH_MAX> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size());
    const std::string_view own(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::string folder(own.substr(0, own.rfind('/')));
    const std::string name(own.substr(own.rfind('/') + 1));
    std::string preload = "LD_PRELOAD=" + folder + "/libfault_shim.so";
    std::string plan = "POSTERN_FAULT_PLAN=" + folder + "/plan";
    std::string role = "POSTERN_FAULT_ROLE=" + name.substr(std::string_view("postern-").size());
    std::string locale = "LC_ALL=C.UTF-8";
    const std::array environment{preload.data(), plan.data(), role.data(), locale.data(),
                                 static_cast<char*>(nullptr)};
    ::execve((folder + "/real/" + name).c_str(), argv, environment.data());
    return 126;
}
