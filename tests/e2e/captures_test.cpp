// The seed's own answers, asked of chashd: the drop-in promise, and the list of where it is broken on purpose.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "capture.h"
#include "harness.h"
#include "shared_material.h"

using namespace chash;
using namespace chash::e2e;

namespace {

constexpr std::size_t captures_there = 111;

std::string with_host(std::string text, const std::string& host) {
  for (std::size_t at; (at = text.find("{HOST}")) != std::string::npos;) text.replace(at, 6, host);
  return text;
}

// Without the names that the seed took into its ring and chashd did not. Tells which were there.
std::string without_names(std::string body, const std::vector<std::string>& names, std::set<std::string>& used) {
  for (const std::string& name : names) {
    const std::size_t at = body.find("," + name);
    if (at == std::string::npos) continue;
    body.erase(at, name.size() + 1);
    used.insert(name);
  }
  return body;
}

// Whether the daemon still answers on this connection is what "open" means.
std::string connection_after(HttpClient& client, const HttpReply& reply) {
  if (reply.closes()) return client.rest().empty() ? "closed" : "bytes behind the last reply";
  return client.ask("GET", "/api/nodes").status == 200 ? "open" : "broken";
}

}  // namespace

TEST_CASE("chashd answers as the seed did or as the list of differences says") {
  const auto folder = test::shared_material("seed-captures/fastapi-0.119.0");
  if (!folder) {
    MESSAGE(test::not_run("the captures of the seed's service"));
    return;
  }
  const Differences list = read_differences(std::string(CHASH_TEST_E2E_DIR) + "/seed_differences.txt");
  std::set<const Difference*> used;
  std::set<std::string> names_used;
  Daemon daemon({.initial_nodes = seed_nodes(), .arguments = {"--allow-host", "a"}});
  const std::uint16_t port = daemon.http_port();

  std::size_t captures = 0;
  for (const auto& path : test::files_in(*folder)) {
    if (!std::isdigit(path.filename().string().front())) continue;  // logs of the seed
    const Capture capture = read_capture(path);
    ++captures;
    for (const UnheardRequest& request : list.requests)
      if (request.before == capture.number)
        CHECK_MESSAGE(HttpClient(port).ask(request.method, request.target).status == request.status,
                      "before " << capture.number << ": " << request.method << ' ' << request.target);

    HttpClient client(port);
    REQUIRE(client.send(with_host(capture.request, client.host())));
    for (const HttpReply& expected : capture.replies) {
      const auto reply = client.receive(capture.head);
      REQUIRE_MESSAGE(reply, "capture " << capture.number << " was not answered");
      const bool last = &expected == &capture.replies.back();
      for (const std::string_view part : compared_parts(capture)) {
        if (part == "connection" && !last) continue;
        const std::string seed =
            without_names(with_host(part_of(expected, part), client.host()), list.refused_names, names_used);
        const std::string ours = part == "connection" ? connection_after(client, *reply) : part_of(*reply, part);
        const Difference* difference = list.find(capture.number, part);
        const std::string wanted = difference == nullptr ? seed : difference->answer;
        CHECK_MESSAGE(is_answer(wanted, ours), "capture " << capture.number << " " << part << "\n  wanted: " << wanted
                                                          << "\n  answer: " << ours);
        if (difference != nullptr)
          CHECK_MESSAGE(ours != seed, "capture " << capture.number << " " << part << " does not differ any more");
        used.insert(difference);
      }
    }
  }
  CHECK(captures == captures_there);
  for (const Difference& difference : list.answers)
    CHECK_MESSAGE(used.contains(&difference),
                  "no capture has what is listed: " << difference.number << ' ' << difference.part);
  CHECK(names_used.size() == list.refused_names.size());
  MESSAGE(captures << " captures, " << list.answers.size() << " answers differ on purpose");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the list of differences gives a reason for every line and lists nothing twice") {
  const Differences list = read_differences(std::string(CHASH_TEST_E2E_DIR) + "/seed_differences.txt");
  std::set<std::string> seen;
  for (const Difference& difference : list.answers)
    CHECK_MESSAGE(seen.insert(difference.number + ' ' + difference.part).second,
                  difference.number << ' ' << difference.part);
  CHECK(!list.answers.empty());
}
