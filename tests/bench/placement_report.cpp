#include "placement_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <utility>

namespace placement_bench {
namespace {

using nlohmann::ordered_json;

// What the compiler must not leave out.
volatile std::uint64_t sink;

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", std::gmtime(&now));
  return text.data();
}

}  // namespace

double Row::median() const {
  std::vector<double> sorted = ns;
  std::ranges::sort(sorted);
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

double seconds_of(const Work& work, std::size_t count) {
  const auto start = std::chrono::steady_clock::now();
  sink = work(count);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Report::table(const std::string& title, std::vector<Row> rows) {
  const double least = effort_ == Effort::smoke ? 0.0005 : effort_ == Effort::quick ? 0.02 : 0.1;
  const int rounds = effort_ == Effort::smoke ? 1 : 5;
  std::vector<std::size_t> counts;
  for (const Row& row : rows) {
    std::size_t count = 16;
    for (double took = 0; took < least / 4; count *= 2) took = seconds_of(row.work, count);
    counts.push_back(count * 2);
  }
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i].ns.push_back(seconds_of(rows[i].work, counts[i]) * 1e9 / static_cast<double>(counts[i]));
  print(title, rows);
}

void Report::print(const std::string& title, const std::vector<Row>& rows) {
  std::printf("\n%s\n", title.c_str());
  ordered_json told = ordered_json::array();
  for (const Row& row : rows) {
    const double ratio = rows.front().median() > 0 ? row.median() / rows.front().median() : 0;
    std::printf("  %-46s %11.2f ns %9.2fx\n", row.name.c_str(), row.median(), ratio);
    told.push_back({{"name", row.name}, {"ns", row.median()}, {"ratio", ratio}, {"rounds", row.ns}});
  }
  std::fflush(stdout);
  json_[title] = std::move(told);
}

void Report::figure(const std::string& title, double value, const char* unit) {
  std::printf("  %-46s %11.2f %s\n", title.c_str(), value, unit);
  std::fflush(stdout);
  json_["figures"][title] = value;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "an unknown processor";
}

void write_svg(const std::string& path, const Curves& curves) {
  constexpr double width = 760, height = 420, left = 60, bottom = 50, top = 30, right = 260;
  const auto x = [&](double nodes) { return left + (std::log10(nodes) - 1) / 5 * (width - left - right); };
  const auto y = [&](double ns) { return height - bottom - std::log10(ns) / 3.5 * (height - bottom - top); };
  std::ofstream out(path);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height
      << "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  out << "<text x=\"" << left << "\" y=\"16\">a look-up of a hashed key, " << today() << ", " << processor()
      << "</text>\n";
  for (int power = 0; power <= 3; ++power)
    out << "<line x1=\"" << left << "\" x2=\"" << width - right << "\" y1=\"" << y(std::pow(10, power)) << "\" y2=\""
        << y(std::pow(10, power)) << "\" stroke=\"#ddd\"/><text x=\"" << left - 6 << "\" y=\""
        << y(std::pow(10, power)) + 4 << "\" text-anchor=\"end\">" << std::pow(10, power) << " ns</text>\n";
  for (int power = 1; power <= 6; ++power)
    out << "<text x=\"" << x(std::pow(10, power)) << "\" y=\"" << height - bottom + 18 << "\" text-anchor=\"middle\">"
        << static_cast<long>(std::pow(10, power)) << "</text>\n";
  out << "<text x=\"" << (left + width - right) / 2 << "\" y=\"" << height - 12
      << "\" text-anchor=\"middle\">nodes (x 160 points)</text>\n";
  constexpr std::array colors{"#0b6", "#07c", "#c30", "#a0a", "#f80", "#555", "#2aa", "#960"};
  std::size_t color = 0;
  for (const auto& [name, curve] : curves) {
    const char* stroke = colors[color++ % colors.size()];
    out << "<polyline fill=\"none\" stroke=\"" << stroke << "\" stroke-width=\"1.8\" points=\"";
    for (const auto& [nodes, ns] : curve) out << x(static_cast<double>(nodes)) << ',' << y(ns) << ' ';
    const double label = top + 18.0 * static_cast<double>(color);
    out << "\"/><line x1=\"" << width - right + 14 << "\" x2=\"" << width - right + 32 << "\" y1=\"" << label
        << "\" y2=\"" << label << "\" stroke=\"" << stroke << "\" stroke-width=\"2\"/><text x=\"" << width - right + 38
        << "\" y=\"" << label + 4 << "\">" << name << "</text>\n";
  }
  out << "</svg>\n";
}

}  // namespace placement_bench
