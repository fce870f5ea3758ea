#pragma once

#include "platform/audit/anchor_file.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/anchors.h"
#include "platform/audit/logged_anchors.h"
#include "platform/os/files.h"

#include <fcntl.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// A second place for tests.
namespace postern::audit::test {

class PlayedPlace final : public AnchorPlace {
public:
    /// With files in memory, or none.
    explicit PlayedPlace(bool is_there) : is_there_(is_there) { renew(); }

    [[nodiscard]] bool is_set() const override { return is_there_; }
    async::Task<std::shared_ptr<const AnchorFile>> open(AnchorStep step) override {
        steps.push_back(step);
        if (refuses) co_return fail(os::OsError::io, "played");
        if (step == AnchorStep::rotate) before = std::exchange(present, {});
        if (step == AnchorStep::accept) {
            present = {};
            before = {};
        }
        renew();
        co_return std::make_shared<const AnchorFile>(copy_of(present), copy_of(before));
    }
    std::string text() const { return os::read_file(path_of(present), 1U << 24U).value(); }
    /// As somebody does who has the second place.
    void set_text(const std::string& text) {
        present = {};
        renew();
        const os::Fd file(::open(path_of(present).c_str(), O_WRONLY | O_CLOEXEC));
        POSTERN_CHECK(::write(file.get(), text.data(), text.size()) ==
                      static_cast<ssize_t>(text.size()));
    }

    bool refuses = false;
    std::vector<AnchorStep> steps;
    os::Fd present;
    os::Fd before;

private:
    static std::string path_of(const os::Fd& file) {
        return "/proc/self/fd/" + std::to_string(file.get());
    }
    static os::Fd copy_of(const os::Fd& file) {
        if (!file.valid()) return {};
        return os::Fd(::open(path_of(file).c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
    }
    void renew() {
        if (present.valid()) return;
        std::string name = "/tmp/postern-anchors-XXXXXX";
        present = os::Fd(::mkostemp(name.data(), O_CLOEXEC));
        POSTERN_CHECK(present.valid() && ::unlink(name.c_str()) == 0);
    }

    bool is_there_;
};

/// Keeps the lines, and refuses them where that is said.
class PlayedLogServer final : public AnchorCarrier {
public:
    explicit PlayedLogServer(bool there) : is_there(there) {}

    [[nodiscard]] bool is_set() const override { return is_there; }
    async::Task<std::int64_t> carry(std::vector<Anchor> anchors, bool anew) override {
        if (refuses) co_return fail(os::OsError::io, "played");
        if (anew) ++connection;
        sizes.push_back(anchors.size());
        for (auto& anchor : anchors)
            lines.push_back(std::move(anchor));
        co_return connection;
    }

    bool is_there;
    bool refuses = false;
    std::int64_t connection = 7;
    std::vector<Anchor> lines;
    std::vector<std::size_t> sizes;  ///< of each call
};

}  // namespace postern::audit::test
