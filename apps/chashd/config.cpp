// The settings, one row each, and their defaults.
#include "config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <thread>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "net/listener.h"
#include "net/socket_path.h"
#include "protocol/text.h"

namespace chashd {

using chash::Errc;
using chash::make_error;
using chash::Result;

namespace {

using Values = std::vector<std::string>;

constexpr std::size_t quoted_bytes = 64;

Result<void> one_of(const std::string& value, std::string_view choices) {
  return make_error(Errc::invalid_argument,
                    "'" + chash::protocol::printable(value, quoted_bytes) + "' is not one of " + std::string(choices));
}

Result<void> set_path(std::string& to, const std::string& value) {
  if (value.empty()) return make_error(Errc::invalid_argument, "the path is empty");
  to = value;
  return {};
}

Result<void> set_http(Config& config, const Values& values) {
  config.http.clear();
  if (values == Values{"off"}) return {};
  for (const std::string& value : values) {
    if (auto address = chash::net::parse_http_address(value); !address) return std::move(address).error();
    config.http.push_back(value);
  }
  return {};
}

Result<void> set_log_level(Config& config, const Values& values) {
  const auto level = chash::service::log_level_from(values.front());
  if (!level) return one_of(values.front(), "debug, info, warning, error, critical");
  config.log_level = *level;
  return {};
}

Result<void> set_log_requests(Config& config, const Values& values) {
  if (values.front() != "on" && values.front() != "off") return one_of(values.front(), "on, off");
  config.log_requests = values.front() == "on";
  return {};
}

Result<void> set_log_dir(Config& config, const Values& values) {
  if (auto ok = set_path(config.log_dir, values.front()); !ok) return ok;
  if (config.log_dir == "off") config.log_dir.clear();
  return {};
}

Result<void> set_initial_nodes(Config& config, const Values& values) {
  config.initial_nodes.clear();
  for (const std::string& value : values) config.initial_nodes.push_back({value, 1});
  if (auto delta = resolve({}, chash::AddNodes{config.initial_nodes, false}); !delta) return std::move(delta).error();
  return {};
}

Result<void> set_http_writes(Config& config, const Values& values) {
  using chash::net::HttpWrites;
  constexpr std::array<std::pair<std::string_view, HttpWrites>, 3> names{
      {{"loopback", HttpWrites::loopback}, {"token", HttpWrites::token}, {"off", HttpWrites::off}}};
  for (const auto& [name, writes] : names) {
    if (values.front() != name) continue;
    config.http_writes = writes;
    return {};
  }
  return one_of(values.front(), "loopback, token, off");
}

template <class Whole>
Result<void> set_number(Whole& to, const std::string& text, Whole most) {
  Whole number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most)
    return make_error(Errc::invalid_argument, "'" + chash::protocol::printable(text, quoted_bytes) +
                                                  "' is not a whole number from 1 to " + std::to_string(most));
  to = number;
  return {};
}

constexpr std::array<Setting, 12> all_settings{{
    {"socket", "PATH", false, "Unix socket to listen on",
     [](Config& config, const Values& values) { return set_path(config.socket, values.front()); }},
    {"http", "ADDR:PORT|off", true, "address for HTTP (default: 127.0.0.1:8000)", set_http},
    {"state-dir", "DIR", false, "where membership is kept",
     [](Config& config, const Values& values) { return set_path(config.state_dir, values.front()); }},
    {"history", "N", false, "how many changes of each ring are remembered (default: 10000)",
     [](Config& config, const Values& values) {
       return set_number(config.history, values.front(), chash::limits::most_history);
     }},
    {"log-dir", "DIR|off", false, "where api.log and hashing.log are written", set_log_dir},
    {"log-level", "LEVEL", false, "debug, info, warning, error or critical (default: info)", set_log_level},
    {"log-requests", "on|off", false, "a line in api.log for each HTTP request (default: on)", set_log_requests},
    {"initial-node", "NAME", true, "node to start with, if the default ring has no history", set_initial_nodes},
    {"http-writes", "loopback|token|off", false, "who may change the ring over HTTP (default: loopback)",
     set_http_writes},
    {"token-file", "FILE", false, "file with the token for --http-writes token",
     [](Config& config, const Values& values) { return set_path(config.token_file, values.front()); }},
    {"allow-host", "NAME", true, "another name by which HTTP clients may call this machine",
     [](Config& config, const Values& values) {
       config.allowed_hosts = values;
       return Result<void>();
     }},
    {"threads", "N", false, "threads that serve (default: one for each processor, at most 4)",
     [](Config& config, const Values& values) {
       return set_number(config.threads, values.front(), chash::limits::io_threads);
     }},
}};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// systemd may list several directories; the first is ours.
std::string service_directory(const char* name) {
  const std::string value = environment(name);
  return value.substr(0, value.find(':'));
}

std::string user_state_dir() {
  const std::string base = environment("XDG_STATE_HOME");
  return (base.empty() ? environment("HOME") + "/.local/state" : base) + "/chash";
}

}  // namespace

std::span<const Setting> settings() { return all_settings; }

Config default_config() {
  const bool root = geteuid() == 0;
  Config config;
  config.socket = chash::net::daemon_socket_path();
  config.state_dir = service_directory("STATE_DIRECTORY");
  if (config.state_dir.empty()) config.state_dir = root ? "/var/lib/chash" : user_state_dir();
  config.log_dir = service_directory("LOGS_DIRECTORY");
  if (config.log_dir.empty()) config.log_dir = root ? "/var/log/chash" : user_state_dir() + "/log";
  config.threads = std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
  return config;
}

}  // namespace chashd
