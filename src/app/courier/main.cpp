#include "app/child/child_main.h"
#include "app/courier/courier.h"
#include "app/fence/fence.h"

int main(int argc, char** argv) {
    using namespace postern::app;
    return child::run_child(argc, argv,
                            {.name = "courier",
                             .run = courier::run,
                             .fence = fence::of_courier,
                             .look = {},
                             .prepare = {}});
}
