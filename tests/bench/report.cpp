#include "report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

namespace bench {
namespace {

// Requires: `values` is not empty.
double quantile(std::vector<std::uint32_t>& values, double q) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::vector<double> sorted(const std::vector<Figures>& rounds, double Figures::*member) {
  std::vector<double> values;
  for (const Figures& round : rounds) values.push_back(round.*member);
  std::ranges::sort(values);
  return values;
}

double median(const std::vector<Figures>& rounds, double Figures::*member) {
  return sorted(rounds, member)[rounds.size() / 2];
}

// Three figures: 0.105, 7.31, 123, 12.3k, 1.23M.
std::string short_number(double value) {
  if (value <= 0) return "-";
  const char* unit = "";
  if (value >= 999'500) value *= 1e-6, unit = "M";
  else if (value >= 9'995) value *= 1e-3, unit = "k";
  const int decimals = value < 0.9995 ? 3 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, value, unit);
  return text.data();
}

std::string cell(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

struct Column {
  std::string title;
  double Figures::*member;
};
const std::array<Column, 6>& columns() {
  static const std::array<Column, 6> all{{{"rate/s", &Figures::rate},
                                          {"p50 us", &Figures::p50_us},
                                          {"p90 us", &Figures::p90_us},
                                          {"p99 us", &Figures::p99_us},
                                          {"daemon us", &Figures::daemon_us},
                                          {"client us", &Figures::client_us}}};
  return all;
}

constexpr std::size_t name_width = 49, number_width = 10, range_width = 17;

void print_heading(const Section& section, std::ostream& out) {
  out << '\n' << section.title << std::string(name_width - std::min(name_width, section.title.size()), ' ');
  for (const Column& column : columns()) {
    out << cell(column.member == &Figures::rate ? section.unit + "/s" : column.title, number_width);
    if (column.member == &Figures::rate) out << cell("min - max", range_width);
  }
  out << '\n';
}

void print_row(const Row& row, std::ostream& out) {
  out << "  " << row.name << std::string(name_width - 2 - std::min(name_width - 2, row.name.size()), ' ');
  if (row.rounds.empty()) {
    out << cell("n/a", number_width) << '\n';
    return;
  }
  for (const Column& column : columns()) {
    out << cell(short_number(median(row.rounds, column.member)), number_width);
    if (column.member != &Figures::rate) continue;
    const auto rates = sorted(row.rounds, &Figures::rate);
    out << cell(short_number(rates.front()) + " - " + short_number(rates.back()), range_width);
  }
  out << '\n';
}

}  // namespace

Figures figures_of(Sample sample) {
  Figures figures;
  figures.rate = sample.count / sample.seconds;
  figures.daemon_us = sample.daemon_cpu_s * 1e6 / sample.count;
  figures.client_us = sample.client_cpu_s * 1e6 / sample.count;
  if (sample.latencies_ns.empty()) return figures;
  figures.p50_us = quantile(sample.latencies_ns, 0.50) * 1e-3;
  figures.p90_us = quantile(sample.latencies_ns, 0.90) * 1e-3;
  figures.p99_us = quantile(sample.latencies_ns, 0.99) * 1e-3;
  return figures;
}

void print(const Report& report, std::ostream& out) {
  for (const std::string& line : report.preamble) out << line << '\n';
  for (const Section& section : report.sections) {
    print_heading(section, out);
    for (const Step& step : section.steps)
      for (const Row& row : step.rows) print_row(row, out);
  }
  out << '\n';
  for (const std::string& line : report.notes) out << line << '\n';
}

std::string as_json(const Report& report) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Section& section : report.sections) {
    for (const Step& step : section.steps) {
      for (const Row& row : step.rows) {
        nlohmann::ordered_json one{{"section", section.title}, {"row", row.name}, {"unit", section.unit}};
        one["rounds"] = nlohmann::ordered_json::array();
        for (const Figures& round : row.rounds)
          one["rounds"].push_back({{"rate", round.rate},
                                   {"p50_us", round.p50_us},
                                   {"p90_us", round.p90_us},
                                   {"p99_us", round.p99_us},
                                   {"daemon_us", round.daemon_us},
                                   {"client_us", round.client_us}});
        rows.push_back(std::move(one));
      }
    }
  }
  return nlohmann::ordered_json{{"about", report.preamble}, {"rows", std::move(rows)}, {"notes", report.notes}}.dump(
             2) +
         '\n';
}

}  // namespace bench
