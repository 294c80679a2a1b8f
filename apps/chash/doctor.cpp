#include "doctor.h"

#include <algorithm>

#include "protocol/codec.h"

namespace chash::cli {
namespace {

constexpr int faulty = 10;

Record record_of(const Finding& finding) {
  return {{"verdict", std::string(verdict_name(finding.verdict))},
          {"check", finding.check},
          {"text", finding.text},
          {"fix", finding.fix}};
}

void append_json(const Finding& finding, std::string& out) {
  const auto member = [&](std::string_view name, std::string_view text) {
    out += (out.back() == '{' ? "\"" : ",\"") + std::string(name) + "\":";
    protocol::append_json_string(text, out);
  };
  out += '{';
  member("verdict", verdict_name(finding.verdict));
  member("check", finding.check);
  member("text", finding.text);
  if (!finding.fix.empty()) member("fix", finding.fix);
  out += '}';
}

// " warn ring web: it has no node; try: chash add -r web NODE"
void append_line(const Run& run, const Finding& finding, std::string& out) {
  std::string verdict(verdict_name(finding.verdict));
  verdict.resize(5, ' ');
  if (run.color && finding.verdict == Verdict::fail) verdict = "\x1b[1;31m" + verdict + "\x1b[0m";
  out += ' ' + verdict + for_people(finding.text + (finding.fix.empty() ? "" : "; " + finding.fix)) + '\n';
}

int print(const Run& run, const Template& format, const Findings& findings, bool healthy) {
  std::string& out = run.out.text();
  const bool one_object = run.options.format == Format::json && !format;
  if (one_object) out += std::string("{\"healthy\":") + (healthy ? "true" : "false") + ",\"findings\":[";
  for (const Finding& finding : findings) {
    if (format) {
      if (const int status = run.print(format, record_of(finding)); status != 0) return status;
    } else if (one_object) {
      if (out.back() != '[') out += ',';
      append_json(finding, out);
    } else if (run.json()) {
      append_json(finding, out);
      out += '\n';
    } else if (!run.line.has(Option::quiet) || finding.verdict != Verdict::ok) {
      append_line(run, finding, out);
    }
  }
  if (one_object) out += "]}\n";
  return 0;
}

}  // namespace

int examine_daemon(const Run& run) {
  const auto format = run.output_template(record_of({}));
  if (!format) return run.misuse(format.error());
  const Findings findings = examine(gather_facts(run));
  const bool healthy = std::ranges::find(findings, Verdict::fail, &Finding::verdict) == findings.end();
  const int printed = print(run, *format, findings, healthy);
  return printed != 0 ? printed : healthy ? 0 : faulty;
}

}  // namespace chash::cli
