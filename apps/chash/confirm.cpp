#include "confirm.h"

#include <unistd.h>

#include <algorithm>

#include "interrupt.h"
#include "movement_output.h"

namespace chash::cli {
namespace {

constexpr double much = 0.5;             // of all keys
constexpr std::size_t reply_bytes = 64;  // of a line of a terminal; who writes more means no

void put(const std::string& text) {
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

// "y" and "yes". Ctrl-C, Ctrl-D and an empty line are a no.
bool says_yes() {
  const Interrupt interrupt;
  char reply[reply_bytes];
  if (!Interrupt::wait(STDIN_FILENO)) return put("\n"), false;
  const ssize_t count = ::read(STDIN_FILENO, reply, sizeof reply);  // a terminal gives a line
  if (count <= 0) return put("\n"), false;
  std::string word(reply, static_cast<std::size_t>(count));
  word.erase(std::min(word.find_last_not_of(" \t\r\n") + 1, word.size()));
  std::ranges::transform(word, word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return word == "y" || word == "yes";
}

}  // namespace

bool may_ask(const Run& run) {
  return !run.line.has(Option::yes) && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool is_much(const protocol::Plan& plan) {
  double had_a_node = 0;
  for (const protocol::FlowShare& flow : plan.flows)
    if (!flow.from.empty()) had_a_node += flow.share;
  // Of very many flows only the largest are told.
  return plan.moved > much && (had_a_node > much || (plan.flows_left_out > 0 && had_a_node > 0));
}

Result<void> confirm(const protocol::Plan& plan, std::string_view question) {
  std::string text;
  for (const std::string& line : movement_lines(plan)) text += line + '\n';
  put(text + for_people(std::string(question)) + " (epoch " + std::to_string(plan.epoch) + ")? [y/N] ");
  if (says_yes()) return {};
  return make_error(Errc::internal, "nothing was changed");
}

}  // namespace chash::cli
