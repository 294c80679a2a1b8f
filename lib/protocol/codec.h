// Requests and responses as bytes, and back. Everything here is made from the fields of operations.h.
//
//   socket   {"op":"get-node","key":"user:123"}             one line each way, without the newline here
//            {"ok":{…}}  or  {"error":{"code":…,"message":…,"hint":…}}
//   HTTP     GET /api/v1/rings/default/node?key=user%3A123   the bare response object, or application/problem+json
//
// Requests are decoded strictly: an unknown, missing or mistyped field is an error that names it. Responses are decoded
// leniently by clients: fields they do not know are skipped, so that a daemon may be newer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chash/result.h"
#include "protocol/operations.h"

namespace chash::protocol {

// --- The socket -----------------------------------------------------------------------------------------------------

std::string encode_request(const AnyRequest& request);
// Errors: invalid_request (not JSON, no such operation), invalid_argument (a field).
Result<AnyRequest> decode_request(std::string_view line);

// Appends the reply to `out`, with its newline.
void encode_reply(const Result<AnyResponse>& reply, std::string& out);
// `row` is the index() of the request that was sent.
Result<AnyResponse> decode_reply(std::size_t row, std::string_view line);

// --- HTTP -----------------------------------------------------------------------------------------------------------

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded names and values, in order

struct HttpCall {
  Method method;
  std::string target;
  std::string body;  // JSON, or empty
};
HttpCall encode_http(const AnyRequest& request);

std::string_view name(Method method);

// The row that has this method and path, and the values of the path's {fields}; `allow` lists the methods of the path.
struct RouteMatch {
  std::optional<std::size_t> row;
  Parameters path_fields;
  std::vector<Method> allow;
};
// `path` is still percent-encoded: it is split first and decoded after, so that %2F stays data.
RouteMatch match_route(Method method, std::string_view path);

// Splits and decodes `a=1&b=2`.  Errors: invalid_request (a bad escape).
Result<Parameters> parse_query(std::string_view query);

Result<AnyRequest> decode_http(std::size_t row, const Parameters& path_fields, const Parameters& query,
                               std::string_view body);

// Appends the bare response object.
void encode_response(const AnyResponse& response, std::string& out);
// Or one of what it lists.
void encode_item(const PinGiven& pin, std::string& out);
void encode_item(const ListNodes::Member& node, std::string& out);
void encode_item(const Status::RingState& ring, std::string& out);
void encode_item(const ChangeEntry& change, std::string& out);
void encode_item(const Blame::Move& move, std::string& out);
// What Error::plan holds.
std::string encode_plan(const Plan& plan);
std::optional<Plan> decode_plan(const Error& error);
Result<AnyResponse> decode_response(std::size_t row, std::string_view body);

// RFC 9457, with our `code` and `hint`. Its `detail` is what clients of the seed read. `title` is the phrase of the
// status where that is not the error's own.
std::string encode_problem(const Error& error, int http_status, std::string_view title = {});
// What a problem document says; a status alone where there is none.
Error decode_problem(int http_status, std::string_view body);

// --- Pieces for others that write JSON ------------------------------------------------------------------------------

// Appends `text` as a JSON string. Text that is not UTF-8 is written as printable() shows it.
void append_json_string(std::string_view text, std::string& out);
// Appends `"key":"…"`, or `"key_b64":"…"` for bytes that are not UTF-8.
void append_key_member(std::string_view name, std::string_view key, std::string& out);
// {"error":{…}} as the socket has it; `exit_status` is added where a command line reports it.
std::string encode_error(const Error& error, std::optional<int> exit_status = std::nullopt);

}  // namespace chash::protocol
