#include "platform/store/postgres/libpq.h"

#include "foundation/base/result.h"
#include "platform/store/store_error.h"

#include <dlfcn.h>
#include <string>

namespace postern::store::postgres {

namespace {

/// Looks functions up by name and remembers the first that is missing.
class Library {
public:
    explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}

    template <typename F>
    void find(F& function, const char* name) {
        function = handle_ == nullptr ? nullptr : reinterpret_cast<F>(::dlsym(handle_, name));
        if (function == nullptr && missing_.empty()) missing_ = name;
    }
    [[nodiscard]] const std::string& missing() const { return missing_; }

private:
    // Never closed: libraries behind it keep threads and exit handlers.
    void* handle_;
    std::string missing_;
};

struct Loaded {
    Loaded();
    Libpq functions{};
    std::string missing;
};

Loaded::Loaded() {
    Library library("libpq.so.5");
    auto& f = functions;
    library.find(f.connect, "PQconnectdbParams");
    library.find(f.finish, "PQfinish");
    library.find(f.status, "PQstatus");
    library.find(f.socket, "PQsocket");
    library.find(f.error_message, "PQerrorMessage");
    library.find(f.parameter_status, "PQparameterStatus");
    library.find(f.server_version, "PQserverVersion");
    library.find(f.set_nonblocking, "PQsetnonblocking");
    library.find(f.flush, "PQflush");
    library.find(f.consume_input, "PQconsumeInput");
    library.find(f.is_busy, "PQisBusy");
    library.find(f.get_result, "PQgetResult");
    library.find(f.set_single_row_mode, "PQsetSingleRowMode");
    library.find(f.enter_pipeline, "PQenterPipelineMode");
    library.find(f.exit_pipeline, "PQexitPipelineMode");
    library.find(f.pipeline_sync, "PQpipelineSync");
    library.find(f.send_prepare, "PQsendPrepare");
    library.find(f.send_prepared, "PQsendQueryPrepared");
    library.find(f.send_query, "PQsendQuery");
    library.find(f.result_status, "PQresultStatus");
    library.find(f.error_field, "PQresultErrorField");
    library.find(f.rows, "PQntuples");
    library.find(f.columns, "PQnfields");
    library.find(f.type, "PQftype");
    library.find(f.format, "PQfformat");
    library.find(f.is_null, "PQgetisnull");
    library.find(f.length, "PQgetlength");
    library.find(f.value, "PQgetvalue");
    library.find(f.command, "PQcmdStatus");
    library.find(f.changed, "PQcmdTuples");
    library.find(f.clear, "PQclear");
    library.find(f.get_cancel, "PQgetCancel");
    library.find(f.cancel, "PQcancel");
    library.find(f.free_cancel, "PQfreeCancel");
    library.find(f.set_notice_receiver, "PQsetNoticeReceiver");
    missing = library.missing();
}

}  // namespace

Result<const Libpq*> Libpq::load() {
    static const Loaded loaded;
    if (!loaded.missing.empty()) return fail(StoreError::no_library, loaded.missing);
    return &loaded.functions;
}

}  // namespace postern::store::postgres
