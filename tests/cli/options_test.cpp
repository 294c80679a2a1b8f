#include "options.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "node_argument.h"
#include "output.h"
#include "template.h"

namespace chash::cli {
namespace {

using namespace std::chrono_literals;

class Directory {
 public:
  Directory() : path_((std::filesystem::temp_directory_path() / "chash-test-XXXXXX").string()) {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    return file.string();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Environment variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> const char* {
    const auto at = values.find(name);
    return at == values.end() ? nullptr : at->second.c_str();
  };
}

Settings settings(const std::map<std::string, std::string>& texts) {
  Settings all;
  for (const auto& [name, text] : texts) all[name] = {text, "--" + name};
  return all;
}

Options resolved(const std::vector<Settings>& sources) {
  const auto options = resolve(sources);
  CAPTURE(options.has_value() ? "" : options.error().message);
  REQUIRE(options.has_value());
  return *options;
}

std::string refusal(const std::vector<Settings>& sources) {
  const auto options = resolve(sources);
  REQUIRE_FALSE(options.has_value());
  CHECK(options.error().code == Errc::invalid_argument);
  return options.error().message;
}

// --- Where values come from ------------------------------------------------------------------------------------------

TEST_CASE("options: without any source the defaults hold") {
  const Options options = resolved({});
  CHECK(options.ring == "default");
  CHECK(options.timeout == 5s);
  CHECK(options.connect_timeout == 2s);
  CHECK(options.retries == 0);
  CHECK(options.format == Format::automatic);
  CHECK(options.color == Color::automatic);
  CHECK_FALSE(options.endpoint_was_named);
  CHECK(std::holds_alternative<net::SocketEndpoint>(options.endpoint));
}

TEST_CASE("options: a flag wins over the environment, that over the user's file, that over the system's") {
  const Settings flag = settings({{"ring", "flag"}});
  const Settings variable = settings({{"ring", "variable"}, {"timeout", "1s"}});
  const Settings own = settings({{"ring", "own"}, {"timeout", "2s"}, {"retry", "2"}});
  const Settings system = settings({{"ring", "system"}, {"timeout", "3s"}, {"retry", "3"}, {"output", "json"}});
  const Options options = resolved({flag, variable, own, system});
  CHECK(options.ring == "flag");
  CHECK(options.timeout == 1s);
  CHECK(options.retries == 2);
  CHECK(options.format == Format::json);
}

TEST_CASE("options: the strongest source that names a socket or a URL decides between them") {
  const Settings socket = settings({{"socket", "/s"}}), url = settings({{"url", "http://h:1"}});
  CHECK(net::describe(resolved({socket, url}).endpoint) == "/s");
  CHECK(net::describe(resolved({url, socket}).endpoint) == "http://h:1");
  CHECK(resolved({{}, url}).endpoint_was_named);
  CHECK(refusal({settings({{"socket", "/s"}, {"url", "http://h"}})}) == "--socket and --url exclude each other");
}

TEST_CASE("options: a bad value is told with its origin") {
  CHECK(refusal({settings({{"timeout", "5"}})}) == "--timeout: bad time '5'");
  CHECK(refusal({settings({{"output", "xml"}})}) == "--output: bad output format 'xml'");
  CHECK(refusal({settings({{"color", "blue"}})}) == "--color: bad color 'blue'");
  CHECK(refusal({settings({{"retry", "-1"}})}) == "--retry: bad number '-1'");
  CHECK(refusal({settings({{"ring", ""}})}) == "--ring: the name is empty");
  CHECK(refusal({settings({{"url", "https://h"}})}).starts_with("--url: bad URL 'https://h': "));
  CHECK(refusal({read_environment(variables({{"CHASH_TIMEOUT", "soon"}}))}) == "CHASH_TIMEOUT: bad time 'soon'");
}

TEST_CASE("settings: the environment has one variable for each, and an empty one does not count") {
  CHECK(environment_name("connect-timeout") == "CHASH_CONNECT_TIMEOUT");
  const Settings found = read_environment(variables({{"CHASH_RING", "r"}, {"CHASH_URL", ""}, {"CHASH_NONSENSE", "x"}}));
  REQUIRE(found.size() == 1);
  CHECK(found.at("ring").text == "r");
  CHECK(found.at("ring").origin == "CHASH_RING");
}

TEST_CASE("settings: a file is TOML whose keys are the names of the options") {
  const auto found = parse_config("# mine\nring = \"r\"\nconnect-timeout = \"1s\"\nretry = 3\n", "/c.toml");
  REQUIRE(found.has_value());
  CHECK(found->at("ring").text == "r");
  CHECK(found->at("ring").origin == "/c.toml:2");
  CHECK(found->at("connect-timeout").text == "1s");
  CHECK(found->at("retry").text == "3");
  CHECK(parse_config("", "/c.toml")->empty());
}

TEST_CASE("settings: what is wrong in a file is told with file and line") {
  const auto refused = [](std::string_view text) {
    const auto found = parse_config(text, "/c.toml");
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == Errc::invalid_argument);
    return found.error().message + (found.error().hint.empty() ? "" : "; " + found.error().hint);
  };
  CHECK(refused("ring = \"r\"\nrin = \"x\"\n") == "/c.toml:2: unknown key 'rin'; did you mean 'ring'?");
  CHECK(refused("\nconnect_timeout = \"1s\"\n") ==
        "/c.toml:2: unknown key 'connect_timeout'; did you mean 'connect-timeout'?");
  CHECK(refused("[section]\nx = 1\n").starts_with("/c.toml:1: unknown key 'section'"));
  CHECK(refused("ring = true\n") == "/c.toml:1: 'ring' must be a string");
  CHECK(refused("ring = [\"a\"]\n") == "/c.toml:1: 'ring' must be a string");
  CHECK(refused("ring = \"a\"\nring = \"b\"\n").starts_with("/c.toml:2: "));
  CHECK(refused("ring = \n").starts_with("/c.toml:1: "));
  CHECK(refused("ring \xff").starts_with("/c.toml:1: "));
}

TEST_CASE("settings: the user's file is looked for in XDG_CONFIG_HOME, else in HOME") {
  const Directory directory;
  directory.write("config/chash/config.toml", "ring = \"xdg\"\n");
  directory.write(".config/chash/config.toml", "ring = \"home\"\n");
  const auto ring = [](const Environment& environment) {
    const auto sources = read_config_files("", environment);
    REQUIRE(sources.has_value());
    return resolved(*sources).ring;
  };
  CHECK(ring(variables({{"XDG_CONFIG_HOME", directory.path() + "/config"}, {"HOME", directory.path()}})) == "xdg");
  CHECK(ring(variables({{"HOME", directory.path()}})) == "home");
}

TEST_CASE("settings: a file that was named must be there, and is the only one") {
  const Directory directory;
  directory.write("config/chash/config.toml", "retry = 7\n");
  const Environment environment = variables({{"XDG_CONFIG_HOME", directory.path() + "/config"}});
  const auto only = read_config_files(directory.write("mine.toml", "ring = \"mine\"\n"), environment);
  REQUIRE(only.has_value());
  CHECK(resolved(*only).ring == "mine");
  CHECK(resolved(*only).retries == 0);
  const auto missing = read_config_files(directory.path() + "/none.toml", environment);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message == "cannot read " + directory.path() + "/none.toml: no such file");
  CHECK_FALSE(read_config_files(directory.path(), environment).has_value());
}

TEST_CASE("token file: its first line is the token, and others must not be able to read it") {
  const Directory directory;
  CHECK(*read_token(directory.write("good", "s3cret\n")) == "s3cret");
  CHECK(*read_token(directory.write("group", "s3cret", 0640)) == "s3cret");
  const auto refused = [&](const std::string& text, mode_t mode) {
    const auto token = read_token(directory.write("bad", text, mode));
    REQUIRE_FALSE(token.has_value());
    return token.error().message;
  };
  CHECK(refused("s3cret\n", 0644).ends_with("can be read by everybody"));
  CHECK(refused("\n", 0600).ends_with("is empty"));
  CHECK(*read_token(directory.write("more", "s3cret\nsecond line\n")) == "s3cret");
  CHECK(refused("a b", 0600).find("holds no token") != std::string::npos);
  CHECK(refused(std::string(5000, 'a'), 0600).ends_with("is larger than 4096 bytes"));
  CHECK_FALSE(read_token(directory.path() + "/none").has_value());
}

TEST_CASE("color: the option wins, then NO_COLOR, then CLICOLOR_FORCE, then whether it is a terminal") {
  const Environment none = variables({}), no = variables({{"NO_COLOR", "1"}, {"CLICOLOR_FORCE", "1"}});
  CHECK(wants_color(Color::always, false, no));
  CHECK_FALSE(wants_color(Color::never, true, none));
  CHECK(wants_color(Color::automatic, true, none));
  CHECK_FALSE(wants_color(Color::automatic, false, none));
  CHECK_FALSE(wants_color(Color::automatic, true, no));
  CHECK(wants_color(Color::automatic, false, variables({{"CLICOLOR_FORCE", "1"}})));
  CHECK_FALSE(wants_color(Color::automatic, false, variables({{"CLICOLOR_FORCE", "0"}})));
  CHECK_FALSE(wants_color(Color::automatic, true, variables({{"TERM", "dumb"}})));
  CHECK_FALSE(wants_color(Color::automatic, true, variables({{"CLICOLOR", "0"}})));
  CHECK(wants_color(Color::automatic, true, variables({{"CLICOLOR", "1"}})));
  CHECK(wants_color(Color::automatic, true, variables({{"CLICOLOR", "0"}, {"CLICOLOR_FORCE", "1"}})));
  CHECK(wants_color(Color::automatic, true, variables({{"NO_COLOR", ""}})));
}

// --- Values ----------------------------------------------------------------------------------------------------------

TEST_CASE("duration: a number and its unit") {
  CHECK(*parse_duration("500ms") == 500ms);
  CHECK(*parse_duration("5s") == 5s);
  CHECK(*parse_duration("1.5s") == 1500ms);
  CHECK(*parse_duration("2m") == 2min);
  CHECK(*parse_duration("1440m") == 24h);
  for (const std::string text : {"", "5", "s", "ms", "-1s", "0s", "0.5ms", "1h", "5 s", "5S", "1e3s", "0x5s", "inf s",
                                 "nans", "1441m", "5ss", " 5s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("count: a whole number in its range") {
  CHECK(*parse_count("1", 1, 256, "number") == 1);
  CHECK(*parse_count("256", 1, 256, "number") == 256);
  for (const std::string text : {"", "0", "257", "-1", "+1", "1.0", "1x", " 1", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text, 1, 256, "number").has_value());
  }
}

TEST_CASE("node: the weight stands behind the last equals sign") {
  const auto node = [](std::string_view word) {
    const auto parsed = parse_node(word, 3);
    REQUIRE(parsed.has_value());
    return std::pair(parsed->name, parsed->weight);
  };
  CHECK(node("a") == std::pair<std::string, double>("a", 3));
  CHECK(node("a=2") == std::pair<std::string, double>("a", 2));
  CHECK(node("a=0.5") == std::pair<std::string, double>("a", 0.5));
  CHECK(node("a=1e3") == std::pair<std::string, double>("a", 1000));
  CHECK(node("a=2x=1") == std::pair<std::string, double>("a=2x", 1));
  CHECK(node("10.0.0.1:11211=2") == std::pair<std::string, double>("10.0.0.1:11211", 2));
  CHECK(node("[::1]:80") == std::pair<std::string, double>("[::1]:80", 3));
}

TEST_CASE("node: a bad weight and a bad name are refused, with a way out") {
  for (const std::string word : {"a=", "a=2x", "a=-1", "a=inf", "a=nan", "a=0x10", "a=1000001", "a=1,5", "a= 1", "=",
                                 "=1", "", "-a", "a b", "a\n"}) {
    CAPTURE(word);
    const auto parsed = parse_node(word, 1);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::invalid_argument);
  }
  const Error error = parse_node("a=2x", 1).error();
  CHECK(error.message == "bad weight '2x' in 'a=2x'");
  CHECK(error.hint.ends_with("a name with a '=' needs its weight written: 'a=2x=1'"));
}

// --- What is printed ------------------------------------------------------------------------------------------------

std::string applied(std::string_view text, const Record& record, char end = '\n') {
  const auto format = Template::parse(text, record);
  CAPTURE(format.has_value() ? "" : format.error().message);
  REQUIRE(format.has_value());
  std::string out;
  CHECK(format->append(record, end, out).has_value());
  return out;
}

TEST_CASE("template: values by name, with width and precision, and the escapes") {
  const Record record{{"name", std::string("a")}, {"weight", 2.0}, {"epoch", std::uint64_t{7}}};
  CHECK(applied("{name}", record) == "a\n");
  CHECK(applied(R"({name}\t{epoch})", record) == "a\t7\n");
  CHECK(applied("{name:>3}|{weight:.2f}|{epoch:03}", record) == "  a|2.00|007\n");
  CHECK(applied("{{{name}}}", record) == "{a}\n");
  CHECK(applied(R"(\\{name}\\)", record) == "\\a\\\n");
  CHECK(applied(R"({name}\n)", record) == "a\n");
  CHECK(applied(R"({name}\0)", record) == std::string("a\0", 2));
  CHECK(applied("{name}", record, '\0') == std::string("a\0", 2));
  CHECK(applied("", record) == "\n");
}

TEST_CASE("template: a mistake is found before anything is asked, and an unknown name lists the right ones") {
  const Record sample{{"name", std::string()}, {"weight", 0.0}};
  for (const std::string text :
       {"{nam}", "{9}", "{name", "name}", "{name:d}", "{weight:x}", "{name!r}", R"(\q)", "\\"}) {
    CAPTURE(text);
    const auto format = Template::parse(text, sample);
    REQUIRE_FALSE(format.has_value());
    CHECK(format.error().code == Errc::invalid_argument);
    CHECK(format.error().message.starts_with("bad --format: "));
  }
  CHECK(Template::parse("{nam}", sample).error().hint == "the values are: {name} {weight}");
}

TEST_CASE("output: text for people keeps what is readable and escapes what a terminal would obey") {
  CHECK(for_people("plain, \xc3\xa9 \xe2\x82\xac \\") == "plain, \xc3\xa9 \xe2\x82\xac \\");
  CHECK(for_people("\x1b[31m\n\r\t\x7f") == "\\x1b[31m\\x0a\\x0d\\x09\\x7f");
  CHECK(for_people("\xc2\x9b!") == "\\xc2\\x9b!");
  CHECK(for_people("\xff\xc3\xa9") == "\\xff\\xc3\\xa9");
  CHECK(for_people(std::string("\0", 1)) == "\\x00");
}

TEST_CASE("output: columns stand under each other whatever their characters take") {
  Table table({"NODE", "ZONE", "X"});
  table.add({"a", "\xe6\x97\xa5\xe6\x9c\xac", "wide"});  // two characters of two columns
  table.add({"b", "cafe\xcc\x81", "combining"});         // the accent takes none
  table.add({"c", "plain", "ascii"});
  std::string out;
  table.append_to(out, false, false);
  CHECK(out ==
        "a     \xe6\x97\xa5\xe6\x9c\xac   wide\n"
        "b     cafe\xcc\x81   combining\n"
        "c     plain  ascii\n");
}

TEST_CASE("output: a table has its numbers to the right") {
  Table table({"NODE", "WEIGHT"});
  table.add({"a", "1.00"});
  table.add({"long-name", "10.00"});
  std::string out, bare;
  table.append_to(out, true, false);
  table.append_to(bare, false, false);
  CHECK(out ==
        "NODE       WEIGHT\n"
        "a            1.00\n"
        "long-name   10.00\n");
  CHECK(bare == out.substr(out.find('\n') + 1));
}

TEST_CASE("output: numbers are printed at their shortest, and as JSON has them") {
  CHECK(number_text(1) == "1");
  CHECK(number_text(0.1) == "0.1");
  CHECK(fixed_text(2, 2) == "2.00");
  CHECK(json_number(1) == "1.0");
  CHECK(json_number(2.5) == "2.5");
  CHECK(weight_text(1) == "1.00");
  CHECK(weight_text(0.001) == "0.001");
}

}  // namespace
}  // namespace chash::cli
