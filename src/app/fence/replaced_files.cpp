#include "app/fence/replaced_files.h"

#include <sys/stat.h>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::fence {

ReplacedFiles::ReplacedFiles(std::vector<std::string> paths) {
    for (auto& path : paths) {
        const auto identity = of(path);
        files_.emplace_back(std::move(path), identity);
    }
}

bool ReplacedFiles::any() const {
    return std::ranges::any_of(files_,
                               [](const auto& file) { return of(file.first) != file.second; });
}

ReplacedFiles::Identity ReplacedFiles::of(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino};
}

}  // namespace postern::app::fence
