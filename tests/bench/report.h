// The table: figures of every round for every row, and from them the median with the extremes.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "load.h"

namespace bench {

// One run of a row, reduced.  0 stands for "not measured".
struct Figures {
  double rate = 0;  // a second
  double p50_us = 0, p90_us = 0, p99_us = 0;
  double daemon_us = 0, client_us = 0;  // processor time for each
};

Figures figures_of(Sample sample);

struct Row {
  std::string name;
  std::vector<Figures> rounds{};  // empty: not available here
};

// Rows that are measured together, once a round.
struct Step {
  std::vector<Row> rows;
  std::function<void(std::vector<Row>&)> measure;  // adds a round to each row
};

struct Section {
  std::string title;
  std::string unit;  // what is counted: "lookups"
  std::vector<Step> steps;
};

struct Report {
  std::vector<std::string> preamble;
  std::vector<Section> sections;
  std::vector<std::string> notes;
};

void print(const Report& report, std::ostream& out);
std::string as_json(const Report& report);

}  // namespace bench
