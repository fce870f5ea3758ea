#include "app/supervisor/local_installation.h"
#include "edge/cli/run.h"
#include "foundation/base/log.h"

#include <exception>

int main(int argc, char** argv) {
    using namespace postern;
    try {
        if (const auto prepared = app::supervisor::prepare_supervisor(); !prepared) {
            log(LogLevel::error, "process_not_hardened", {{"error", prepared.error()}});
            return 1;
        }
        app::supervisor::LocalInstallation installation;
        return cli::run(argc, argv, POSTERN_VERSION, installation);
    } catch (const std::exception& exception) {
        log(LogLevel::error, "failed", {LogField::sanitised("what", exception.what())});
        return 1;
    }
}
