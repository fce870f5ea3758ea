#pragma once

#include "app/config/config.h"
#include "app/config/reader.h"

namespace postern::app::config {

/// The part [store]: a password stands in a file only, beyond this machine a certificate is
/// verified, and keyring and bulk lie in clusters of their own unless that is given up in words.
[[nodiscard]] Store read_store(Reader& reader);

}  // namespace postern::app::config
