#include "key_stream.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "amounts.h"
#include "chash/limits.h"
#include "interrupt.h"
#include "protocol/not_foretold.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using protocol::GetNodes;

constexpr std::size_t overlapping_batches = 2;              // one is answered while the next is made
constexpr std::size_t read_bytes = std::size_t{64} * 1024;  // what a pipe holds
constexpr std::size_t shown_bytes = 40;                     // of a key in a message

}  // namespace

Result<std::string> key_bytes(std::string_view typed, bool hex) {
  if (!hex) return std::string(typed);
  auto bytes = protocol::hex_decode(typed);
  if (!bytes) return make_error(Errc::invalid_argument, "is not hex");
  return std::move(*bytes);
}

std::optional<std::string> key_fault(std::string_view key, std::uint64_t size, bool may_be_empty) {
  if (size == 0 && !may_be_empty) return "is empty";
  if (size <= limits::key_bytes) return std::nullopt;
  return "'" + protocol::printable(key.substr(0, shown_bytes), shown_bytes) + "...' has " + std::to_string(size) +
         " bytes; the limit is " + std::to_string(limits::key_bytes);
}

int KeyStream::ask(const std::vector<std::string>& keys) {
  for (const std::string& key : keys)
    if (!look_up(key)) return status_;
  return finish();
}

int KeyStream::ask_standard_input(char end, bool hex) {
  RecordSplitter splitter(end,
                          hex ? 2 * limits::key_bytes + 1 : limits::key_bytes);  // whole bytes of what is too long
  const auto take = [&](std::uint64_t number, std::string_view typed, std::uint64_t size) {
    return look_up_line(number, typed, size, hex);
  };
  std::array<char, read_bytes> buffer;
  const Interrupt interrupt;
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 0) == 0 && !(submit() && drain())) return status_;
    if (!Interrupt::wait(STDIN_FILENO)) return stop_in_order();
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      if (submit() && drain())
        stop(make_error(Errc::internal, std::string("cannot read standard input: ") + std::strerror(error)));
      return status_;
    }
    if (count == 0) break;
    if (!splitter.feed({buffer.data(), static_cast<std::size_t>(count)}, take)) return status_;
  }
  return splitter.finish(take) ? finish() : status_;
}

// What was asked is answered, to whole lines; what was only read is not.
int KeyStream::stop_in_order() {
  if (!drain()) return status_;
  say("interrupted: " + grouped(answered_) + (answered_ == 1 ? " key was answered" : " keys were answered"));
  return interrupted_status;
}

bool KeyStream::look_up_line(std::uint64_t number, std::string_view typed, std::uint64_t size, bool hex) {
  const auto key = key_bytes(typed, hex);
  const auto fault = key ? key_fault(*key, hex ? size / 2 : size, run_.ring != nullptr) : key.error().message;
  if (!fault) return look_up(*key);
  some_failed_ = true;
  report(make_error(Errc::partial, "line " + std::to_string(number) + ": the key " + *fault), run_.style);
  return true;
}

bool KeyStream::look_up(std::string_view key) {
  if (!batch_.has_room_for(key) && !submit()) return false;
  batch_.add(key);
  return true;
}

bool KeyStream::submit() {
  if (batch_.empty()) return true;
  while (run_.session.in_flight() >= overlapping_batches)
    if (!take_next()) return false;
  run_.session.send(batch_.take());
  return true;
}

bool KeyStream::drain() {
  while (run_.session.in_flight() > 0)
    if (!take_next()) return false;
  if (auto ok = run_.out.flush(); !ok) return stop(ok.error());
  return true;
}

bool KeyStream::take_next() {
  const Answered answered = run_.session.receive();
  if (!answered.reply) return stop(answered.reply.error());
  const auto& request = std::get<GetNodes::Request>(answered.request);
  const auto& response = std::get<GetNodes::Response>(*answered.reply);
  if (response.owners.size() != request.keys.size())
    return stop(make_error(Errc::internal, "the daemon answered " + std::to_string(response.owners.size()) + " of " +
                                               std::to_string(request.keys.size()) + " keys"));
  for (std::size_t i = 0; i < request.keys.size(); ++i)
    if (auto ok = take_({response.ring, response.epoch, request.keys[i].bytes, response.owners[i]}); !ok)
      return stop(ok.error());
  answered_ += request.keys.size();
  tell_warnings(response.warnings);
  if (auto ok = run_.out.relieve(); !ok) return stop(ok.error());
  return true;
}

void KeyStream::tell_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    some_failed_ = true;
    if (warned_.insert(warning).second) say("WARNING: " + warning);
  }
}

int KeyStream::status() const { return some_failed_ ? info(Errc::partial).exit_status : 0; }

void KeyStream::tell_unowned(const Found& found) {
  some_failed_ = true;
  // A daemon says why for one key alone.
  Error error = run_.ring != nullptr
                    ? protocol::not_foretold(run_.ring->profile, found.key)
                    : make_error(Errc::partial, "key '" + protocol::printable(found.key, shown_bytes) +
                                                    "' has no node of its own in ring '" + std::string(found.ring) +
                                                    "'; asked for it alone, the daemon says why");
  error.code = Errc::partial;
  report(error, run_.style);
}

bool KeyStream::stop(const Error& error) {
  status_ = run_.fail(error);
  return false;
}

int KeyStream::finish() {
  if (!submit() || !drain()) return status_;
  return status();
}

}  // namespace chash::cli
