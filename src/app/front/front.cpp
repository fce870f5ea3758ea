#include "app/front/front.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "app/stores/stores.h"
#include "edge/api/metrics.h"
#include "features/identity/trials.h"
#include "features/integrations/integrations.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/send_outcome.h"
#include "features/trust/claims.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/password.h"
#include "platform/async/deadline.h"
#include "platform/async/task.h"
#include "platform/events/event_log.h"
#include "platform/ipc/link.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/seals.h"
#include "platform/os/fd.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"

#include <sys/stat.h>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::front {

using namespace std::chrono_literals;

namespace {

constexpr auto k_grants_every = 1min;
constexpr auto k_reserve_every = 1min;
constexpr auto k_audit_every = 1h;
/// For what is said to a log server at a clean end.
constexpr auto k_last_lines = 2s;

/// What keeps the processes apart less than it should. Our folder lies in the data directory, which
/// is the supervisor's: the same owner means the same user for everything.
std::string missing_isolation(const child::Runtime& runtime) {
    struct stat own{};
    struct stat above{};
    const bool separate_users =
        ::stat(".", &own) == 0 && ::stat("..", &above) == 0 && own.st_uid != above.st_uid;
    const auto& missing = runtime.missing_isolation();
    if (separate_users) return missing;
    std::string text = "every process runs as the same user; start the server as root";
    return missing.empty() ? text : text.append("; ").append(missing);
}

integrations::Policy policy_of(const config::Config& config) {
    return {config.lease.default_s, config.lease.longest_s, config.regions};
}

bool sends_mail(const child::Runtime& runtime) {
    return runtime.config().smtp.has_value();
}

std::string own_address(const child::Runtime& runtime) {
    const auto& smtp = runtime.config().smtp;
    return smtp ? smtp->from : std::string();
}

crypto::Argon2Cost cost_of(const config::SignIn& setting) {
    return {.passes = setting.argon2_passes, .memory_kib = setting.argon2_memory_kib};
}

/// All that SQLite writes here but for the shared memory of its log, which holds page numbers; with
/// the copies from before migrations.
std::vector<std::string> store_files(const config::Config& config) {
    if (config.store.engine != config::StoreEngine::sqlite) return {};
    return {"store.db", "store.db-wal", "store.db.before-*",
            "index.db", "index.db-wal", "index.db.before-*"};
}

mail::Parts mail_parts(child::Runtime& runtime,
                       Stores& stores,
                       ipc::Link& keeper,
                       ipc::Link& courier,
                       events::EventLog& events,
                       audit::AuditLog& audit,
                       mail::Mailboxes& mailboxes,
                       mail::CreatorDirectory& creators,
                       mail::Readers& readers) {
    return {*stores.main,    keeper,          courier,   events,   audit,
            runtime.clock(), runtime.tasks(), mailboxes, creators, readers};
}

}  // namespace

Result<Stores> Stores::open(control::StoreAccess& access, bool create, const Clock& clock) {
    Stores opened;
    auto main = stores::options_of(access, store::StoreKind::store);
    main.create = create;
    main.only_new = create;
    main.clock = &clock;
    POSTERN_TRY(opened.main, store::Database::open(main));
    auto index = stores::options_of(access, store::StoreKind::index);
    // In no backup: made anew wherever it is missing.
    index.create = true;
    index.clock = &clock;
    POSTERN_TRY(opened.index, store::Database::open(index));
    return opened;
}

Front::Front(child::Runtime& runtime, Stores stores)
    : runtime_(runtime),
      stores_(std::move(stores)),
      keeper_(runtime.tasks(), keeper_router_),
      courier_(runtime.tasks(), courier_router_),
      attached_(runtime.executor()),
      events_(runtime.executor(), *stores_.main, runtime.clock()),
      audit_({*stores_.main, keeper_, runtime.clock()}),
      own_mail_carrier_(courier_, runtime.clock(), own_address(runtime)),
      own_mail_({*stores_.main, keeper_, runtime.clock(),
                 sends_mail(runtime) ? &own_mail_carrier_ : nullptr},
                runtime.executor()),
      anchor_place_(runtime),
      anchors_({*stores_.main, keeper_, runtime.clock(), audit_, anchor_place_}),
      log_server_(courier_, runtime.config().audit.anchor_syslog.has_value()),
      logged_anchors_({*stores_.main, keeper_, runtime.clock(), audit_, log_server_}),
      identity_({*stores_.main, keeper_, runtime.clock(), audit_, own_mail_, passwords_,
                 cost_of(runtime.config().sign_in)}),
      factors_({*stores_.main, keeper_, runtime.clock(), audit_, identity_}),
      people_({*stores_.main, keeper_, runtime.clock(), audit_, own_mail_, identity_}),
      resets_({*stores_.main, keeper_, runtime.clock(), audit_, own_mail_, identity_}),
      passkeys_({*stores_.main, keeper_, runtime.clock(), audit_, identity_}),
      providers_({*stores_.main, keeper_, courier_, runtime.clock(), audit_, identity_}),
      provider_sign_in_(
          {*stores_.main, keeper_, courier_, runtime.clock(), audit_, identity_, providers_}),
      creators_({*stores_.main, *stores_.index, keeper_, runtime.clock()}),
      integrations_({*stores_.main, stores_.reserve, keeper_, courier_, events_, audit_,
                     runtime.clock(), policy_of(runtime.config())}),
      readers_(
          runtime.tasks(),
          [&runtime](Deadline deadline) { return runtime.start_reader(deadline); },
          [&runtime](std::uint64_t number) { runtime.end_reader(number); }),
      mailboxes_(integrations_),
      creator_directory_(creators_),
      room_(mail_parts(runtime,
                       stores_,
                       keeper_,
                       courier_,
                       events_,
                       audit_,
                       mailboxes_,
                       creator_directory_,
                       readers_),
            mail::RetryPolicy{}),
      private_threads_({*stores_.main, events_, audit_, runtime.clock(), colleagues_}),
      notifier_(room_),
      seals_(integrations_),
      history_(room_),
      fences_(runtime, missing_isolation(runtime)),
      bearers_(identity_),
      gate_(identity::Trials(*stores_.main, runtime.clock())),
      privacy_(mail::PrivateTrial(*stores_.main, runtime.clock())),
      claims_(trust::all_claims({*stores_.main, *stores_.index, keeper_, seals_, history_, fences_,
                                 bearers_, gate_, privacy_, audit_, anchors_, logged_anchors_,
                                 store_files(runtime.config())}),
              runtime.clock()),
      services_{identity_,        factors_,          people_, resets_,       passkeys_,
                providers_,       provider_sign_in_, audit_,  integrations_, room_,
                private_threads_, creators_,         events_, *stores_.main, keeper_,
                courier_,         runtime.clock(),   site_,   metrics_} {
    integrations_.listen(notifier_);
    site_.public_url = runtime.config().public_url;
    site_.version = POSTERN_VERSION;
    site_.isolation = fences_.missing();
    site_.audit = [this] {
        if (!is_anchored()) return "not anchored";
        return anchor_trouble().empty() ? "anchored" : "trouble";
    };
    metrics_.add_source([this](api::MetricsText& out) {
        out.family("postern_mailboxes_watched", "gauge", "Mailboxes whose replies are looked for.")
            .sample("postern_mailboxes_watched", room_.watch_count());
        out.family("postern_passwords_compared_total", "counter",
                   "Passwords that Argon2id was computed for, whether anybody has them.")
            .sample("postern_passwords_compared_total", identity_.passwords_compared());
    });
    serve_keeper();
    serve_courier();
    serve_admin();
    accept_links();
}

void Front::serve_keeper() {
    keeper_router_.on<keys::LeaseEnded>(
        [this](keys::LeaseEnded ended) { return lease_ended(ended); });
}

void Front::serve_courier() {
    courier_router_.on<mail::BeforeFinalDot>(
        [this](mail::BeforeFinalDot asked) { return room_.before_final_dot(asked); });
    courier_router_.on<mail::FolderSearched>(
        [this](mail::FolderSearched searched) { return take_in(std::move(searched)); });
    courier_router_.on<mail::WatchEnded>(
        [this](mail::WatchEnded ended) { return watch_ended(ended); });
}

async::Task<ipc::Nothing> Front::lease_ended(keys::LeaseEnded ended) {
    co_await integrations_.announce(ended.workspace, ended.integration);
    co_return ipc::Nothing{};
}

async::Task<> Front::take_in(mail::FolderSearched searched) {
    const auto integration = searched.integration;
    auto done = co_await room_.folder_searched(std::move(searched));
    if (!done) {
        log(LogLevel::warning, "replies_not_taken_in",
            {{"integration", integration},
             {"error", done.error()},
             LogField::sanitised("detail", done.error().detail())});
    }
    co_return done;
}

async::Task<ipc::Nothing> Front::watch_ended(mail::WatchEnded ended) {
    room_.watch_ended(ended.integration, ended.reason);
    co_return ipc::Nothing{};
}

void Front::accept_links() {
    runtime_.on_link(control::Partner::keeper, [this](os::Fd socket) {
        keeper_.attach(std::move(socket));
        attached_.set();
    });
    runtime_.on_link(control::Partner::courier, [this](os::Fd socket) {
        courier_.attach(std::move(socket));
        attached_.set();
        if (jobs_started_) room_.courier_restarted();
    });
    runtime_.on_link(control::Partner::admin, [this](os::Fd socket) {
        auto peer = std::make_shared<ipc::Peer>(runtime_.executor(), std::move(socket),
                                                admin_router_.handler());
        runtime_.tasks().spawn("admin", run_admin(std::move(peer)));
    });
}

async::Job Front::run_admin(std::shared_ptr<ipc::Peer> peer) {
    co_await peer->run();
}

async::Task<> Front::connect() {
    while (!keeper_.attached() || (!runtime_.offline() && !courier_.attached())) {
        auto attached = co_await attached_.wait(Deadline::in(30s));
        if (!attached) co_return attached;
    }
    keys::CreateWorkspace ask{k_installation};
    auto made = co_await keeper_.call(std::move(ask), Deadline::in(20s));
    if (!made) co_return fail(std::move(made.error()));
    co_return Result<>{};
}

async::Task<> Front::begin() {
    // Only what needs it waits for it: a full disk, say, keeps no cut-off from being made.
    auto indexed = co_await creators_.complete_index();
    if (!indexed) log(LogLevel::error, "index_not_complete", {{"error", indexed.error()}});
    auto recovered = co_await integrations_.recover();
    if (!recovered) co_return recovered;
    jobs_started_ = true;
    runtime_.tasks().spawn("grants", look_after_grants());
    runtime_.tasks().spawn("reserve", look_after_reserve());
    runtime_.tasks().spawn("own_mail", own_mail_.run());
    runtime_.tasks().spawn("anchors", anchors_.keep());
    runtime_.tasks().spawn("logged_anchors", logged_anchors_.keep());
    runtime_.tasks().spawn("audit", look_after_audit());
    co_return co_await room_.start();
}

async::Job Front::look_after_grants() {
    while (true) {
        co_await audit_.settle();
        auto recovered = co_await integrations_.recover();
        if (!recovered) log(LogLevel::warning, "not_recovered", {{"error", recovered.error()}});
        auto done = co_await integrations_.warn_of_ending_grants();
        if (!done) log(LogLevel::warning, "grants_not_checked", {{"error", done.error()}});
        auto waited = co_await async::wait_until(Deadline::in(k_grants_every));
        if (!waited) co_return;
    }
}

async::Job Front::end() {
    co_await audit_.settle();
    auto last_lines = async::with_deadline(Deadline::in(k_last_lines), logged_anchors_.say());
    auto said = co_await std::move(last_lines);
    if (!said) log(LogLevel::warning, "anchors_not_said", {{"error", said.error()}});
    auto written = co_await anchors_.write();
    if (!written) log(LogLevel::warning, "anchors_not_written", {{"error", written.error()}});
}

bool Front::is_anchored() const {
    return anchor_place_.is_set() || logged_anchors_.is_set();
}

std::string Front::anchor_trouble() const {
    std::string trouble = anchors_.trouble();
    if (logged_anchors_.trouble().empty()) return trouble;
    if (!trouble.empty()) trouble += "; ";
    return trouble + "log server: " + logged_anchors_.trouble();
}

async::Task<> Front::shorten_audit() {
    const auto kept_ms = std::int64_t{runtime_.config().audit.keep_days} * 86'400'000;
    const auto before_ms = runtime_.clock().now_ms() - kept_ms;
    auto chains = co_await audit_.chains();
    if (!chains) co_return fail(std::move(chains.error()));
    for (const auto& workspace : *chains) {
        auto more = co_await audit_.shorten(workspace, before_ms);
        while (more && *more)
            more = co_await audit_.shorten(workspace, before_ms);
        if (!more) co_return fail(std::move(more.error()));
    }
    co_return Result<>{};
}

async::Job Front::look_after_audit() {
    while (true) {
        auto done = co_await shorten_audit();
        if (!done) log(LogLevel::warning, "audit_not_shortened", {{"error", done.error()}});
        auto waited = co_await async::wait_until(Deadline::in(k_audit_every));
        if (!waited) co_return;
    }
}

async::Job Front::look_after_reserve() {
    while (true) {
        if (!stores_.reserve.held()) {
            auto restored = stores_.reserve.restore();
            if (!restored) log(LogLevel::warning, "no_disk_reserve", {{"error", restored.error()}});
        }
        auto waited = co_await async::wait_until(Deadline::in(k_reserve_every));
        if (!waited) co_return;
    }
}

}  // namespace postern::app::front
