#pragma once

#include "features/mail/reader/defect.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {

/// A structured value with parameters, as Content-Type and Content-Disposition have it. Accepts
/// missing semicolons, unclosed quotes and RFC 2231 continuations; at most 100 parameters.
class HeaderParams {
public:
    /// `raw` may still be folded.
    [[nodiscard]] static HeaderParams parse(std::string_view raw);

    /// What stands before the first parameter, lower case: "text/plain", "attachment".
    [[nodiscard]] const std::string& value() const noexcept { return value_; }
    /// The bytes of a parameter (name in lower case), empty if absent.
    [[nodiscard]] std::string bytes(std::string_view name) const;
    /// The parameter as UTF-8: RFC 2231, RFC 2047 (which mailers use here too), or raw bytes.
    [[nodiscard]] std::string text(std::string_view name, Defects& defects) const;

private:
    struct Param {
        std::string name;  ///< lower case, with the "*0*" of RFC 2231
        std::string value;
    };
    struct Extended {
        std::string charset;
        std::string bytes;
        bool found = false;
    };
    [[nodiscard]] const Param* find(std::string_view name) const;
    [[nodiscard]] Extended extended(std::string_view name) const;

    std::string value_;
    std::vector<Param> params_;
};

}  // namespace postern::reader
