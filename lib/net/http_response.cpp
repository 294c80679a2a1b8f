#include "net/http_response.h"

#include <array>
#include <charconv>
#include <ctime>

#include "protocol/codec.h"

namespace chash::net {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

// Formatting a date costs more than answering a look-up, so each thread formats it once a second.
std::string_view http_date() {
  thread_local std::time_t formatted = 0;
  thread_local std::array<char, 32> text{};
  thread_local std::size_t size = 0;
  if (const std::time_t now = std::time(nullptr); now != formatted) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    // By hand and not by strftime: the names must be English in every locale.
    constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    size = static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                                  days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                                                  months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                                                  utc.tm_hour, utc.tm_min, utc.tm_sec));
    formatted = now;
  }
  return {text.data(), size};
}

void append_number(std::size_t number, std::string& out) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace

HttpResponse seed_error(int status, std::string_view detail) {
  HttpResponse response{status, "application/json", "{\"detail\":", {}};
  protocol::append_json_string(detail, response.body);
  response.body += '}';
  return response;
}

HttpResponse problem(const Error& error) { return problem(error, info(error.code).http_status); }

HttpResponse problem(const Error& error, int status) {
  HttpResponse response{
      status, "application/problem+json", protocol::encode_problem(error, status, reason_phrase(status)), {}};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.code == Errc::busy) response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse problem(const HttpFailure& failure) {
  Errc code = Errc::invalid_request;
  if (failure.status == 403) code = Errc::denied;
  if (failure.status == 408) code = Errc::timeout;
  if (failure.status == 421) code = Errc::misdirected;
  if (failure.status == 413 || failure.status == 414 || failure.status == 431) code = Errc::too_large;
  return problem(make_error(code, failure.reason), failure.status);
}

void append_response(const HttpResponse& response, Body body, bool keep_alive, std::string& out) {
  out += "HTTP/1.1 ";
  append_number(static_cast<std::size_t>(response.status), out);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nDate: ";
  out += http_date();
  out += "\r\nServer: chashd\r\nContent-Length: ";
  append_number(response.body.size(), out);
  if (!response.content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
  }
  for (const auto& [name, value] : response.headers) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  // Nothing of ours may be framed, sniffed, kept, or read by another site's page.
  out +=
      "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nCross-Origin-Resource-Policy: same-origin"
      "\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
  out += keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  if (body == Body::send) out += response.body;
}

}  // namespace chash::net
