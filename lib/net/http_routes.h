// What is where over HTTP: /api/v1 from the table of operations, the seed's routes, and the documents about them.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "net/access.h"
#include "net/http_guard.h"
#include "net/http_message.h"
#include "net/http_response.h"
#include "service/handlers.h"

namespace chash::net {

struct HttpPeer {
  std::string description;    // "127.0.0.1:40312"
  std::string local_address;  // the address that the client connected to
  bool is_loopback = false;
};

// What all threads share; immutable while serving.
struct HttpSettings {
  GuardPolicy guard;
  HttpPolicy access;
  std::string openapi;  // document
  std::string docs;     // page
};

// A request's path and query, still percent-encoded; an absolute-form target is reduced to them.
struct HttpTarget {
  std::string_view path;
  std::string_view query;
};
HttpTarget split_target(std::string_view target);

// One object for each thread.
class HttpRoutes {
 public:
  HttpRoutes(service::Handlers& handlers, asio::io_context& context, std::shared_ptr<const HttpSettings> settings)
      : handlers_(handlers), context_(context), settings_(std::move(settings)) {}

  // Guards first, for every path. Suspends for changes and for what takes long.
  // Requires: request and peer outlive the call.
  asio::awaitable<HttpResponse> answer(const HttpRequest& request, const HttpPeer& peer);
  service::Log& log() const { return handlers_.log(); }

 private:
  asio::awaitable<HttpResponse> answer_v1(const HttpRequest& request, const HttpTarget& target, const HttpPeer& peer);
  asio::awaitable<HttpResponse> answer_legacy(const HttpRequest& request, const HttpTarget& target,
                                              const HttpPeer& peer);
  HttpResponse get_node(std::string_view encoded_key);
  HttpResponse list_nodes();
  asio::awaitable<HttpResponse> change_node(const HttpRequest& request, std::string_view encoded_name,
                                            const HttpPeer& peer);
  service::Caller caller(const HttpRequest& request, const HttpPeer& peer) const;

  service::Handlers& handlers_;
  asio::io_context& context_;
  std::shared_ptr<const HttpSettings> settings_;
};

}  // namespace chash::net
