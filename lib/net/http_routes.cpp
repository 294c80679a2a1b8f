#include "net/http_routes.h"

#include <algorithm>
#include <optional>

#include "chash/limits.h"
#include "net/wait_for.h"
#include "protocol/codec.h"
#include "protocol/text.h"

namespace chash::net {
namespace {

using protocol::AnyResponse;
using protocol::Method;

std::optional<Method> method_from(std::string_view name) {
  if (name == "GET" || name == "HEAD") return Method::get;
  if (name == "POST") return Method::post;
  if (name == "DELETE") return Method::del;
  return std::nullopt;
}

std::string allow_header(const std::vector<Method>& methods) {
  std::string names;
  for (const Method method : methods) {
    if (!names.empty()) names += ", ";
    names += protocol::name(method);
    if (method == Method::get) names += ", HEAD";
  }
  return names;
}

void add_epoch(std::uint64_t epoch, HttpResponse& response) {
  response.headers.emplace_back("X-Chash-Epoch", std::to_string(epoch));
}

// A form that a page of another site can send without asking first is never a change of ours.
bool is_json(const HttpRequest& request) {
  const auto type = request.field("content-type").value_or("");
  return type.substr(0, type.find(';')) == "application/json";
}

HttpResponse v1_response(Result<AnyResponse> outcome, int success_status) {
  if (!outcome) return problem(outcome.error());
  HttpResponse response;
  response.status = success_status;
  protocol::encode_response(*outcome, response.body);
  std::visit(
      [&](const auto& typed) {
        if constexpr (requires { typed.epoch; }) add_epoch(typed.epoch, response);
      },
      *outcome);
  return response;
}

}  // namespace

HttpTarget split_target(std::string_view target) {
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  return {path.empty() ? "/" : path, target.substr(std::min(question + 1, target.size()))};
}

asio::awaitable<HttpResponse> HttpRoutes::answer(const HttpRequest& request, const HttpPeer& peer) {
  auto failure = guard_host(request, peer.local_address, settings_->guard);
  if (!failure) failure = guard_origin(request);
  if (failure) {
    handlers_.log().api(service::LogLevel::warning, peer.description + " was refused: " + failure->reason);
    co_return problem(*failure);
  }
  const HttpTarget target = split_target(request.target);
  if (!target.path.starts_with("/api/v1/")) co_return co_await answer_legacy(request, target, peer);
  HttpResponse response = co_await answer_v1(request, target, peer);
  if (handlers_.log().logs_requests())
    handlers_.log().api(service::LogLevel::info, peer.description + " - \"" + request.method + ' ' +
                                                     protocol::printable(request.target, limits::log_text_bytes) +
                                                     "\" " + std::to_string(response.status));
  co_return response;
}

asio::awaitable<HttpResponse> HttpRoutes::answer_v1(const HttpRequest& request, const HttpTarget& target,
                                                    const HttpPeer& peer) {
  const auto method = method_from(request.method);
  const auto match = protocol::match_route(method.value_or(Method::get), target.path);
  if (match.allow.empty() && !protocol::percent_decode(target.path))
    co_return problem(
        make_error(Errc::invalid_request, "the path has a '%' that starts no escape", "write a '%' as %25"));
  if (match.allow.empty())
    co_return problem(make_error(Errc::not_found, "no such path", "see /openapi.json for those there are"));
  if (!method || !match.row) {
    HttpResponse response = problem(
        make_error(Errc::invalid_request, "this path does not take " + protocol::printable(request.method, 16)), 405);
    response.headers.emplace_back("Allow", allow_header(match.allow));
    co_return response;
  }
  if (!request.body.empty() && !is_json(request))
    co_return problem(make_error(Errc::invalid_request, "the body must be JSON", "send Content-Type: application/json"),
                      415);

  const auto query = protocol::parse_query(target.query);
  if (!query) co_return problem(query.error());
  const auto& row = protocol::operation_table[*match.row];
  const auto asked = protocol::decode_http(*match.row, match.path_fields, *query, request.body);
  if (!asked) co_return problem(asked.error());
  if (service::Handlers::is_answered_at_once(*asked)) co_return v1_response(handlers_.read(*asked), row.http_status);

  using Reply = Result<AnyResponse>;
  const std::function<void(std::function<void(Reply)>)> start = [&](std::function<void(Reply)> done) {
    handlers_.start(*asked, caller(request, peer), std::move(done));
  };
  auto reply = co_await wait_for<Reply>(context_.get_executor(), start);
  co_return v1_response(std::move(reply), row.http_status);
}

service::Caller HttpRoutes::caller(const HttpRequest& request, const HttpPeer& peer) const {
  return {peer.description, refuse_change(settings_->access, peer.is_loopback, request.field("authorization"))};
}

}  // namespace chash::net
