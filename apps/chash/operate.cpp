// reload, log-level: the daemon does something to itself.
#include "protocol/codec.h"
#include "run.h"

namespace chash::cli {
namespace {

using protocol::Reload;
using protocol::SetLogLevel;

// By template, as JSON, or `sentence`.
template <class Response>
int print(const Run& run, const Template& format, const Response& response, const Record& record,
          const std::string& sentence) {
  if (format) return run.print(format, record);
  std::string& out = run.out.text();
  if (run.json()) protocol::encode_response(protocol::AnyResponse(response), out);
  else out += for_people(sentence);
  if (!out.empty()) out += '\n';
  return 0;
}

}  // namespace

int reload_daemon(const Run& run) {
  const auto record = [](const Reload::Response& response) { return Record{{"log_level", response.log_level}}; };
  const auto format = run.output_template(record({}));
  if (!format) return run.misuse(format.error());
  const auto response = run.session.call<Reload>({});
  if (!response) {
    Error error = response.error();
    if (error.hint.empty() && error.code == Errc::invalid_argument) error.hint = "the old settings stay";
    return run.fail(std::move(error));
  }
  const std::string sentence = "the log settings were read again: level " + response->log_level;
  return print(run, *format, *response, record(*response), run.line.has(Option::quiet) ? "" : sentence);
}

int set_log_level(const Run& run) {
  const auto record = [](const SetLogLevel::Response& response) {
    return Record{{"level", response.level}, {"previous", response.previous}};
  };
  const auto& words = run.line.operands;
  if (words.size() > 1) return run.misuse(make_error(Errc::invalid_argument, "log-level takes one level"));
  if (words.size() == 1 && words.front().empty())
    return run.misuse(make_error(Errc::invalid_argument, "the level is empty", "leave it out to see the one there is"));
  const auto format = run.output_template(record({}));
  if (!format) return run.misuse(format.error());
  const auto response = run.session.call<SetLogLevel>({words.empty() ? "" : words.front()});
  if (!response) return run.fail(response.error());
  if (words.empty()) return print(run, *format, *response, record(*response), response->level);
  const std::string sentence = "log level " + response->previous + " -> " + response->level;
  return print(run, *format, *response, record(*response), run.line.has(Option::quiet) ? "" : sentence);
}

}  // namespace chash::cli
