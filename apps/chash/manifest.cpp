#include "manifest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "amounts.h"
#include "chash/limits.h"
#include "input_file.h"
#include "interrupt.h"
#include "key_batch.h"
#include "progress.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

constexpr std::size_t group_keys = 1024;  // looked up together, as long as they are short
constexpr std::size_t group_bytes = std::size_t{1} * 1024 * 1024;
constexpr std::size_t most_unsent = std::size_t{16} * 1024 * 1024;  // of all files together
constexpr std::uint64_t most_bytes = 1'000'000'000'000;             // of one key; a million times ten million fit
constexpr std::size_t longest_name = 200;                           // of a file; most systems allow 255

Error cannot(const std::string& what, const std::string& path) {
  return make_error(Errc::invalid_argument,
                    "cannot " + what + ' ' + protocol::printable(path, 300) + ": " + std::strerror(errno));
}

std::string part_of_name(const std::string& node) { return node.empty() ? "-" : protocol::percent_encode(node); }

// A comma stands in neither part, since it is encoded there.
std::string file_name(const std::string& from, const std::string& to) {
  std::string name = part_of_name(from) + ',' + part_of_name(to);
  if (name.size() <= longest_name) return name;
  return name.substr(0, longest_name - 33) + '-' + hex(xxh3_128(name));
}

struct KeyLine {
  std::string key, written;
  std::uint64_t bytes = 0;
};

// KEY, or KEY<TAB>BYTES; where the format is told to be raw the line is the key, whatever it looks like.
Result<KeyLine> key_from(std::string_view line, const std::string& format) {
  KeyLine found;
  const std::size_t tab = format == "raw" ? line.npos : line.rfind('\t');
  std::string_view text = line;
  if (tab != line.npos) {
    const std::string_view digits = line.substr(tab + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), found.bytes);
    const bool is_number =
        error == std::errc() && end == digits.data() + digits.size() && !digits.empty() && found.bytes <= most_bytes;
    if (!is_number)
      return make_error(Errc::partial, "what stands behind the tab is no number of bytes",
                        "--key-format raw takes whole lines for keys");
    text = line.substr(0, tab);
  }
  found.written = text;
  auto bytes = format == "hex" ? protocol::hex_decode(text) : std::string(text);
  if (!bytes) return make_error(Errc::partial, "the key is not hex");
  found.key = std::move(*bytes);
  if (found.key.empty()) return make_error(Errc::partial, "the key is empty");
  if (found.key.size() > limits::key_bytes)
    return make_error(Errc::partial, "the key has more than " + std::to_string(limits::key_bytes) + " bytes");
  return found;
}

}  // namespace

Manifest::Manifest(const Side& before, const Side& after, std::string folder, char end)
    : before_(before), after_(after), folder_(std::move(folder)), end_(end) {}

Result<void> Manifest::open() {
  if (folder_.empty()) return {};
  if (::mkdir(folder_.c_str(), 0777) != 0 && errno != EEXIST) return cannot("make the folder", folder_);
  return {};
}

Result<void> Manifest::add(std::string key, std::string written, std::uint64_t bytes) {
  waiting_bytes_ += key.size() + written.size();
  waiting_.push_back({std::move(key), std::move(written), bytes});
  if (waiting_.size() < group_keys && waiting_bytes_ < group_bytes) return {};
  return look_up();
}

Result<void> Manifest::finish() {
  if (auto ok = look_up(); !ok) return ok;
  return write_all();
}

void Manifest::place(const Side& side, const std::vector<std::string_view>& keys, std::vector<NodeIndex>& found) const {
  found.assign(keys.size(), no_node);
  if (!side.placement.empty()) side.placement.owners_of(keys, found);
}

Result<void> Manifest::look_up() {
  std::vector<std::string_view> keys;
  for (const Waiting& one : waiting_) keys.emplace_back(one.key);
  std::vector<NodeIndex> from, to;
  place(before_, keys, from);
  place(after_, keys, to);
  const auto name = [](const Side& side, NodeIndex node) {
    return node == no_node ? std::string() : side.spec.nodes[node].name;
  };
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    ++all_.keys;
    all_.bytes += waiting_[i].bytes;
    const bool lacks_owner =
        (from[i] == no_node && !before_.placement.empty()) || (to[i] == no_node && !after_.placement.empty());
    if (lacks_owner) ++not_foretold_;
    const std::string old_name = name(before_, from[i]), new_name = name(after_, to[i]);
    if (lacks_owner || old_name == new_name) continue;
    ++moved_.keys;
    moved_.bytes += waiting_[i].bytes;
    Pair& pair = pairs_[{old_name, new_name}];
    ++pair.sum.keys;
    pair.sum.bytes += waiting_[i].bytes;
    if (folder_.empty()) continue;
    if (pair.file.empty()) pair.file = file_name(old_name, new_name);
    pair.unsent += waiting_[i].written;
    pair.unsent += end_;
    unsent_bytes_ += waiting_[i].written.size() + 1;
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  return unsent_bytes_ < most_unsent ? Result<void>() : write_all();
}

Result<void> Manifest::write_all() {
  for (auto& [names, pair] : pairs_)
    if (auto ok = write(pair); !ok) return ok;
  unsent_bytes_ = 0;
  return {};
}

// A file is open only while it is written to: there may be more pairs than a process may have files.
Result<void> Manifest::write(Pair& pair) const {
  if (pair.unsent.empty()) return {};
  const std::string path = folder_ + '/' + pair.file;
  // What is left of another run is not to be mixed with this one's keys.
  const int flags = O_WRONLY | O_CLOEXEC | O_APPEND | (pair.is_made ? 0 : O_CREAT | O_EXCL);
  const int file = ::open(path.c_str(), flags, 0666);
  if (file < 0) return cannot("write", path);
  std::string_view rest = pair.unsent;
  while (!rest.empty()) {
    const ssize_t count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const Error error = cannot("write", path);
      ::close(file);
      return error;
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::close(file) != 0) return cannot("write", path);
  pair.is_made = true;
  pair.unsent = {};
  return {};
}

int read_keys(const Run& run, const std::string& path, Manifest& manifest) {
  const std::string format = run.line.text(Option::key_format).value_or("");
  if (!format.empty() && format != "raw" && format != "hex")
    return run.misuse(make_error(Errc::invalid_argument, "the key format is neither raw nor hex"));
  auto file = InputFile::open(path);
  if (!file) return run.fail(file.error());
  if (auto ok = manifest.open(); !ok) return run.fail(ok.error());
  Progress progress(file->size_bytes());
  RecordSplitter splitter(run.line.has(Option::null) ? '\0' : '\n', 2 * limits::key_bytes + 32);
  Result<void> outcome;
  bool some_failed = false;
  const auto take = [&](std::uint64_t number, std::string_view line, std::uint64_t) {
    auto key = key_from(line, format);
    if (key) {
      outcome = manifest.add(std::move(key->key), std::move(key->written), key->bytes);
      return outcome.has_value();
    }
    progress.clear();
    some_failed = true;
    Error error = std::move(key).error();
    error.message = "line " + std::to_string(number) + ": " + error.message;
    report(error, run.style);
    return true;
  };
  const Interrupt interrupt;
  std::vector<char> piece(65536);
  for (std::size_t count = 0; outcome && !Interrupt::came() && (count = file->read(piece.data(), piece.size())) > 0;) {
    splitter.feed({piece.data(), count}, take);
    progress.advance(count);
  }
  const bool is_whole = !Interrupt::came();
  if (outcome && is_whole) splitter.finish(take);
  if (outcome) outcome = manifest.finish();
  if (outcome && is_whole) outcome = file->check();
  progress.clear();
  if (!outcome) return run.fail(outcome.error());
  if (!is_whole) {
    say("interrupted: " + grouped(manifest.all().keys) + " keys were looked at" +
        (run.line.has(Option::out) ? ", and those that move are in " + *run.line.text(Option::out) : ""));
    return interrupted_status;
  }
  return some_failed ? info(Errc::partial).exit_status : 0;
}

}  // namespace chash::cli
