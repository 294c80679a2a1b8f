// What is said of a change that was made, or would be.
#pragma once

#include "movement_output.h"
#include "protocol/codec.h"
#include "run.h"

namespace chash::cli {

// "epoch 42 -> 43, 24.80% of keys move"
std::string epochs_text(std::uint64_t before, std::uint64_t after, std::optional<double> moved = {});

// "a, b and 7 more"
std::string sentence_list(const std::vector<std::string>& names);

// Of one that history and watch tell of: "add: + a=2"; its values; and the line of a pipe.
std::string change_text(const protocol::ChangeEntry& entry);
Record entry_record(const protocol::ChangeEntry& entry);
std::string plain_line(const Run& run, const protocol::ChangeEntry& entry);

Record change_record(const std::string& ring, std::uint64_t epoch, std::uint64_t previous_epoch,
                     const std::vector<std::string>& nodes);

// What is doubtful about the ring as it is now; of a dry run its plan tells.
template <class Response>
void tell_warnings(const Response& response) {
  if (response.plan) return;
  for (const std::string& warning : response.warnings) say("WARNING: " + warning);
}

// By template, as JSON, or `sentence`, which --quiet spares; of a dry run, what would move.
template <class Response>
int print_change(const Run& run, const Template& format, const Response& response, const Record& record,
                 const std::string& sentence) {
  if (format) return run.print(format, record);
  if (run.json()) {
    // A dry run prints what plan does.
    if (response.plan) run.out.text() += protocol::encode_plan(*response.plan);
    else protocol::encode_response(protocol::AnyResponse(response), run.out.text());
    run.out.text() += '\n';
    return 0;
  }
  if (response.plan) return print_plan(run, {}, *response.plan);
  if (!run.line.has(Option::quiet)) run.out.text() += for_people(sentence) + '\n';
  return 0;
}

}  // namespace chash::cli
