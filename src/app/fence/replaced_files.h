#pragma once

#include <sys/types.h>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::fence {

/// Landlock's rules hold for the files that were there when the fence closed. One that is replaced
/// since (a resolv.conf written anew by a DHCP client) cannot be read: whoever needs it starts
/// anew.
class ReplacedFiles {
public:
    /// Remembers which files stand at these paths now.
    explicit ReplacedFiles(std::vector<std::string> paths);

    /// Whether another file stands at one of the paths, or none, or one where none was.
    [[nodiscard]] bool any() const;

private:
    using Identity = std::pair<dev_t, ino_t>;
    [[nodiscard]] static Identity of(const std::string& path);

    std::vector<std::pair<std::string, Identity>> files_;
};

}  // namespace postern::app::fence
