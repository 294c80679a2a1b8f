// What was captured of the seed's service, and the list of what chashd answers otherwise on purpose.
//
// A capture is one file, NNN-name.txt: how the request was made (a curl command, or raw bytes), and what came back.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire.h"

namespace chash::e2e {

struct Capture {
  std::string number;  // "001"
  std::string
      request;  // the bytes that curl sends for that command, but with {HOST} for host and port; or the raw ones
  bool head = false;
  std::vector<HttpReply> replies;  // with {HOST} too; one, or two where requests were pipelined
};
Capture read_capture(const std::filesystem::path& path);

// The parts of a reply that are compared: "status", "body", "connection" (open or closed after it), and the fields
// allow, location, content-type and, for HEAD, content-length. A part that is not there is "-".
std::vector<std::string_view> compared_parts(const Capture& capture);
std::string part_of(const HttpReply& reply, std::string_view part);

// seed_differences.txt; its head says what its lines mean.
struct Difference {
  std::string number, part, answer;
};
struct UnheardRequest {
  std::string before;  // the number of a capture
  std::string method, target;
  int status = 0;
};
struct Differences {
  std::vector<Difference> answers;
  std::vector<std::string> refused_names;  // as JSON has them, with quotes
  std::vector<UnheardRequest> requests;

  const Difference* find(std::string_view number, std::string_view part) const;
};
Differences read_differences(const std::filesystem::path& path);

// Whether `text` is what a line of the list says: `answer` itself, or beginning with it where it ends in `*`.
bool is_answer(std::string_view answer, std::string_view text);

}  // namespace chash::e2e
