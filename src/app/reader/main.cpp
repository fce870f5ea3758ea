#include "app/control/control_protocol.h"
#include "app/reader/reader.h"
#include "platform/os/system_call_filter.h"

int main(int argc, char** argv) {
    using namespace postern;
    auto violation = os::Violation::kill;
    for (int i = 1; i < argc; ++i) {
        if (argv[i] == app::control::k_only_log_calls) violation = os::Violation::log;
    }
    return app::reader::run_reader(violation);
}
