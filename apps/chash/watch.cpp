// watch: the changes of a ring as they are made, printed or given to a command, one after the other.
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "change_options.h"
#include "change_output.h"
#include "chash/limits.h"
#include "last_word.h"
#include "protocol/codec.h"
#include "shell_command.h"

namespace chash::cli {
namespace {

using namespace protocol;

// Of one question. Then it is asked again, so that a daemon that has vanished without a word is noticed.
constexpr std::uint32_t wait_s = 30;
constexpr std::chrono::seconds pause{1};

// What may be over in a while. Nothing is missed by asking again.
bool may_pass(const Error& error) {
  return error.code == Errc::unreachable || error.code == Errc::timeout || error.code == Errc::busy ||
         error.code == Errc::shutting_down;
}

Record watch_record(const std::string& ring, const ChangeEntry& change) {
  Record record = entry_record(change);
  record.emplace_back("ring", ring);
  return record;
}

class Follower {
 public:
  Follower(const Run& run, Template format, std::optional<std::uint64_t> from)
      : run_(run), format_(std::move(format)), command_(run.line.text(Option::exec)), from_(from) {}

  // Until `count` changes were told of, or for ever.
  int execute(std::optional<std::uint64_t> count);

 private:
  void connect();
  Result<Watch::Response> ask(std::uint32_t seconds);
  Result<Watch::Response> begin();
  Result<Watch::Response> begin_again(const Error& lost);
  int tell_all(const Watch::Response& response);
  int tell(const ChangeEntry& change);
  int give_to_command(const ChangeEntry& change) const;
  std::string json_line(const ChangeEntry& change) const;
  void advance(std::uint64_t next);
  std::string next_text() const { return "epoch " + std::to_string(from_.value_or(0)); }

  const Run& run_;
  Template format_;
  std::optional<std::string> command_;
  std::optional<std::uint64_t> from_;  // known as soon as the daemon has answered
  std::optional<std::uint64_t> left_;  // of the changes to be told of
  std::optional<Session> session_;
  std::uint64_t pid_ = 0;  // of the daemon
};

// With all the time that a question may take: --timeout is what the daemon may take for the answer.
void Follower::connect() {
  auto client = client_options(run_.line, run_.options);
  if (!client) return;
  client->timeout += std::chrono::seconds(wait_s);
  session_.emplace(run_.options, std::move(*client), run_.line.has(Option::verbose));
}

Result<Watch::Response> Follower::ask(std::uint32_t seconds) {
  const auto limit = std::min<std::uint64_t>(left_.value_or(limits::listed_changes), limits::listed_changes);
  return session_->call<Watch>({run_.options.ring, from_, seconds, static_cast<std::uint32_t>(limit)});
}

// The first question does not wait: from then on it is known where to go on.
Result<Watch::Response> Follower::begin() {
  connect();
  const auto pong = session_->call<Ping>({});
  if (!pong) return pong.error();
  auto response = ask(0);
  if (response) pid_ = pong->pid;
  return response;
}

Result<Watch::Response> Follower::begin_again(const Error& lost) {
  say(lost.message + "; trying again each second, to go on from " + next_text());
  const std::uint64_t pid = pid_;
  for (bool first = true;; first = false) {
    if (!first) std::this_thread::sleep_for(pause);
    auto response = begin();
    if (!response && may_pass(response.error())) continue;
    // A daemon that is still the same has closed the connection with intent.
    const bool cut_off = lost.code == Errc::unreachable && pid == pid_;
    if (response)
      say((cut_off ? "chashd cut this connection off, since its answers were not taken in time"
                   : "chashd is there again") +
          ("; going on from " + next_text()));
    return response;
  }
}

int Follower::execute(std::optional<std::uint64_t> count) {
  left_ = count;
  heed_interruptions();
  auto response = begin();
  if (!response) return run_.fail(response.error());
  if (run_.out.is_terminal() && !run_.line.has(Option::quiet))
    say("watching ring '" + for_people(run_.options.ring) + "' from epoch " +
        std::to_string(from_.value_or(response->next)));
  while (true) {
    if (const int status = tell_all(*response); status != 0 || left_ == 0) return status;
    response = ask(wait_s);
    if (!response && may_pass(response.error())) response = begin_again(response.error());
    if (!response) return run_.fail(response.error());
  }
}

int Follower::tell_all(const Watch::Response& response) {
  for (const ChangeEntry& change : response.changes) {
    const InterruptionsHeld held;
    if (const int status = tell(change); status != 0) return status;
    if (auto ok = run_.out.flush(); !ok) return run_.fail(ok.error());
    advance(change.epoch + 1);
    if (left_) --*left_;
  }
  const InterruptionsHeld held;
  advance(response.next);
  return 0;
}

void Follower::advance(std::uint64_t next) {
  from_ = next;
  if (::isatty(STDERR_FILENO) == 1)
    set_last_word("\nchash: to go on later: chash watch --from " + std::to_string(next) + "\n");
}

std::string Follower::json_line(const ChangeEntry& change) const {
  std::string line = "{\"ring\":", item;
  append_json_string(run_.options.ring, line);
  encode_item(change, item);
  item.front() = ',';  // in the place of the opening brace
  return line + item + '\n';
}

int Follower::tell(const ChangeEntry& change) {
  if (command_) return give_to_command(change);
  if (format_) return run_.print(format_, watch_record(run_.options.ring, change));
  std::string& out = run_.out.text();
  const Format format = run_.options.format;
  if (format == Format::plain) {
    out += plain_line(run_, change);
  } else if (format == Format::table || (format == Format::automatic && run_.out.is_terminal())) {
    constexpr std::size_t time_at = 11, time_size = 8;  // in 2026-11-23T00:12:03.250Z
    const std::string time = change.time.size() < time_at + time_size ? "-" : change.time.substr(time_at, time_size);
    out += std::to_string(change.epoch) + "  " + for_people(time) + "  " + for_people(change_text(change)) + "  (" +
           for_people(change.who) + ")" + (change.note.empty() ? "" : "  " + for_people(change.note)) + '\n';
  } else {
    out += json_line(change);
  }
  return 0;
}

int Follower::give_to_command(const ChangeEntry& change) const {
  const std::string epoch = std::to_string(change.epoch);
  const auto status = run_shell_command(
      *command_, json_line(change),
      {{"CHASH_RING", run_.options.ring}, {"CHASH_EPOCH", epoch}, {"CHASH_OPERATION", change.operation}});
  if (!status) return run_.fail(status.error());
  if (*status != 0)
    say("the command ended with status " + std::to_string(*status) + " at epoch " + epoch + "; to go on: --from " +
        epoch + ", or --from " + std::to_string(change.epoch + 1) + " without that change");
  return *status;
}

}  // namespace

int watch_ring(const Run& run) {
  auto format = run.output_template(watch_record("", ChangeEntry()));
  if (!format) return run.misuse(format.error());
  const auto from = epoch_option(run, Option::from);
  if (!from) return run.misuse(from.error());
  const auto count = parse_count(run.line.text(Option::count).value_or("1"), 1, 1'000'000'000, "count");
  if (!count) return run.misuse(count.error());
  const auto command = run.line.text(Option::exec);
  if (command && (command->empty() || *format))
    return run.misuse(command->empty() ? make_error(Errc::invalid_argument, "the command is empty")
                                       : make_error(Errc::invalid_argument, "--exec and --format exclude each other"));
  Follower follower(run, std::move(*format), *from);
  return follower.execute(run.line.has(Option::count) ? std::optional<std::uint64_t>(*count) : std::nullopt);
}

}  // namespace chash::cli
