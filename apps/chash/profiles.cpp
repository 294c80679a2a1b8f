// profile: whose placements there are, and what one is made of.
#include "chash/members.h"
#include "protocol/codec.h"
#include "protocol/text.h"
#include "run.h"

namespace chash::cli {
namespace {

void append_member(std::string_view name, std::string_view text, std::string& out) {
  protocol::append_json_string(name, out);
  out += ':';
  protocol::append_json_string(text, out);
}

Record record_of(const NamedProfile& row) {
  return {{"name", std::string(row.name)},
          {"software", std::string(row.software)},
          {"proof", std::string(row.proof)},
          {"not_foretold", std::string(row.not_foretold)}};
}

void append_json(const NamedProfile& row, std::string& out) {
  out += '{';
  append_member("name", row.name, out);
  out += ',';
  append_member("software", row.software, out);
  out += ',';
  append_member("proof", row.proof, out);
  out += ',';
  append_member("not_foretold", row.not_foretold, out);
}

int list_profiles(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  std::string& out = run.out.text();
  if (run.options.format == Format::json) out += "{\"profiles\":[";
  std::size_t width = 0;
  for (const NamedProfile& row : named_profiles()) width = std::max(width, row.name.size());
  for (const NamedProfile& row : named_profiles()) {
    if (*format) {
      if (const int status = run.print(*format, record_of(row)); status != 0) return status;
    } else if (run.json()) {
      if (run.options.format == Format::json && &row != named_profiles().data()) out += ',';
      append_json(row, out);
      out += '}';
      if (run.options.format == Format::jsonl) out += '\n';
    } else {
      std::string name(row.name);
      if (run.out.is_terminal()) name.resize(width + 2, ' ');
      else name += '\t';
      out += name + std::string(row.software) + '\n';
    }
  }
  if (run.options.format == Format::json && !*format) out += "]}\n";
  return 0;
}

void append_line(std::string_view label, std::string_view text, std::string& out) {
  std::string line = "  " + std::string(label);
  line.resize(std::max<std::size_t>(line.size() + 1, 16), ' ');
  out += line + std::string(text) + '\n';
}

int show_profile(const Run& run, const std::string& text) {
  if (run.line.has(Option::format))
    return run.misuse(make_error(Errc::invalid_argument, "profile show has no --format", "take --json"));
  const auto profile = parse_profile(text);
  if (!profile) return run.fail(profile.error());
  const NamedProfile& row = *find_named_profile(text.substr(0, text.find(',')));
  std::string& out = run.out.text();
  if (run.json()) {
    append_json(row, out);
    out += ",\"fields\":[";
    for (const std::string& field : known_fields(*profile)) {
      if (out.back() != '[') out += ',';
      protocol::append_json_string(field, out);
    }
    out += "],\"parameters\":{";
    for (const ProfileParameter& parameter : profile_parameters()) {
      if (out.back() != '{') out += ',';
      append_member(parameter.name, parameter.write(*profile), out);
    }
    out += "}}\n";
    return 0;
  }
  out += for_people(text) + '\n';
  append_line("software", row.software, out);
  append_line("proof", row.proof, out);
  if (!row.not_foretold.empty()) append_line("not foretold", row.not_foretold, out);
  std::string fields;
  for (const std::string& field : known_fields(*profile)) fields += (fields.empty() ? "" : ", ") + field;
  append_line("node fields", fields, out);
  out += "parameters\n";
  for (const ProfileParameter& parameter : profile_parameters()) {
    std::string value = parameter.write(*profile);
    value.resize(std::max<std::size_t>(value.size() + 1, 24), ' ');
    append_line(parameter.name, value + std::string(parameter.help), out);
  }
  return 0;
}

}  // namespace

int show_profiles(const Run& run) {
  const std::vector<std::string>& words = run.line.operands;
  if (words.size() == 1 && words[0] == "list") return list_profiles(run);
  if (words.size() == 2 && words[0] == "show") return show_profile(run, whole_profile(words[1], run.options.profiles));
  return run.misuse(make_error(Errc::invalid_argument, "say 'list', or 'show' and the name of a profile"));
}

}  // namespace chash::cli
