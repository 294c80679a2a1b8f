#include "redraw.h"

#include "interrupt.h"

namespace chash::cli {
namespace {

constexpr std::string_view default_interval = "2s";

// What is left of the last picture goes: behind each line, and below the last one.
std::string in_place(std::string_view text) {
  constexpr std::string_view home = "\x1b[H", clear_line = "\x1b[K", clear_below = "\x1b[J";
  std::string picture(home);
  for (const char c : text) {
    if (c == '\n') picture += clear_line;
    picture += c;
  }
  return picture.append(clear_below);
}

}  // namespace

bool is_watched(const Run& run) { return run.line.has(Option::watch); }

Result<std::chrono::milliseconds> watch_interval(const Run& run) {
  const std::string text = run.line.text(Option::watch).value_or("");
  return parse_duration(text.empty() || text == "true" ? default_interval : text);  // "true": it stands alone
}

bool wait_undisturbed(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  for (auto left = time; !Interrupt::came() && left.count() > 0;
       left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()))
    Interrupt::wait(-1, static_cast<int>(left.count()));
  return !Interrupt::came();
}

int print_watched(const Run& run, const std::function<int()>& print) {
  if (!is_watched(run)) return print();
  const auto interval = watch_interval(run);
  if (!interval) return run.misuse(interval.error());
  const Interrupt interrupt;
  do {
    if (const int status = print(); status != 0) return Interrupt::came() ? interrupted_status : status;
    if (run.out.is_terminal()) run.out.text() = in_place(run.out.text());
    if (auto ok = run.out.flush(); !ok) return run.fail(ok.error());
  } while (wait_undisturbed(*interval));
  return interrupted_status;
}

}  // namespace chash::cli
