// A line of the socket protocol, and the same bytes as an HTTP body and as answers: whatever they are, they are read or
// refused; and what was read is written and read again unchanged.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/codec.h"

namespace {

using namespace chash;
using namespace chash::protocol;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void is_refusal(const Error& error) {
  must(!error.message.empty(), "an error has a message");
  must(error.message.size() < 1000, "a message does not repeat the whole input");
  for (const char c : error.message + error.hint) must(c >= 0x20 && c < 0x7f, "a message of ours is printable");
}

void survives_the_socket(const AnyRequest& request) {
  const std::string line = encode_request(request);
  const auto again = decode_request(line);
  must(again.has_value(), "what was encoded is decoded");
  must(again->index() == request.index(), "and is the same operation");
  must(encode_request(*again) == line, "and the same request");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto request = decode_request(text)) survives_the_socket(*request);
  else is_refusal(request.error());

  for (std::size_t row = 0; row < operation_table.size(); ++row) {
    if (const auto request = decode_http(row, {{"ring", "r"}}, {}, text)) survives_the_socket(*request);

    if (const auto response = decode_response(row, text)) {
      std::string bare;
      encode_response(*response, bare);
      const auto again = decode_response(row, bare);
      must(again.has_value(), "a response that was encoded is decoded");
      std::string twice;
      encode_response(*again, twice);
      must(twice == bare, "and is the same");
    }
    if (const auto reply = decode_reply(row, text); !reply) {
      std::string line;
      encode_reply(reply.error(), line);
      must(line.ends_with("\n") && line.find('\n') == line.size() - 1, "a reply is one line");
      must(decode_reply(row, line).error() == reply.error(), "an error comes back");
    }
  }
  const Error problem = decode_problem(500, text);
  must(!problem.message.empty(), "a problem has a message");
  must(decode_problem(500, encode_problem(problem, 500)) == problem, "a problem comes back");
  return 0;
}
