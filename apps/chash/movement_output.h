// What would move, for people and for pipes.
#pragma once

#include <string>
#include <vector>

#include "protocol/movement_report.h"
#include "run.h"

namespace chash::cli {

std::string percent(double share, int decimals);

// On a terminal a table of nodes and a sentence; in a pipe FROM, TO and the share, a line each; by --format a record
// each. JSON is the caller's.  Returns the exit status.
// `is_past`: it has moved already.
int print_movement(const Run& run, const Template& format, const protocol::MovementReport& report,
                   bool is_past = false);
// Of a plan; its warnings go to standard error.
int print_plan(const Run& run, const Template& format, const protocol::Plan& plan);
Record flow_record(const protocol::FlowShare& flow);

// "26.25% of keys move, all to cache-node-4 (least possible: 26.25%)"
std::string movement_sentence(const protocol::MovementReport& report);
// The table and the sentence, as lines.
std::vector<std::string> movement_lines(const protocol::MovementReport& report);

bool changes_anything(const protocol::MovementReport& report);

}  // namespace chash::cli
