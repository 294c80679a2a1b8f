#include "run.h"

#include <unistd.h>

#include "chash/version.h"
#include "completion.h"
#include "movement_output.h"
#include "net/client_errors.h"
#include "net/socket_path.h"
#include "protocol/codec.h"

namespace chash::cli {
namespace {

using net::HttpEndpoint;

int execute(const Run& run) {
  switch (run.line.command) {
    case Command::get_node: return get_node(run);
    case Command::list: return list_nodes(run);
    case Command::add: return add_nodes(run);
    case Command::remove: return remove_nodes(run);
    case Command::set:
    case Command::weight:
    case Command::drain:
    case Command::down:
    case Command::up: return alter_nodes(run);
    case Command::replace: return replace_node(run);
    case Command::pin: return pin_keys(run);
    case Command::unpin: return unpin_keys(run);
    case Command::status: return show_status(run);
    case Command::ping: return ping(run);
    case Command::version: return show_version(run);
    case Command::profile: return show_profiles(run);
    case Command::vectors: return write_vectors(run);
    case Command::verify: return verify_vectors(run);
    case Command::compare: return compare_rings(run);
    case Command::ring: return manage_rings(run);
    case Command::plan: return plan_change(run);
    case Command::apply: return apply_change(run);
    case Command::export_ring: return export_ring(run);
    case Command::diff: return diff_rings(run);
    case Command::history: return show_history(run);
    case Command::watch: return watch_ring(run);
    case Command::wait: return wait_until_so(run);
    case Command::blame: return blame_key(run);
    case Command::explain: return explain_key(run);
    case Command::rollback: return roll_back(run);
    case Command::whatif: return what_if(run);
    case Command::distribution: return show_distribution(run);
    case Command::sieve: return sieve_keys(run);
    case Command::check: return check_daemons(run);
    case Command::reload: return reload_daemon(run);
    case Command::log_level: return set_log_level(run);
    case Command::doctor: return examine_daemon(run);
    case Command::stats: return show_stats(run);
    case Command::bench: return measure_daemon(run);
    case Command::help:
    case Command::completion:
    case Command::none: break;
  }
  return run.misuse(make_error(Errc::invalid_argument, "no command is given"));
}

// Output is the last thing that can go wrong.
int finish(Output& out, const ErrorStyle& style, int status) {
  auto ok = out.finish();
  return ok || status != 0 ? status : report(ok.error(), style);
}

// `> ` and `< ` before each line that is sent or received.
void show_wire(std::string_view direction, std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    text += std::string(direction) + ' ' + for_people(line) + '\n';
  }
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

Settings flags_of(const CommandLine& line) {
  Settings flags = line.flags;
  if (line.has(Option::json)) flags["output"] = {"json", "--json"};
  return flags;
}

// Before all sources are read, only flags and environment can say that errors should be JSON.
bool wants_json_errors(const CommandLine& line, const Environment& environment) {
  const Settings flags = flags_of(line), variables = read_environment(environment);
  for (const Settings* source : {&flags, &variables})
    if (const auto at = source->find("output"); at != source->end()) return at->second.text.starts_with("json");
  return false;
}

// What helps where the daemon, which does not know our options, left that open.
std::string next_step(Command command, Errc code) {
  if (command == Command::add && code == Errc::conflict) return "try: chash list, or --if-missing to leave it alone";
  if (command == Command::ring && code == Errc::conflict) return "try: chash ring list";
  if (command == Command::remove && code == Errc::not_found) return "try: chash list, or --if-exists to skip it";
  return "";
}

// The ring that --profile, --nodes and --nodes-file describe for a command that answers by itself then.
Result<std::optional<OfflineRing>> ring_of(const CommandLine& line, const Options& options) {
  const bool described = line.has(Option::profile) || line.has(Option::nodes) || line.has(Option::nodes_file);
  const bool answers = line.command == Command::get_node || line.command == Command::vectors;
  if (!described || !answers) return std::optional<OfflineRing>();
  if (!line.has(Option::nodes) && !line.has(Option::nodes_file) && !line.has(Option::slot))
    return make_error(Errc::invalid_argument, "--profile needs the nodes, too",
                      "add --nodes LIST or --nodes-file FILE");
  auto nodes = read_nodes(line.text(Option::nodes), line.text(Option::nodes_file));
  if (!nodes) return std::move(nodes).error();
  auto ring = make_offline_ring(whole_profile(line.text(Option::profile).value_or("seed"), options.profiles),
                                std::move(*nodes));
  if (!ring) return std::move(ring).error();
  return std::optional<OfflineRing>(std::move(*ring));
}

int misuse(const Error& error, const ErrorStyle& style, Command command) {
  return report(error, style, {usage_line(command), try_line(command)});
}

std::vector<Settings> sources_without_files(const CommandLine& line, const Environment& environment) {
  return {flags_of(line), read_environment(environment)};
}

// What chash knows by itself: neither settings nor a daemon have a part in it.
std::optional<Result<std::string>> own_text(const CommandLine& line) {
  if (line.has(Option::help)) return help_text(line.command);
  if (line.has(Option::version)) return "chash " + std::string(version()) + '\n';
  if (line.command == Command::help) return help_about(line.operands);
  if (line.command == Command::completion) return completion_script(line.operands);
  return std::nullopt;
}

}  // namespace

Result<std::vector<Settings>> all_sources(const CommandLine& line, const Environment& environment) {
  std::string file = line.text(Option::config).value_or("");
  if (file.empty())
    if (const char* named = environment("CHASH_CONFIG"); named != nullptr) file = named;
  auto files = read_config_files(file, environment);
  if (!files) return std::move(files).error();
  std::vector<Settings> sources = sources_without_files(line, environment);
  for (Settings& settings : *files) sources.push_back(std::move(settings));
  return sources;
}

Result<Options> all_options(const CommandLine& line, const Environment& environment) {
  const auto sources = all_sources(line, environment);
  return sources ? resolve(*sources) : Result<Options>(sources.error());
}

Result<net::ClientOptions> client_options(const CommandLine& line, const Options& options) {
  net::ClientOptions client;
  client.timeout = options.timeout;
  client.connect_timeout = options.connect_timeout;
  if (line.all(Option::verbose).size() >= 2) client.trace = show_wire;
  if (!options.token_file.empty() && std::holds_alternative<HttpEndpoint>(options.endpoint)) {
    auto token = read_token(options.token_file);
    if (!token) return std::move(token).error();
    client.token = std::move(*token);
  }
  return client;
}

int Run::fail(Error error) const {
  if (error.hint.empty()) error.hint = next_step(line.command, error.code);
  if (const auto plan = protocol::decode_plan(error); plan && !style.json) {
    std::vector<std::string> lines = movement_lines(*plan);
    if (!plan->id.empty()) lines.push_back("the new plan: chash apply " + plan->id);
    return report(error, style, lines);
  }
  if (error.code != Errc::unreachable || options.endpoint_was_named || style.json) return report(error, style);
  std::string looked;
  for (const std::string& path : net::socket_search_path()) looked += (looked.empty() ? "looked for " : ", ") + path;
  return report(error, style, {looked});
}

int Run::misuse(const Error& error) const { return cli::misuse(error, style, line.command); }

Result<Template> Run::output_template(const Record& sample) const {
  const auto text = line.text(Option::format);
  return text ? Template::parse(*text, sample) : Template();
}

int Run::print(const Template& format, const Record& record) const {
  if (auto ok = format.append(record, '\n', out.text()); !ok) return fail(ok.error());
  return 0;
}

int run(const std::vector<std::string>& argv, const Environment& environment) {
  if (!argv.empty() && argv.front() == "__complete") return complete({argv.begin() + 1, argv.end()}, environment);
  const ParsedLine parsed = read_command_line(split_arguments(argv));
  const CommandLine& line = parsed.line;
  Output out(STDOUT_FILENO);
  ErrorStyle style{wants_json_errors(line, environment),
                   wants_color(Color::automatic, ::isatty(STDERR_FILENO) == 1, environment)};
  if (parsed.error) return misuse(*parsed.error, style, line.command);
  if (auto text = own_text(line)) {
    if (!*text) return misuse(text->error(), style, line.command);
    out.text() = std::move(**text);
    return finish(out, style, 0);
  }

  auto options = all_options(line, environment);
  // Which tells of bad files, and must not fail for them.
  if (!options && line.command == Command::doctor) options = resolve(sources_without_files(line, environment));
  if (!options) return report(options.error(), style);
  auto client = client_options(line, *options);
  if (!client) return report(client.error(), style);

  style.json = options->format == Format::json || options->format == Format::jsonl;
  style.color = wants_color(options->color, ::isatty(STDERR_FILENO) == 1, environment);
  const auto ring = ring_of(line, *options);
  if (!ring) return report(ring.error(), style);
  Session session(*options, std::move(*client), line.has(Option::verbose));
  if (*ring) session.answer_with([&](const protocol::AnyRequest& request) { return (*ring)->answer(request); });
  const Run whole{line,
                  *options,
                  session,
                  out,
                  style,
                  wants_color(options->color, out.is_terminal(), environment),
                  *ring ? &**ring : nullptr};
  return finish(out, style, execute(whole));
}

}  // namespace chash::cli
