// Tables of the placement benchmark: how a row is measured and printed, and the picture of look-ups by size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace placement_bench {

using Work = std::function<std::uint64_t(std::size_t count)>;  // does it `count` times

struct Row {
  std::string name;
  Work work;
  std::vector<double> ns{};  // of one, by round

  double median() const;
};

// What the work comes to is kept, so that the compiler leaves nothing out.
double seconds_of(const Work& work, std::size_t count);

// The least first.
enum class Effort {
  smoke,  // the figures mean nothing
  quick,
  full,
};

class Report {
 public:
  explicit Report(Effort effort) : effort_(effort) {}

  // Measures the rows in turn, and prints them with their ratios to the first.
  void table(const std::string& title, std::vector<Row> rows);
  // Rows that have been measured.
  void print(const std::string& title, const std::vector<Row>& rows);
  void figure(const std::string& title, double value, const char* unit);

  // By title.
  const nlohmann::ordered_json& json() const { return json_; }

 private:
  Effort effort_;
  nlohmann::ordered_json json_;
};

// Nanoseconds of a look-up by the number of nodes, for each row.
using Curves = std::map<std::string, std::map<std::size_t, double>>;

// On logarithmic axes.
void write_svg(const std::string& path, const Curves& curves);

std::string processor();

}  // namespace placement_bench
