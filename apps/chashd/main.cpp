// chashd: holds the ring and answers for it. See chashd(8).
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <system_error>

#include "chash/version.h"
#include "config.h"
#include "net/server.h"
#include "service/handlers.h"
#include "service/log.h"
#include "service/ring_service.h"
#include "store/file_lock.h"
#include "store/sqlite_store.h"

namespace {

using chash::Errc;
using chash::Error;
using chash::Result;
using chash::service::Log;
using chash::service::LogLevel;
using chashd::CommandLine;
using chashd::Config;

int fail(const Error& error) {
  std::fprintf(stderr, "chashd: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return chash::info(error.code).exit_status;
}

Result<void> make_folder(const std::string& path, mode_t mode) {
  const std::filesystem::path folder(path);
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return chash::make_error(Errc::denied,
                           "cannot make the folder " + path + ": " + std::system_category().message(errno),
                           "choose another one with --state-dir and --log-dir");
}

chash::service::LogSettings log_settings(const Config& config) {
  return {config.log_dir, config.log_level, config.log_requests, true};
}

Result<std::string> token_of(const Config& config) {
  if (config.http_writes != chash::net::HttpWrites::token) return std::string();
  return chash::net::read_token(config.token_file);
}

// As the seed prints its list, but never longer than a line should be.
std::string shown_nodes(const chash::RingSpec& spec) {
  constexpr std::size_t most = 10;
  std::string text = "[";
  for (std::size_t i = 0; i < spec.nodes.size() && i < most; ++i)
    text += (i == 0 ? "'" : ", '") + spec.nodes[i].name + "'";
  if (spec.nodes.size() > most) text += ", ... " + std::to_string(spec.nodes.size()) + " in all";
  return text + "]";
}

Result<void> serve(const CommandLine& line, int argc, const char* const* argv) {
  const Config& config = line.config;
  auto token = token_of(config);
  if (!token) return std::move(token).error();
  if (auto ok = make_folder(config.state_dir, 0700); !ok) return ok;
  const auto state_lock = chash::store::FileLock::acquire(config.state_dir + "/chashd.lock");
  if (!state_lock) return state_lock.error();
  if (!config.log_dir.empty())
    if (auto ok = make_folder(config.log_dir, 0750); !ok) return ok;

  auto log = Log::open(log_settings(config));
  if (!log) return std::move(log).error();
  (*log)->main(LogLevel::info, "Service is starting up.");
  const auto failed = [&](const Error& error) {
    (*log)->main(LogLevel::critical, "Service cannot start: " + error.message);
    return error;
  };

  auto store = chash::store::SqliteStore::open(config.state_dir + "/chash.db", config.history);
  if (!store) return failed(store.error());
  auto service = chash::service::RingService::start(**store, **log, config.initial_nodes);
  if (!service) return failed(service.error());

  chash::service::DaemonState daemon;
  std::mutex reloading;
  daemon.reload = [&]() -> Result<void> {
    const std::lock_guard one_at_a_time(reloading);
    const auto again = chashd::read_command_line(argc, argv);
    Result<void> outcome = again ? (*log)->reconfigure(log_settings(again->config)) : Result<void>(again.error());
    if (outcome) (*log)->main(LogLevel::info, "Log settings were read again.");
    else (*log)->main(LogLevel::error, "The old settings stay: " + outcome.error().message);
    return outcome;
  };
  auto server = chash::net::Server::open(
      {config.socket, config.http, config.threads, {config.http_writes, *token}, config.allowed_hosts}, **service,
      daemon);
  if (!server) return failed(server.error());
  daemon.listeners = (*server)->listeners();
  daemon.started_s =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();

  const auto rings = (*service)->rings().latest();
  (*log)->main(LogLevel::info, "Initial nodes: " + shown_nodes(rings->default_ring().spec));
  for (const std::string& listener : daemon.listeners) (*log)->main(LogLevel::info, "Listening on " + listener + ".");

  (*server)->run();
  service->reset();  // before the server, which delivers the last answers
  (*log)->main(LogLevel::info, "Service has stopped.");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // A client that hangs up, or a file that reaches its limit, is an error to handle and not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  umask(0027);

  const auto line = chashd::read_command_line(argc, argv);
  if (!line) return fail(line.error());
  switch (line->action) {
    case CommandLine::Action::show: std::fputs(line->text.c_str(), stdout); return std::fflush(stdout) == 0 ? 0 : 1;
    case CommandLine::Action::check_config:
      if (const auto token = token_of(line->config); !token) return fail(token.error());
      std::puts("chashd: the settings are good");
      return 0;
    case CommandLine::Action::run: break;
  }
  const auto outcome = serve(*line, argc, argv);
  return outcome ? 0 : fail(outcome.error());
}
