#include "app/child/child_main.h"
#include "app/fence/fence.h"
#include "app/keeper/keeper.h"
#include "app/keeper/root_key_maker.h"
#include "app/stores/stores.h"

int main(int argc, char** argv) {
    using namespace postern::app;
    return child::run_child(argc, argv,
                            {.name = "keeper",
                             .run = keeper::run,
                             .fence = fence::of_keeper,
                             .look = keeper::look,
                             .prepare = keeper::serve_root_key,
                             .before_fence = stores::load_library});
}
