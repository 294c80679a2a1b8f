#include "service/log.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include <pthread.h>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include "chash/limits.h"
#include "service/log_sinks.h"

namespace chash::service {
namespace {

using Clock = std::chrono::steady_clock;
using Sink = spdlog::sinks::base_sink<std::mutex>;

constexpr std::string_view main_name = "main_app";
constexpr std::string_view api_name = "api_router";
constexpr std::string_view hashing_name = "app.hashing.consistent_hashing";
constexpr std::array<std::string_view, 5> level_names{"debug", "info", "warning", "error", "critical"};
constexpr std::chrono::seconds flush_patience{1};
constexpr int threshold_off = static_cast<int>(LogLevel::critical) + 1;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::critical: break;
  }
  return spdlog::level::critical;
}

spdlog::string_view_t view(std::string_view text) { return {text.data(), text.size()}; }

struct Drops {
  std::uint64_t queue = 0, files = 0, console = 0;

  std::uint64_t total() const { return queue + files + console; }
  friend Drops operator-(const Drops& a, const Drops& b) {
    return {a.queue - b.queue, a.files - b.files, a.console - b.console};
  }
};

// The log thread: no signal is its business, and a reader that went away must not kill us (SIGPIPE).
void prepare_thread() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "log");
}

// Where the lines go, and what became of them.
struct Outlets {
  std::shared_ptr<MidnightFileSink> api_file = std::make_shared<MidnightFileSink>();
  std::shared_ptr<MidnightFileSink> hashing_file = std::make_shared<MidnightFileSink>();
  std::shared_ptr<ConsoleSink> console;
  // The queue and its thread. The thread uses the reference: it still counts while the pointer is being reset.
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(limits::log_queue_lines, 1, prepare_thread);
  spdlog::details::thread_pool& queue = *pool;
  std::atomic<std::uint64_t> failed{0};  // exceptions inside spdlog: out of memory

  explicit Outlets(int console_fd) : console(std::make_shared<ConsoleSink>(console_fd)) {}

  Drops drops() const {
    return {queue.overrun_counter() + failed.load(std::memory_order_relaxed),
            api_file->dropped() + hashing_file->dropped(), console->dropped()};
  }
};

// The last sink of every channel: a flush that has come this far is done, and a line that has come this far is the
// occasion to report dropped ones. The report goes to the sinks directly, since the queue may be what is full.
class QueueEnd final : public Sink {
 public:
  QueueEnd(Outlets& outlets, std::chrono::milliseconds interval) : outlets_(outlets), interval_(interval) {}

  // Runs `post_flush`, then waits until that flush has arrived. False after flush_patience.
  template <class PostFlush>
  bool wait_for(PostFlush post_flush) {
    const std::lock_guard one_at_a_time(waiting_);
    std::unique_lock lock(mutex_);
    const std::uint64_t before = flushes_;
    lock.unlock();
    post_flush();
    lock.lock();
    return arrived_.wait_for(lock, flush_patience, [&] { return flushes_ != before; });
  }

  // From now on a flush brings a report. (The log thread writes it: a console without a reader would kill ours.)
  void report_on_flush() { report_on_flush_.store(true); }

 private:
  void sink_it_(const spdlog::details::log_msg&) override {
    const auto now = Clock::now();
    if (now < next_report_) return;
    next_report_ = now + interval_;
    report_growth();
  }

  void flush_() override {
    if (report_on_flush_.load()) report_growth();
    ++flushes_;
    arrived_.notify_all();
  }

  void report_growth() {
    const Drops now = outlets_.drops();
    const Drops grown = now - reported_;
    if (grown.total() == 0) return;
    const std::string text = std::to_string(grown.total()) +
                             (grown.total() == 1 ? " log line was dropped: " : " log lines were dropped: ") +
                             std::to_string(grown.queue) + " by a full queue, " + std::to_string(grown.files) +
                             " by the files, " + std::to_string(grown.console) + " by the console.";
    const spdlog::details::log_msg msg(view(main_name), spdlog::level::warn, view(text));
    for (Sink* outlet : std::initializer_list<Sink*>{outlets_.api_file.get(), outlets_.console.get()})
      if (outlet->should_log(msg.level)) outlet->log(msg);
    reported_ = outlets_.drops();  // read again: that the report was dropped is not news
  }

  Outlets& outlets_;
  const std::chrono::milliseconds interval_;
  std::atomic<bool> report_on_flush_{false};
  std::mutex waiting_;  // held by the one that waits for a flush
  std::condition_variable arrived_;
  // Guarded by the sink's mutex.
  std::uint64_t flushes_ = 0;
  Drops reported_;
  Clock::time_point next_report_{};
};

// Both files of a directory, or none if there is no directory.
struct Files {
  std::optional<LogFile> api, hashing;
};

Result<Files> open_files(const std::string& directory) {
  if (directory.empty()) return Files{};
  auto api = LogFile::open(directory, "api.log");
  if (!api) return std::move(api).error();
  auto hashing = LogFile::open(directory, "hashing.log");
  if (!hashing) return std::move(hashing).error();
  return Files{std::move(*api), std::move(*hashing)};
}

// Longer text would be cut in the end; cut here, it does not fill the queue's memory either.
void post(spdlog::async_logger& logger, LogLevel level, std::string_view text) {
  logger.log(spdlog_level(level), view(text.substr(0, log_line_bytes)));
}

}  // namespace

// Invariant: the loggers live as long as the queue runs, and the queue's thread ends before the outlets go.
struct Log::Backend {
  Backend(int console_fd, std::chrono::milliseconds interval)
      : outlets(console_fd), end(std::make_shared<QueueEnd>(outlets, interval)) {}

  std::shared_ptr<spdlog::async_logger> make_logger(std::string_view name, spdlog::sink_ptr file) {
    const spdlog::sinks_init_list sinks{std::move(file), outlets.console, end};
    auto logger = std::make_shared<spdlog::async_logger>(std::string(name), sinks, outlets.pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::trace);  // the threshold has decided before
    // spdlog's own handler prints to standard error, and waits there.
    logger->set_error_handler([this](const std::string&) { outlets.failed.fetch_add(1, std::memory_order_relaxed); });
    return logger;
  }

  bool drain() {
    return end->wait_for([this] { main->flush(); });
  }

  // A sink that is off takes no line, so the rest of the queue is gone in no time.
  void silence() {
    for (Sink* outlet : std::initializer_list<Sink*>{outlets.api_file.get(), outlets.hashing_file.get(),
                                                     outlets.console.get(), end.get()})
      outlet->set_level(spdlog::level::off);
  }

  Outlets outlets;
  std::shared_ptr<QueueEnd> end;
  std::shared_ptr<spdlog::async_logger> main = make_logger(main_name, outlets.api_file);
  std::shared_ptr<spdlog::async_logger> api = make_logger(api_name, outlets.api_file);
  std::shared_ptr<spdlog::async_logger> hashing = make_logger(hashing_name, outlets.hashing_file);
  std::mutex reconfiguring;
  // Guarded by `reconfiguring`.
  LogLevel level = LogLevel::info;
  bool goes_anywhere = true;
};

std::optional<LogLevel> log_level_from(std::string_view name) {
  const auto found = std::find(level_names.begin(), level_names.end(), name);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<LogLevel>(found - level_names.begin());
}

std::string_view name(LogLevel level) { return level_names[static_cast<std::size_t>(level)]; }

Log::Log(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

Log::~Log() {
  backend_->end->report_on_flush();
  if (!backend_->drain()) backend_->silence();
  backend_->outlets.pool.reset();  // joins the thread
}

Result<std::unique_ptr<Log>> Log::open(const LogSettings& settings, int console_fd,
                                       std::chrono::milliseconds report_interval) {
  try {
    std::unique_ptr<Log> log(new Log(std::make_unique<Backend>(console_fd, report_interval)));
    if (auto done = log->reconfigure(settings); !done) return std::move(done).error();
    return log;
  } catch (const std::exception& problem) {
    return make_error(Errc::internal, std::string("cannot start the log thread: ") + problem.what());
  }
}

Result<void> Log::reconfigure(const LogSettings& settings) {
  const std::lock_guard lock(backend_->reconfiguring);
  auto files = open_files(settings.directory);
  if (!files) return std::move(files).error();
  backend_->outlets.api_file->use(std::move(files->api));
  backend_->outlets.hashing_file->use(std::move(files->hashing));
  backend_->outlets.console->set_level(settings.console ? spdlog::level::trace : spdlog::level::off);
  requests_.store(settings.requests, std::memory_order_relaxed);
  backend_->goes_anywhere = settings.console || !settings.directory.empty();
  take_level(settings.level);
  return {};
}

void Log::take_level(LogLevel level) {
  backend_->level = level;
  threshold_.store(backend_->goes_anywhere ? static_cast<int>(level) : threshold_off, std::memory_order_relaxed);
}

LogLevel Log::level() const {
  const std::lock_guard lock(backend_->reconfiguring);
  return backend_->level;
}

void Log::set_level(LogLevel level) {
  const std::lock_guard lock(backend_->reconfiguring);
  take_level(level);
}

void Log::main(LogLevel level, std::string_view text) {
  if (enabled(level)) post(*backend_->main, level, text);
}

void Log::api(LogLevel level, std::string_view text) {
  if (enabled(level)) post(*backend_->api, level, text);
}

void Log::hashing(LogLevel level, std::string_view text) {
  if (enabled(level)) post(*backend_->hashing, level, text);
}

std::uint64_t Log::dropped_lines() const { return backend_->outlets.drops().total(); }

void Log::flush() { std::ignore = backend_->drain(); }

}  // namespace chash::service
