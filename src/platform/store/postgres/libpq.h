#pragma once

#include "foundation/base/result.h"

#include <libpq-fe.h>      // IWYU pragma: export
#include <postgres_ext.h>  // IWYU pragma: export
#include <memory>

namespace postern::store::postgres {

/// The functions of libpq that we use. The library is opened when the first store on PostgreSQL is:
/// an installation on SQLite loads none of it, nor of the TLS, Kerberos and LDAP code behind it.
struct Libpq {
    decltype(&::PQconnectdbParams) connect;
    decltype(&::PQfinish) finish;
    decltype(&::PQstatus) status;
    decltype(&::PQsocket) socket;
    decltype(&::PQerrorMessage) error_message;
    decltype(&::PQparameterStatus) parameter_status;
    decltype(&::PQserverVersion) server_version;
    decltype(&::PQsetnonblocking) set_nonblocking;
    decltype(&::PQflush) flush;
    decltype(&::PQconsumeInput) consume_input;
    decltype(&::PQisBusy) is_busy;
    decltype(&::PQgetResult) get_result;
    decltype(&::PQsetSingleRowMode) set_single_row_mode;
    decltype(&::PQenterPipelineMode) enter_pipeline;
    decltype(&::PQexitPipelineMode) exit_pipeline;
    decltype(&::PQpipelineSync) pipeline_sync;
    decltype(&::PQsendPrepare) send_prepare;
    decltype(&::PQsendQueryPrepared) send_prepared;
    decltype(&::PQsendQuery) send_query;
    decltype(&::PQresultStatus) result_status;
    decltype(&::PQresultErrorField) error_field;
    decltype(&::PQntuples) rows;
    decltype(&::PQnfields) columns;
    decltype(&::PQftype) type;
    decltype(&::PQfformat) format;
    decltype(&::PQgetisnull) is_null;
    decltype(&::PQgetlength) length;
    decltype(&::PQgetvalue) value;
    decltype(&::PQcmdStatus) command;
    decltype(&::PQcmdTuples) changed;
    decltype(&::PQclear) clear;
    decltype(&::PQgetCancel) get_cancel;
    decltype(&::PQcancel) cancel;
    decltype(&::PQfreeCancel) free_cancel;
    decltype(&::PQsetNoticeReceiver) set_notice_receiver;

    /// Errors: no_library.
    [[nodiscard]] static Result<const Libpq*> load();
};

struct ClearResult {
    const Libpq* pq;
    void operator()(PGresult* result) const noexcept { pq->clear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

struct FinishConnection {
    const Libpq* pq;
    void operator()(PGconn* connection) const noexcept { pq->finish(connection); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;

}  // namespace postern::store::postgres
