#include "capture.h"

#include <fstream>
#include <stdexcept>

#include "shared_material.h"

namespace chash::e2e {
namespace {

constexpr std::string_view seed_host = "127.0.0.1:18081";
constexpr std::string_view curl_mark = "$ curl -i ", raw_mark = "# raw bytes: ";

std::string with_placeholder(std::string text) {
  for (std::size_t at; (at = text.find(seed_host)) != std::string::npos;) text.replace(at, seed_host.size(), "{HOST}");
  return text;
}

// Words as a shell splits them; the captures quote with backslashes only.
std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') words.emplace_back();
    else words.back() += line[i] == '\\' ? line[++i] : line[i];
  }
  return words;
}

// \r, \n and \xNN.
std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (const char kind = text[++i]; kind == 'x') {
      bytes += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      bytes += kind == 'r' ? '\r' : '\n';
    }
  }
  return bytes;
}

// The bytes that curl 7.88 sends.
std::string request_of_curl(std::string_view command, bool& head) {
  std::string method = "GET", url, body, version = "1.1", fields;
  bool method_given = false, has_body = false, chunked = false, typed = false, accepts = false;
  const std::vector<std::string> words = shell_words(command);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-X") {
      method = words[++i];
      method_given = true;
    } else if (word == "-I") {
      method = "HEAD";
    } else if (word == "-0") {
      version = "1.0";
    } else if (word == "-d") {
      body = words[++i];
      has_body = true;
      if (!method_given) method = "POST";
    } else if (word == "-H") {
      const std::string& field = words[++i];
      chunked |= field == "Transfer-Encoding: chunked";
      typed |= field.starts_with("Content-Type:");
      accepts |= field.starts_with("Accept:");
      fields += field + "\r\n";
    } else if (word != "--path-as-is") {
      url = word;
    }
  }
  head = method == "HEAD";
  const std::string prefix = "http://" + std::string(seed_host);
  if (!url.starts_with(prefix + "/"))
    throw std::runtime_error("an unknown kind of curl command: " + std::string(command));
  std::string request = method + ' ' + url.substr(prefix.size()) + " HTTP/" + version + "\r\nHost: {HOST}\r\n" +
                        "User-Agent: curl/7.88.1\r\n" + (accepts ? "" : "Accept: */*\r\n") + fields;
  if (has_body && !chunked) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (has_body && !typed) request += "Content-Type: application/x-www-form-urlencoded\r\n";
  request += "\r\n";
  if (!has_body) return request;
  return request + (chunked ? std::to_string(body.size()) + "\r\n" + body + "\r\n0\r\n\r\n" : body);  // below ten bytes
}

std::vector<HttpReply> captured_replies(std::string text, bool head) {
  std::vector<HttpReply> replies;
  while (text.starts_with("HTTP/1.1 ")) {
    auto reply = take_reply(text, head);
    if (!reply) throw std::runtime_error("a reply that is cut off");
    replies.push_back(std::move(*reply));
  }
  // Its server says no length where it could not read the request, and closes.
  constexpr std::string_view closed = "\n[server closed]";
  if (replies.size() == 1 && !replies[0].field("content-length")) replies[0].body = text.substr(0, text.find(closed));
  return replies;
}

}  // namespace

Capture read_capture(const std::filesystem::path& path) {
  const std::string text = with_placeholder(test::read_file(path));
  const std::size_t end = text.find('\n');
  std::string_view line = std::string_view(text).substr(0, end);
  Capture capture;
  capture.number = path.filename().string().substr(0, 3);
  if (line.starts_with(curl_mark)) {
    std::string command(line.substr(curl_mark.size()));
    command.replace(command.find("{HOST}"), 6, seed_host);
    capture.request = request_of_curl(command, capture.head);
  } else if (line.starts_with(raw_mark)) {
    capture.request = unescaped(line.substr(raw_mark.size()));
  } else {
    throw std::runtime_error(path.string() + " is no capture");
  }
  capture.replies = captured_replies(text.substr(end + 1), capture.head);
  if (capture.replies.empty()) throw std::runtime_error(path.string() + " has no reply");
  return capture;
}

std::vector<std::string_view> compared_parts(const Capture& capture) {
  std::vector<std::string_view> parts{"status", "body", "connection"};
  const std::vector<std::string_view> fields{"allow", "location", "content-type", "content-length"};
  for (const std::string_view field : fields)
    if (capture.replies.front().field(field) && (field != "content-length" || capture.head)) parts.push_back(field);
  return parts;
}

std::string part_of(const HttpReply& reply, std::string_view part) {
  if (part == "status") return std::to_string(reply.status);
  if (part == "connection") return reply.field("connection").value_or("") == "close" ? "closed" : "open";
  const std::string value = part == "body" ? reply.body : reply.field(part).value_or("");
  return value.empty() ? "-" : value;
}

// --- The list of differences -----------------------------------------------------------------------------------------

const Difference* Differences::find(std::string_view number, std::string_view part) const {
  for (const Difference& difference : answers)
    if (difference.number == number && difference.part == part) return &difference;
  return nullptr;
}

Differences read_differences(const std::filesystem::path& path) {
  Differences list;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t bar = line.rfind(" | ");
    if (bar == std::string::npos || bar + 3 == line.size())
      throw std::runtime_error("a difference without a reason: " + line);
    line.resize(line.find_last_not_of(' ', bar) + 1);
    const auto take_word = [&line] {
      const std::size_t blank = std::min(line.find(' '), line.size());
      std::string word = line.substr(0, blank);
      line.erase(0, std::min(line.find_first_not_of(' ', blank), line.size()));
      return word;
    };
    const std::string first = take_word();
    if (first == "refused") {
      list.refused_names.push_back(line);
    } else if (first == "before") {
      UnheardRequest request{take_word(), take_word(), take_word(), 0};
      request.status = std::stoi(line);
      list.requests.push_back(std::move(request));
    } else {
      std::string part = take_word();
      list.answers.push_back({first, std::move(part), line});
    }
  }
  return list;
}

bool is_answer(std::string_view answer, std::string_view text) {
  if (answer.ends_with('*')) return text.starts_with(answer.substr(0, answer.size() - 1));
  return text == answer;
}

}  // namespace chash::e2e
