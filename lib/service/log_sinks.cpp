#include "service/log_sinks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <system_error>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/formatter.h>

#include "chash/limits.h"

namespace chash::service {
namespace {

using Buffer = spdlog::memory_buf_t;

constexpr std::size_t day_bytes = 10;  // YYYY-MM-DD

std::tm local_time(std::time_t seconds) {
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

void append(Buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

bool is_plain(char c) { return static_cast<unsigned char>(c) - 0x20u < 0x5f; }

// Text as it is, but for bytes that could end the line or drive a terminal. The backslash stays single: it may come
// from an escape made earlier.
void append_escaped(Buffer& out, std::string_view text) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  while (!text.empty()) {
    const auto odd = std::find_if_not(text.begin(), text.end(), is_plain);
    const auto plain_bytes = static_cast<std::size_t>(odd - text.begin());
    append(out, text.substr(0, plain_bytes));
    if (odd == text.end()) return;
    const auto byte = static_cast<unsigned char>(*odd);
    const std::array<char, 4> escape{'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
    append(out, {escape.data(), escape.size()});
    text.remove_prefix(plain_bytes + 1);
  }
}

// Python's names.
std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return "DEBUG";
    case spdlog::level::info: return "INFO";
    case spdlog::level::warn: return "WARNING";
    case spdlog::level::err: return "ERROR";
    default: return "CRITICAL";
  }
}

// 2026-11-23 00:07:13,463 - main_app - INFO - Service is starting up.
// Written out by hand rather than as a spdlog pattern: padded pattern flags are CVE-2025-6140 in spdlog before 1.15.2.
class LineFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& msg, Buffer& out) override {
    const std::size_t start = out.size();
    append_time(out, msg.time);
    append(out, " - ");
    append(out, {msg.logger_name.data(), msg.logger_name.size()});
    append(out, " - ");
    append(out, level_name(msg.level));
    append(out, " - ");
    append_escaped(out, {msg.payload.data(), msg.payload.size()});
    if (out.size() - start > log_line_bytes - 1) {
      constexpr std::string_view cut = "...";
      out.resize(start + log_line_bytes - 1 - cut.size());
      append(out, cut);
    }
    out.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(); }

 private:
  void append_time(Buffer& out, spdlog::log_clock::time_point time) {
    const auto since_epoch = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    if (seconds != second_) {  // localtime_r takes a lock of the C library: once a second is enough
      const std::tm local = local_time(static_cast<std::time_t>(seconds.count()));
      std::array<char, 32> text{};
      second_text_.assign(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local));
      second_ = seconds;
    }
    append(out, second_text_);
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds).count();
    const std::array<char, 4> tail{',', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                                   static_cast<char>('0' + ms % 10)};
    append(out, {tail.data(), tail.size()});
  }

  std::chrono::seconds second_ = std::chrono::seconds::min();
  std::string second_text_;
};

// A newline, which LineWriter uses or leaves out, and the line.
std::string_view format_line(spdlog::formatter& formatter, const spdlog::details::log_msg& msg, Buffer& buffer) {
  buffer.push_back('\n');
  formatter.format(msg, buffer);
  return {buffer.data(), buffer.size()};
}

std::string error_text() { return std::generic_category().message(errno); }

Error file_error(const std::string& path, const std::string& why) {
  return make_error(Errc::storage_failed, "cannot write the log file " + path + ": " + why,
                    "create the directory and make it writable for the daemon's user, or choose another");
}

struct OpenedFile {
  LineWriter out;
  std::string day;  // of its last change; empty if the file is
};

Result<OpenedFile> open_for_append(const std::string& path) {
  // Readable too, to see how it ends.
  constexpr int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  OwnedFd fd(::open(path.c_str(), flags, 0640));
  if (!fd) return file_error(path, errno == ELOOP ? "it is a symbolic link" : error_text());
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return file_error(path, error_text());
  if (!S_ISREG(status.st_mode)) return file_error(path, "it is not a regular file");
  OpenedFile file;
  if (status.st_size > 0) {
    std::array<char, day_bytes + 1> day{};
    const std::tm local = local_time(status.st_mtim.tv_sec);
    file.day.assign(day.data(), std::strftime(day.data(), day.size(), "%Y-%m-%d", &local));
  }
  char last = '\n';  // a crash may have left half a line
  const bool cut = status.st_size > 0 && ::pread(fd.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
  file.out = LineWriter(std::move(fd), false, cut);
  return file;
}

bool is_rotated_name(std::string_view file, std::string_view name) {
  constexpr std::string_view shape = "0000-00-00";
  if (file.size() != name.size() + 1 + day_bytes || !file.starts_with(name) || file[name.size()] != '.') return false;
  return std::equal(shape.begin(), shape.end(), file.end() - day_bytes,
                    [](char want, char c) { return want == '0' ? c >= '0' && c <= '9' : c == want; });
}

// A descriptor of our own for what `fd` is. It outlives `fd`, and where the kernel lets us, it never waits: a pipe or a
// terminal is opened a second time, because O_NONBLOCK set on `fd` itself would reach everybody who shares it. (poll()
// alone would not do for a terminal: it says "ready" for one byte, and then write() waits for room for all.)
OwnedFd own_descriptor(int fd, const struct stat& status) {
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    OwnedFd reopened(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (reopened) return reopened;
  }
  return OwnedFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

LineWriter console_writer(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {};
  return {own_descriptor(fd, status), S_ISSOCK(status.st_mode), false};
}

bool is_writable(int fd) {
  pollfd entry{fd, POLLOUT, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT) != 0;
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

bool LineWriter::write(std::string_view text) {
  if (!mid_line_) text.remove_prefix(1);
  ssize_t written = -1;
  do {
    written = is_socket_ ? ::send(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                         : ::write(fd_.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written <= 0) return false;
  const auto taken = static_cast<std::size_t>(written);
  mid_line_ = text[taken - 1] != '\n';
  return taken == text.size();
}

Result<LogFile> LogFile::open(std::string directory, std::string name) {
  LogFile file(std::move(directory), std::move(name));
  auto opened = open_for_append(file.path());
  if (!opened) return std::move(opened).error();
  OpenedFile& found = *opened;
  file.out_ = std::move(found.out);
  file.day_ = std::move(found.day);
  return file;
}

bool LogFile::write(std::string_view text) {
  const std::string_view day = text.substr(1, day_bytes);
  if (day_.empty()) day_ = day;
  if (day > day_) rotate(day);  // never back: the lines of two threads cross at midnight, and clocks are set
  if (reopen_wanted_ && std::chrono::steady_clock::now() >= next_reopen_) try_reopen();
  if (out_.write(text)) return true;
  reopen_wanted_ = true;  // a full disk needs only time, but a lost mount needs a new descriptor
  return false;
}

// Where the rename fails, or would lose an earlier file, the old file takes the new day's lines too.
void LogFile::rotate(std::string_view day) {
  const std::string target = path() + '.' + day_;
  struct stat status {};
  if (::lstat(target.c_str(), &status) != 0 && errno == ENOENT) std::ignore = ::rename(path().c_str(), target.c_str());
  day_ = day;
  try_reopen();
  remove_oldest();
}

void LogFile::remove_oldest() const {
  std::vector<std::string> rotated;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (std::string file = entry->path().filename().string(); is_rotated_name(file, name_))
      rotated.push_back(std::move(file));
  std::sort(rotated.begin(), rotated.end(), std::greater<>());
  for (std::size_t i = limits::log_files_kept; i < rotated.size(); ++i)
    ::unlink((directory_ + '/' + rotated[i]).c_str());
}

void LogFile::try_reopen() {
  next_reopen_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  auto opened = open_for_append(path());
  reopen_wanted_ = !opened;
  if (opened) out_ = std::move(opened->out);
}

MidnightFileSink::MidnightFileSink() : base_sink(std::make_unique<LineFormatter>()) {}

void MidnightFileSink::use(std::optional<LogFile> file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
}

void MidnightFileSink::sink_it_(const spdlog::details::log_msg& msg) {
  if (!file_) return;
  Buffer buffer;
  if (!file_->write(format_line(*formatter_, msg, buffer))) dropped_.fetch_add(1, std::memory_order_relaxed);
}

ConsoleSink::ConsoleSink(int fd) : base_sink(std::make_unique<LineFormatter>()), out_(console_writer(fd)) {}

void ConsoleSink::sink_it_(const spdlog::details::log_msg& msg) {
  if (out_.fd() < 0) return;
  Buffer buffer;
  const std::string_view text = format_line(*formatter_, msg, buffer);
  if (!is_writable(out_.fd()) || !out_.write(text)) dropped_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace chash::service
