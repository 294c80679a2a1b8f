#include "net/client_http.h"

#include <llhttp.h>

#include <algorithm>

#include "chash/version.h"
#include "protocol/codec.h"

namespace chash::net {
namespace {

constexpr std::size_t content_type_bytes = 256;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string http_request(const HttpEndpoint& endpoint, const protocol::AnyRequest& request, std::string_view token) {
  const protocol::HttpCall call = protocol::encode_http(request);
  std::string bytes(protocol::name(call.method));
  bytes += ' ' + endpoint.prefix + call.target + " HTTP/1.1\r\nHost: " + endpoint.authority + "\r\nUser-Agent: chash/" +
           std::string(version()) + "\r\nAccept: application/json\r\n";
  if (!token.empty()) bytes += "Authorization: Bearer " + std::string(token) + "\r\n";
  if (!call.body.empty())
    bytes += "Content-Type: application/json\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
  return bytes + "\r\n" + call.body;
}

struct HttpReplyReader::Parser {
  llhttp_t machine;
  HttpReply reply;
  std::string field;  // name of the header field that is being read
  bool complete = false;

  void start() {
    llhttp_init(&machine, HTTP_RESPONSE, &settings());
    machine.data = this;
    reply = {};
    field.clear();
    complete = false;
  }

  static Parser& of(llhttp_t* machine) { return *static_cast<Parser*>(machine->data); }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t callbacks = [] {
      llhttp_settings_t all;
      llhttp_settings_init(&all);
      all.on_header_field = [](llhttp_t* m, const char* at, std::size_t size) {
        std::string& name = of(m).field;
        for (std::size_t i = 0; i < size && name.size() < content_type_bytes; ++i) name += lower(at[i]);
        return 0;
      };
      all.on_header_value = [](llhttp_t* m, const char* at, std::size_t size) {
        Parser& parser = of(m);
        if (parser.field == "content-type" && parser.reply.content_type.size() < content_type_bytes)
          parser.reply.content_type.append(at, std::min(size, content_type_bytes));
        return 0;
      };
      all.on_header_value_complete = [](llhttp_t* m) {
        of(m).field.clear();
        return 0;
      };
      all.on_body = [](llhttp_t* m, const char* at, std::size_t size) {
        of(m).reply.body.append(at, size);
        return 0;
      };
      all.on_message_complete = [](llhttp_t* m) {
        Parser& parser = of(m);
        const int status = llhttp_get_status_code(m);
        if (status < 200) {
          parser.reply = {};
          return 0;
        }
        parser.reply.status = status;
        parser.reply.keep_alive = llhttp_should_keep_alive(m) != 0;
        parser.complete = true;
        return static_cast<int>(HPE_PAUSED);
      };
      return all;
    }();
    return callbacks;
  }
};

HttpReplyReader::HttpReplyReader() : parser_(std::make_unique<Parser>()) { parser_->start(); }
HttpReplyReader::HttpReplyReader(HttpReplyReader&&) noexcept = default;
HttpReplyReader& HttpReplyReader::operator=(HttpReplyReader&&) noexcept = default;
HttpReplyReader::~HttpReplyReader() = default;

HttpReplyReader::Progress HttpReplyReader::feed(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&parser_->machine, bytes.data(), bytes.size());
  if (parser_->complete) return Progress::complete;
  return error == HPE_OK ? Progress::more : Progress::invalid;
}

HttpReplyReader::Progress HttpReplyReader::end() {
  llhttp_finish(&parser_->machine);
  return parser_->complete ? Progress::complete : Progress::invalid;
}

HttpReply HttpReplyReader::take() {
  HttpReply reply = std::move(parser_->reply);
  parser_->start();
  return reply;
}

}  // namespace chash::net
