// Transcripts: requests and their replies, asked over the socket, over HTTP and of the handlers in this process, which
// must all say the same. An operation that no transcript asks for fails.
//
// A transcript has lines `> REQUEST` and `< REPLY`, as the socket has them, and comments. Who asked, when, and what is
// of this process alone stand as `*`. CHASH_TEST_WRITE=1 in the environment writes the replies anew: look at the
// difference before you keep it.
#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <regex>
#include <set>
#include <sstream>

#include "harness.h"
#include "protocol/codec.h"
#include "service/handlers.h"
#include "service/ring_service.h"
#include "store/sqlite_store.h"
#include "wire.h"

using namespace chash;
using namespace chash::e2e;

namespace {

namespace fs = std::filesystem;

struct Exchange {
  std::string request, reply;
};

struct Transcript {
  std::string name;
  std::vector<std::string> lines;  // all of the file
  std::vector<Exchange> exchanges;
};

std::vector<Transcript> read_transcripts() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(CHASH_TEST_TRANSCRIPTS)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<Transcript> transcripts;
  for (const fs::path& path : paths) {
    Transcript transcript{path.filename(), {}, {}};
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      transcript.lines.push_back(line);
      if (line.starts_with("> ")) transcript.exchanges.push_back({line.substr(2), ""});
      if (line.starts_with("< ")) transcript.exchanges.back().reply = line.substr(2);
    }
    transcripts.push_back(std::move(transcript));
  }
  return transcripts;
}

// What is of one process, one moment or one door.
void hide(json& value) {
  static const std::set<std::string> hidden{
      "pid",     "uptime_s",    "version",           "path", "listeners", "engine", "commits", "lookups",
      "changes", "connections", "log_lines_dropped", "time", "who"};
  for (auto& [name, member] : value.items()) {
    const bool is_list_of_changes = name == "changes" && member.is_array();  // else it is a counter
    if (hidden.contains(name) && !is_list_of_changes) member = "*";
    else if (member.is_structured()) hide(member);
  }
}

std::string comparable(json reply) {
  hide(reply);
  static const std::regex who("uid \\d+, pid \\d+|127\\.0\\.0\\.1:\\d+"), time("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z");
  std::string text = std::regex_replace(reply.dump(), who, "*");
  return std::regex_replace(text, time, "*");
}

// A world that answers requests as the socket has them, by whichever way.
class Door {
 public:
  virtual ~Door() = default;
  virtual json ask(const std::string& line) = 0;
};

class SocketDoor final : public Door {
 public:
  SocketDoor() : socket_(daemon_.socket()) {}
  json ask(const std::string& line) override { return socket_.ask(line); }

 private:
  Daemon daemon_{{.initial_nodes = seed_nodes(), .http = false}};
  LineClient socket_;
};

class HttpDoor final : public Door {
 public:
  HttpDoor() : http_(daemon_.http_port()) {}
  json ask(const std::string& line) override {
    const auto request = protocol::decode_request(line);
    if (!request) return json::parse(protocol::encode_error(request.error()));
    const protocol::HttpCall call = protocol::encode_http(*request);
    const HttpReply reply = http_.ask(protocol::name(call.method), call.target,
                                      call.body.empty() ? "" : "Content-Type: application/json\r\n", call.body);
    const json body = json::parse(reply.body);
    if (reply.status == protocol::info(*request).http_status) return {{"ok", body}};
    json error{{"code", body.at("code")}, {"message", body.at("detail")}};
    const auto code = errc_from_name(body.at("code").get<std::string>());
    CHECK(code.has_value());
    if (code) CHECK(info(*code).http_status == reply.status);
    for (const char* name : {"hint", "plan"})
      if (body.contains(name)) error[name] = body[name];
    return {{"error", error}};
  }

 private:
  Daemon daemon_{{.initial_nodes = seed_nodes()}};
  HttpClient http_;
};

class InProcessDoor final : public Door {
 public:
  InProcessDoor() {
    auto log = service::Log::open({"", service::LogLevel::critical, false, false});
    REQUIRE(log);
    log_ = std::move(*log);
    auto store = store::SqliteStore::open(dir_ / "chash.db");
    REQUIRE(store);
    store_ = std::move(*store);
    std::vector<Node> nodes;
    // As the settings of the other daemons have it.
    daemon_.reload = [this] {
      log_->set_level(service::LogLevel::info);
      return Result<void>();
    };
    for (const std::string& name : seed_nodes()) nodes.push_back({name, 1});
    auto service = service::RingService::start(*store_, *log_, nodes);
    REQUIRE(service);
    service_ = std::move(*service);
    handlers_ = std::make_unique<service::Handlers>(*service_, daemon_);
  }

  json ask(const std::string& line) override {
    const auto request = protocol::decode_request(line);
    Result<protocol::AnyResponse> reply = request ? answer(*request) : Result<protocol::AnyResponse>(request.error());
    std::string text;
    protocol::encode_reply(reply, text);
    return json::parse(text);
  }

 private:
  Result<protocol::AnyResponse> answer(const protocol::AnyRequest& request) {
    if (service::Handlers::is_answered_at_once(request)) return handlers_->read(request);
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<protocol::AnyResponse>> reply;
    handlers_->start(request, {"uid 0, pid 0", {}}, [&](Result<protocol::AnyResponse> response) {
      const std::lock_guard lock(mutex);
      reply = std::move(response);
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reply.has_value(); });
    return std::move(*reply);
  }

  ScratchDir dir_;
  std::unique_ptr<service::Log> log_;
  std::unique_ptr<store::SqliteStore> store_;
  service::DaemonState daemon_;
  std::unique_ptr<service::RingService> service_;
  std::unique_ptr<service::Handlers> handlers_;
};

void write_anew(const Transcript& transcript, const std::vector<std::string>& replies) {
  std::ofstream file(fs::path(CHASH_TEST_TRANSCRIPTS) / transcript.name);
  auto reply = replies.begin();
  for (const std::string& line : transcript.lines) {
    if (line.starts_with("< ")) continue;
    file << line << '\n';
    if (line.starts_with("> ")) file << "< " << *reply++ << '\n';
  }
}

}  // namespace

TEST_CASE("transcripts: socket, HTTP and the handlers themselves answer as they are written down") {
  for (const Transcript& transcript : read_transcripts()) {
    SocketDoor socket;
    HttpDoor http;
    InProcessDoor in_process;
    std::vector<std::string> replies;
    for (const Exchange& exchange : transcript.exchanges) {
      INFO(transcript.name << ": " << exchange.request);
      const std::string by_socket = comparable(socket.ask(exchange.request));
      CHECK(comparable(http.ask(exchange.request)) == by_socket);
      CHECK(comparable(in_process.ask(exchange.request)) == by_socket);
      replies.push_back(by_socket);
      if (std::getenv("CHASH_TEST_WRITE") == nullptr) CHECK(by_socket == exchange.reply);
    }
    if (std::getenv("CHASH_TEST_WRITE") != nullptr) write_anew(transcript, replies);
  }
}

TEST_CASE("transcripts: every operation is asked for, and answered well at least once") {
  std::set<std::string> answered;
  for (const Transcript& transcript : read_transcripts())
    for (const Exchange& exchange : transcript.exchanges)
      if (exchange.reply.starts_with("{\"ok\"")) answered.insert(json::parse(exchange.request).at("op"));
  for (const protocol::OperationInfo& row : protocol::operation_table)
    CHECK_MESSAGE(answered.contains(std::string(row.name)), "no transcript asks for " << row.name);
}
