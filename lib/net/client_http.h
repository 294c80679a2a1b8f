// The HTTP side of a client: a request as bytes, and replies out of bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/client_endpoint.h"
#include "protocol/operations.h"

namespace chash::net {

// `token` may be empty.
std::string http_request(const HttpEndpoint& endpoint, const protocol::AnyRequest& request, std::string_view token);

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::string body;
  bool keep_alive = false;
};

class HttpReplyReader {
 public:
  HttpReplyReader();
  HttpReplyReader(HttpReplyReader&&) noexcept;
  HttpReplyReader& operator=(HttpReplyReader&&) noexcept;
  ~HttpReplyReader();

  enum class Progress : unsigned char { more, complete, invalid };
  // Takes bytes as they come; 1xx replies are passed over. What follows a complete reply is not looked at.
  Progress feed(std::string_view bytes);
  // The connection ended: that completes a body without a length.
  Progress end();
  // Requires: complete.  Ready for the next reply afterwards.
  HttpReply take();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace chash::net
