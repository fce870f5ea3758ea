#pragma once

#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/keys/seals.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What claims need of other features; app/ connects them.
namespace postern::trust {

struct SealedIntegration {
    WorkspaceId workspace;
    IntegrationId id;
    std::uint64_t epoch = 0;
    std::optional<keys::Seal> seal;
    std::size_t grants = 0;
};

class SealDirectory {
public:
    virtual ~SealDirectory() = default;
    /// Every active integration with its present seal.
    virtual async::Task<std::vector<SealedIntegration>> active() = 0;
};

/// One thread, read as the API would show it.
struct OpenedThread {
    std::size_t messages = 0;
    std::size_t unreadable = 0;      ///< messages whose text does not open
    std::size_t raw_unreadable = 0;  ///< messages whose raw mail is there and does not open
    /// Subject and addresses as they are in clear: what may stand in no file.
    std::vector<std::string> words;
};

class History {
public:
    virtual ~History() = default;
    virtual async::Task<OpenedThread> open(WorkspaceId workspace, ThreadId thread) = 0;
};

}  // namespace postern::trust
