#include "app/child/child_main.h"
#include "app/fence/fence.h"
#include "app/front/run.h"
#include "app/stores/stores.h"

int main(int argc, char** argv) {
    using namespace postern::app;
    return child::run_child(argc, argv,
                            {.name = "front",
                             .run = front::run,
                             .fence = fence::of_front,
                             .look = front::bring_up_to_date,
                             .prepare = front::serve_move,
                             .before_fence = stores::load_library});
}
