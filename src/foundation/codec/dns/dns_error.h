#pragma once

#include "foundation/base/error.h"

namespace postern::dns {

enum class DnsError {
    bad_name,       ///< of ours: cannot be asked for
    not_an_answer,  ///< to another question, or no answer at all: wait for the right one
    malformed,      ///< to our question, but broken
    server_failed,  ///< SERVFAIL, REFUSED and the like
};

constexpr ErrorInfo describe(DnsError error) {
    switch (error) {
        case DnsError::bad_name: return {"bad_name", "This is not a domain name."};
        case DnsError::not_an_answer:
            return {"not_an_answer", "The name server sent something else than the answer."};
        case DnsError::malformed: return {"malformed", "The name server's answer is broken."};
        case DnsError::server_failed:
            return {"server_failed", "The name server could not look it up at the moment."};
    }
    return {"malformed", "The name server's answer is broken."};
}

}  // namespace postern::dns
