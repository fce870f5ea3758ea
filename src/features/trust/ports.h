#pragma once

#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/keys/seals.h"

#include <cstddef>
#include <cstdint>
#include <functional>
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
    /// Subject, names, addresses and how the texts begin, in clear: what may stand nowhere.
    std::vector<std::string> words;
};

class History {
public:
    virtual ~History() = default;
    virtual async::Task<OpenedThread> open(WorkspaceId workspace, ThreadId thread) = 0;
};

/// Tokens and sessions of nobody's, made as every other one is.
class Bearers {
public:
    virtual ~Bearers() = default;
    /// An API token that is stored, for a workspace that there is not.
    struct Token {
        WorkspaceId workspace;
        TokenId id;
        Secret text;
    };
    virtual async::Task<Token> create_token() = 0;
    virtual async::Task<> delete_token(WorkspaceId workspace, TokenId id) = 0;
    /// What is handed out, and what would be stored of it.
    struct Made {
        Secret text;
        crypto::Hash stored{};
    };
    /// A session and a set-up link's, neither of which is stored.
    [[nodiscard]] virtual std::vector<Made> make_others() = 0;
};

/// What the kernel tells of our processes: texts of /proc/PID/status, empty where it tells nothing.
struct Processes {
    struct Child {
        std::string role;
        std::string status;
    };
    std::string supervisor;
    std::vector<Child> children;
    bool serving = false;  ///< a running server, with a courier, and not one command alone
};

class Fences {
public:
    virtual ~Fences() = default;
    /// Why this installation is not isolated, as /readyz says it; empty: it is.
    [[nodiscard]] virtual const std::string& missing() const = 0;
    /// With a reader among them. Looks again for a while until `settled` likes what it is given.
    virtual async::Task<Processes> processes(std::function<bool(const Processes&)> settled) = 0;
    enum class Place {
        outside,  ///< what anybody may read, below nobody's folder
        own_folder,
    };
    /// Whether this process can open that for reading. Errors: out_of_sight.
    [[nodiscard]] virtual Result<bool> opens(Place place) const = 0;
};

/// What stands before every route of the API, asked for people, sessions and tokens of nobody's:
/// their rows are written, read as all others are, and rolled back.
class Gate {
public:
    virtual ~Gate() = default;
    struct Door {
        std::string route;  ///< "POST /v1/tokens"
        bool opens = false;
        bool of_role = false;  ///< by the table of roles
    };
    enum class Shown {
        everything,
        password_only,    ///< there is a second factor, which was not shown
        nothing_to_show,  ///< a second factor is demanded, and there is none
    };
    enum class Kind { session, token };
    struct Asker {
        std::string role;
        Kind kind = Kind::session;
        Shown shown = Shown::everything;  ///< of a session
    };
    [[nodiscard]] virtual std::vector<std::string> roles() const = 0;
    /// Every route that is not open to everybody.
    virtual async::Task<std::vector<Door>> try_doors(Asker asker) = 0;

    /// A session, before and after it was brought to an end.
    struct Ended {
        std::string how;
        bool was_good = false;
        bool is_good = false;
        bool stream_goes_on = false;
    };
    /// By each way there is. `really`: false: it is only looked at again.
    virtual async::Task<std::vector<Ended>> end_sessions(bool really) = 0;
};

/// What is seen of a thread of nobody's that is private to one person of its workspace: its rows
/// are written, looked for as all others are, and rolled back.
class Privacy {
public:
    virtual ~Privacy() = default;
    struct Look {
        std::string where;  ///< "the list of threads"
        bool by_its_person = false;
        bool by_a_colleague = false;
        bool by_nobodys_token = false;
    };
    /// By each way there is. `is_private`: false: everybody may see it.
    virtual async::Task<std::vector<Look>> look(bool is_private) = 0;
};

}  // namespace postern::trust
