// An HTTP answer, and its bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chash/error.h"
#include "net/http_message.h"

namespace chash::net {

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;  // beyond those that every answer has
};

// {"detail":…} as the seed has it for its own routes, and for what is not there at all.
HttpResponse seed_error(int status, std::string_view detail);
// application/problem+json, with the status of the error's code or another one.
HttpResponse problem(const Error& error);
HttpResponse problem(const Error& error, int status);
HttpResponse problem(const HttpFailure& failure);

enum class Body : unsigned char { send, omit };

// Appends head and body. HEAD gets the head alone, with the length that GET's body would have.
void append_response(const HttpResponse& response, Body body, bool keep_alive, std::string& out);

}  // namespace chash::net
