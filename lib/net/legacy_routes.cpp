// The seed's routes, byte for byte: a bare JSON string, a bare array, 201 with a message. They call the handlers that
// /api/v1 calls and only reshape the answers. What differs from the seed on purpose stands in
// tests/e2e/seed_differences.txt, each with its reason.
#include <array>
#include <optional>

#include "chash/limits.h"
#include "chash/node_name.h"
#include "net/http_routes.h"
#include "net/wait_for.h"
#include "protocol/codec.h"
#include "protocol/text.h"

namespace chash::net {
namespace {

using service::Committed;
using service::LogLevel;

enum class Page : unsigned char { root, docs, openapi, nodes, node, get_node };

struct LegacyRoute {
  Page page;
  std::string_view prefix;  // of the path; what follows is one segment, the parameter
  bool has_parameter;
  std::string_view allow;
};

// More than the seed's Allow: all methods of a path, and HEAD wherever there is GET.
constexpr std::array<LegacyRoute, 7> legacy_routes{{
    {Page::root, "/", false, "GET, HEAD"},
    {Page::docs, "/docs", false, "GET, HEAD"},
    {Page::docs, "/redoc", false, "GET, HEAD"},
    {Page::openapi, "/openapi.json", false, "GET, HEAD"},
    {Page::nodes, "/api/nodes", false, "GET, HEAD"},
    {Page::node, "/api/nodes/", true, "POST, DELETE"},
    {Page::get_node, "/api/get-node/", true, "GET, HEAD"},
}};

struct LegacyMatch {
  const LegacyRoute* route = nullptr;
  std::string_view parameter;  // still percent-encoded: %2F is data
};

LegacyMatch match_legacy(std::string_view path) {
  for (const LegacyRoute& route : legacy_routes) {
    if (!route.has_parameter && path == route.prefix) return {&route, {}};
    if (!route.has_parameter || !path.starts_with(route.prefix)) continue;
    const std::string_view parameter = path.substr(route.prefix.size());
    if (!parameter.empty() && parameter.find('/') == std::string_view::npos) return {&route, parameter};
  }
  return {};
}

bool allows(const LegacyRoute& route, std::string_view method) {
  std::string_view list = route.allow;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(", "), list.size());
    if (list.substr(0, comma) == method) return true;
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return false;
}

HttpResponse redirect(std::string location) {
  HttpResponse response{307, "", "", {}};
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

// The only status that the seed documents and never uses, in the shape in which it documents it.
HttpResponse validation_error(std::string_view parameter, const Error& error) {
  HttpResponse response{422, "application/json", R"({"detail":[{"loc":["path",)", {}};
  protocol::append_json_string(parameter, response.body);
  response.body += R"(],"msg":)";
  protocol::append_json_string(error.hint.empty() ? error.message : error.message + ": " + error.hint, response.body);
  response.body += R"(,"type":"value_error"}]})";
  return response;
}

void append_names(const RingSpec& spec, std::string& out) {
  out += '[';
  for (const Node& node : spec.nodes) {
    if (&node != &spec.nodes.front()) out += ',';
    protocol::append_json_string(node.name, out);
  }
  out += ']';
}

HttpResponse changed(std::string_view name, std::string_view verb, const Committed& committed) {
  HttpResponse response{verb == "added" ? 201 : 200, "application/json", "{\"message\":", {}};
  protocol::append_json_string("Node '" + std::string(name) + "' " + std::string(verb) + " successfully.",
                               response.body);
  response.body += ",\"current_nodes\":";
  append_names(*committed.spec, response.body);
  response.body += '}';
  response.headers.emplace_back("X-Chash-Epoch", std::to_string(committed.epoch));
  return response;
}

}  // namespace

asio::awaitable<HttpResponse> HttpRoutes::answer_legacy(const HttpRequest& request, const HttpTarget& target,
                                                        const HttpPeer& peer) {
  const LegacyMatch match = match_legacy(target.path);
  if (match.route == nullptr) {
    // The seed's server sends /api/nodes/ on to /api/nodes. A key that ends in %2F is not such a path: the slash is
    // data.
    const std::string_view shorter = target.path.substr(0, target.path.size() - 1);
    if (target.path.size() > 1 && target.path.ends_with('/') && match_legacy(shorter).route != nullptr) {
      const std::string query = target.query.empty() ? "" : "?" + std::string(target.query);
      co_return redirect("http://" + std::string(request.field("host").value_or("")) + std::string(shorter) + query);
    }
    co_return seed_error(404, "Not Found");
  }
  if (!allows(*match.route, request.method)) {
    HttpResponse response = seed_error(405, "Method Not Allowed");
    response.headers.emplace_back("Allow", match.route->allow);
    co_return response;
  }
  switch (match.route->page) {
    case Page::root: co_return redirect("/docs");
    case Page::docs: {
      HttpResponse page{200, "text/html; charset=utf-8", settings_->docs, {}};
      co_return page;
    }
    case Page::openapi: {
      HttpResponse document{200, "application/json", settings_->openapi, {}};
      co_return document;
    }
    case Page::nodes: co_return list_nodes();
    case Page::get_node: co_return get_node(match.parameter);
    case Page::node: break;
  }
  co_return co_await change_node(request, match.parameter, peer);
}

HttpResponse HttpRoutes::get_node(std::string_view encoded_key) {
  // As the seed's server: a `%` that starts no escape stays as it is.
  const std::string key = *protocol::percent_decode(encoded_key, protocol::BadEscape::keep);
  protocol::GetNode::Request asked;
  asked.key.bytes = key;
  const auto found = handlers_.handle(asked);
  const bool log = handlers_.log().logs_requests();
  if (!found && found.error().code == Errc::empty_ring) {
    if (log)
      handlers_.log().api(LogLevel::error, "No available nodes in the hash ring for key: '" +
                                               protocol::printable(key, limits::log_text_bytes) + "'");
    return seed_error(503, "The hash ring is empty; no nodes available.");
  }
  if (!found) return validation_error("key", found.error());
  if (log)
    handlers_.log().api(LogLevel::info, "Request for key '" + protocol::printable(key, limits::log_text_bytes) +
                                            "' was successfully routed to node '" + found->node + "'.");
  HttpResponse response;
  protocol::append_json_string(found->node, response.body);
  response.headers.emplace_back("X-Chash-Epoch", std::to_string(found->epoch));
  return response;
}

HttpResponse HttpRoutes::list_nodes() {
  if (handlers_.log().logs_requests())
    handlers_.log().api(LogLevel::info, "API request to list all current nodes in the ring.");
  const service::Snapshot& snapshot = handlers_.default_ring();
  HttpResponse response;
  append_names(snapshot.spec, response.body);
  response.headers.emplace_back("X-Chash-Epoch", std::to_string(snapshot.epoch));
  return response;
}

asio::awaitable<HttpResponse> HttpRoutes::change_node(const HttpRequest& request, std::string_view encoded_name,
                                                      const HttpPeer& peer) {
  const std::string name = *protocol::percent_decode(encoded_name, protocol::BadEscape::keep);
  const bool adds = request.method == "POST";
  service::Caller asker = caller(request, peer);
  if (asker.refusal) co_return problem(*asker.refusal);
  if (const auto ok = check_node_name(name); !ok) co_return validation_error("node_name", ok.error());

  service::RingChange change = RemoveNodes{{name}, false};
  if (adds) change = AddNodes{{Node{name, 1}}, false};
  using Outcome = Result<Committed>;
  const std::function<void(std::function<void(Outcome)>)> start = [&](std::function<void(Outcome)> done) {
    handlers_.change(std::string(protocol::default_ring), std::move(change), std::move(asker), std::move(done),
                     {std::string(adds ? protocol::AddNodes::info.name : protocol::RemoveNodes::info.name)});
  };
  const auto outcome = co_await wait_for<Outcome>(context_.get_executor(), start);

  const bool log = handlers_.log().logs_requests();
  if (outcome) {
    if (log)
      handlers_.log().api(LogLevel::info, "Node '" + name + "' was " + (adds ? "added to" : "removed from") +
                                              " the ring via API request.");
    co_return changed(name, adds ? "added" : "removed", *outcome);
  }
  switch (outcome.error().code) {
    case Errc::conflict:
      if (log) handlers_.log().api(LogLevel::warning, "Attempted to add node '" + name + "' which already exists.");
      co_return seed_error(409, "Node '" + name + "' already exists in the ring.");
    case Errc::not_found:
      if (log) handlers_.log().api(LogLevel::warning, "Attempted to remove non-existent node '" + name + "' via API.");
      co_return seed_error(404, "Node '" + name + "' not found in the ring.");
    default: co_return problem(outcome.error());
  }
}

}  // namespace chash::net
