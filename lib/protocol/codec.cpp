#include "protocol/codec.h"

#include <algorithm>

#include "protocol/json.h"
#include "protocol/record_json.h"
#include "protocol/ring_file.h"

namespace chash::protocol {
namespace {

Result<AnyResponse> response_from(std::size_t row, const json& object) {
  return call_row<Result<AnyResponse>>(row, [&]<class Op>() -> Result<AnyResponse> {
    typename Op::Response response;
    if (!object.is_object()) return make_error(Errc::internal, "the answer is not an object");
    // Whoever asked has made no mistake.
    if (auto ok = read_record(object, response, Unknown::skip); !ok)
      return make_error(Errc::internal,
                        "the answer is none of '" + std::string(Op::info.name) + "': " + ok.error().message,
                        "see chash version");
    return AnyResponse(std::move(response));
  });
}

}  // namespace

// --- The socket -----------------------------------------------------------------------------------------------------

std::string encode_request(const AnyRequest& request) {
  std::string line = "{\"op\":\"";
  line += info(request).name;
  line += '"';
  std::visit(
      [&](const auto& typed) {
        std::string members;
        append_members(typed, members, [](const auto&) { return true; });
        if (!members.empty()) line += ',' + members;
      },
      request);
  line += '}';
  return line;
}

Result<AnyRequest> decode_request(std::string_view line) {
  auto document = parse_json(line);
  if (!document) return std::move(document).error();
  if (!document->is_object())
    return make_error(Errc::invalid_request, "a request must be a JSON object", R"(for example {"op":"ping"})");
  const auto op = document->find("op");
  if (op == document->end() || !op->is_string())
    return make_error(Errc::invalid_request, "a request needs an 'op', a string", R"(for example {"op":"ping"})");

  const std::string& wanted = op->get_ref<const std::string&>();
  const auto at = std::ranges::find(operation_table, wanted, &OperationInfo::name);
  if (at == operation_table.end()) {
    std::vector<std::string_view> names;
    for (const OperationInfo& row : operation_table) names.push_back(row.name);
    const std::string_view meant = nearest(wanted, names);
    return make_error(Errc::invalid_request, "unknown operation '" + printable(wanted, quoted_bytes) + "'",
                      meant.empty() ? "see chash-protocol(7)" : "did you mean '" + std::string(meant) + "'?");
  }
  return call_row<Result<AnyRequest>>(static_cast<std::size_t>(at - operation_table.begin()),
                                      [&]<class Op>() -> Result<AnyRequest> {
                                        typename Op::Request request;
                                        if (auto ok = read_record(*document, request, Unknown::refuse, "op"); !ok)
                                          return std::move(ok).error();
                                        return AnyRequest(std::move(request));
                                      });
}

void encode_reply(const Result<AnyResponse>& reply, std::string& out) {
  if (reply) {
    out += "{\"ok\":";
    encode_response(*reply, out);
    out += '}';
  } else {
    out += encode_error(reply.error());
  }
  out += '\n';
}

Result<AnyResponse> decode_reply(std::size_t row, std::string_view line) {
  auto document = parse_json(line);
  if (!document || !document->is_object())
    return make_error(Errc::internal, "the daemon's answer is not a JSON object");
  if (const auto ok = document->find("ok"); ok != document->end()) return response_from(row, *ok);
  if (const auto error = document->find("error"); error != document->end() && error->is_object())
    return error_from(*error, Errc::internal);
  return make_error(Errc::internal, "the daemon's answer has neither 'ok' nor 'error'");
}

// --- What both ways share -------------------------------------------------------------------------------------------

void encode_response(const AnyResponse& response, std::string& out) {
  std::visit([&](const auto& typed) { append(typed, out); }, response);
}

void encode_item(const PinGiven& pin, std::string& out) { append(pin, out); }
void encode_item(const ListNodes::Member& node, std::string& out) { append(node, out); }
void encode_item(const Status::RingState& ring, std::string& out) { append(ring, out); }

void encode_item(const ChangeEntry& change, std::string& out) { append(change, out); }
void encode_item(const Blame::Move& move, std::string& out) { append(move, out); }

std::string encode_plan(const Plan& plan) {
  std::string out;
  append(plan, out);
  return out;
}

std::optional<Plan> decode_plan(const Error& error) {
  auto document = parse_json(error.plan);
  Plan plan;
  if (error.plan.empty() || !document || !document->is_object()) return std::nullopt;
  if (auto ok = read_record(*document, plan, Unknown::skip); !ok) return std::nullopt;
  return plan;
}

std::string encode_ring_file(const RingFile& file) {
  std::string out;
  append(file, out);
  return out;
}

Result<RingFile> decode_ring_file(std::string_view text) {
  auto document = parse_json(text);
  if (!document) return std::move(document).error();
  RingFile file;
  if (!document->is_object()) return make_error(Errc::invalid_request, "a ring is a JSON object");
  if (auto ok = read_record(*document, file, Unknown::refuse); !ok) return std::move(ok).error();
  return file;
}

Result<AnyResponse> decode_response(std::size_t row, std::string_view body) {
  auto document = parse_json(body);
  if (!document) return make_error(Errc::internal, "the daemon's answer is not JSON");
  return response_from(row, *document);
}

// --- Pieces ---------------------------------------------------------------------------------------------------------

void append_json_string(std::string_view text, std::string& out) {
  if (!is_utf8(text)) return append_json_string(printable(text, text.size()), out);
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr std::string_view hex = "0123456789abcdef";
          out += "\\u00";
          out += {hex[static_cast<unsigned char>(c) >> 4], hex[c & 15]};
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_key_member(std::string_view name, std::string_view key, std::string& out) {
  const bool text = is_utf8(key);
  out += '"';
  out += name;
  if (!text) out += base64_suffix;
  out += "\":";
  append_json_string(text ? std::string_view(key) : base64_encode(key), out);
}

std::string encode_error(const Error& error, std::optional<int> exit_status) {
  std::string out = "{\"error\":{\"code\":";
  append_json_string(info(error.code).name, out);
  if (exit_status) out += ",\"exit\":" + std::to_string(*exit_status);
  out += ",\"message\":";
  append_json_string(error.message, out);
  if (!error.hint.empty()) {
    out += ",\"hint\":";
    append_json_string(error.hint, out);
  }
  if (!error.plan.empty()) out += ",\"plan\":" + error.plan;
  out += "}}";
  return out;
}

}  // namespace chash::protocol
