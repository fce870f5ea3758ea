#pragma once

#include "app/child/runtime.h"
#include "app/front/front.h"

namespace postern::app::front {

/// Opens the ports, says that the server is ready, and serves until it is asked to stop.
async::Task<> serve(child::Runtime& runtime, Front& front);

}  // namespace postern::app::front
