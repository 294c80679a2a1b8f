// Options: what holds for this run, after flags, environment and files were asked in that order.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chash/result.h"
#include "net/client_endpoint.h"
#include "settings.h"

namespace chash::cli {

enum class Format : unsigned char { automatic, plain, table, json, jsonl };
enum class Color : unsigned char { automatic, always, never };

struct Options {
  net::Endpoint endpoint;
  bool endpoint_was_named = false;  // else it is where we looked
  std::string token_file;
  std::string ring;
  bool ring_was_named = false;
  Format format = Format::automatic;
  Color color = Color::automatic;
  std::chrono::milliseconds timeout{5000};
  std::chrono::milliseconds connect_timeout{2000};
  unsigned retries = 0;
  std::map<std::string, std::string> profiles;  // the user's own, by name
};

// `sources` strongest first.
// Errors: invalid_argument, naming the source that has the bad value.
Result<Options> resolve(const std::vector<Settings>& sources);

// "500ms", "1.5s", "2m": above 0, at most a day.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// A whole number in the range. `what` names it in the message.
Result<std::uint32_t> parse_count(std::string_view text, std::uint32_t least, std::uint32_t most,
                                  std::string_view what);

// The token in a file: its first line, as the daemon has it.
// Errors: invalid_argument; also when everybody may read the file.
Result<std::string> read_token(const std::string& path);

// Whether to colour what goes to a terminal or not.
bool wants_color(Color color, bool is_terminal, const Environment& environment);

}  // namespace chash::cli
