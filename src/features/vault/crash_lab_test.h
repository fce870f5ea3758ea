#pragma once

#include "features/vault/keyring_store.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/vault_lab_test.h"
#include "foundation/base/result.h"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <memory>
#include <string_view>
#include <utility>

namespace postern::vault {

/// Kills keeper at a step of its store, in a process of its own.
class CrashLab : public VaultTest {
protected:
    /// Runs `work` on a keeper in a child that kills itself at its nth step. False when `work` came
    /// to its end first. There is no keeper afterwards.
    template <typename F>
    bool died_at(int nth, F work) {
        keeper.reset();
        const auto child = ::fork();
        if (child == 0) {
            int steps = 0;
            const auto step = [&](std::string_view, bool) -> Result<> {
                if (steps++ == nth) ::kill(::getpid(), SIGKILL);
                return {};
            };
            start_keeper([&](std::unique_ptr<KeyringStore> inner) {
                return std::unique_ptr<KeyringStore>(
                    std::make_unique<SteppedStore>(std::move(inner), step));
            });
            work();
            ::_exit(0);
        }
        int how = 0;
        EXPECT_EQ(::waitpid(child, &how, 0), child);
        return WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
    }
    /// The same, and keeper starts again.
    template <typename F>
    bool killed_at(int nth, F work) {
        const bool killed = died_at(nth, std::move(work));
        start_keeper();
        return killed;
    }
};

}  // namespace postern::vault
