// history, blame, whatif: what was, and what might be.
#include <algorithm>

#include "change_options.h"
#include "change_output.h"
#include "chash/limits.h"
#include "movement_output.h"
#include "node_argument.h"
#include "pin_output.h"
#include "protocol/codec.h"
#include "protocol/text.h"

namespace chash::cli {
namespace {

using namespace protocol;

constexpr std::uint32_t page = 1000;  // of what is asked for at once
constexpr std::size_t names_shown = 3;

// How many to print; nothing for all.
Result<std::optional<std::uint64_t>> count_of(const Run& run) {
  const std::string text = run.line.text(Option::count).value_or("20");
  if (text == "all") return std::optional<std::uint64_t>();
  const auto count = parse_count(text, 1, 1'000'000'000, "count");
  if (!count) return count.error();
  return std::optional<std::uint64_t>(*count);
}

std::string list_text(std::string_view verb, const std::vector<std::string>& names) {
  std::string text(verb);
  for (std::size_t i = 0; i < names.size() && i < names_shown; ++i) text += (i == 0 ? " " : ", ") + names[i];
  if (names.size() > names_shown) text += " and " + std::to_string(names.size() - names_shown) + " more";
  return text;
}

}  // namespace

std::string change_text(const ChangeEntry& entry) {
  std::string text = entry.operation;
  const auto add = [&](std::string_view verb, const std::vector<std::string>& names) {
    if (!names.empty()) text += (text == entry.operation ? ": " : "; ") + list_text(verb, names);
  };
  const auto names_of = [](const std::vector<NodeGiven>& nodes) {
    std::vector<std::string> names;
    for (const NodeGiven& node : nodes) {
      names.push_back(node.weight == 1 ? node.name : node.name + '=' + number_text(node.weight));
      for (const auto& [field, value] : node.fields_given)
        if (field == "state") names.back() += " (" + value + ')';
    }
    return names;
  };
  std::vector<std::string> replaced;
  for (const auto& [name, node] : entry.replaced) replaced.push_back(name + " by " + node.name);
  add("+", names_of(entry.added));
  add("-", entry.removed);
  add("~", names_of(entry.altered));
  add("~", replaced);
  std::vector<std::string> pinned, unpinned;
  for (const PinGiven& pin : entry.pinned) pinned.push_back(pin_label(pin) + " to " + pin.nodes.front());
  for (const PinNamed& pin : entry.unpinned) unpinned.push_back(pin_label(pin));
  add("pinned", pinned);
  add("unpinned", unpinned);
  if (entry.max_move) text += (text == entry.operation ? ": " : "; ") + ("max_move " + percent(*entry.max_move, 2));
  return text;
}

Record entry_record(const ChangeEntry& entry) {
  return {{"epoch", entry.epoch},
          {"time", entry.time},
          {"who", entry.who},
          {"operation", entry.operation},
          {"change", change_text(entry)},
          {"moved", entry.moved.value_or(0)},
          {"note", entry.note}};
}

namespace {

Record record_of(const Blame::Move& move) {
  return {{"epoch", move.epoch}, {"time", move.time}, {"from", move.from},          {"to", move.to},
          {"who", move.who},     {"note", move.note}, {"operation", move.operation}};
}

Record record_of(const WhatIf::Case& one) {
  const WhatIf::Receiver worst = one.receivers.empty() ? WhatIf::Receiver{} : one.receivers.front();
  return {{"lost", one.lost},       {"share", one.share},          {"sets_lost", one.sets_lost},
          {"receiver", worst.node}, {"receiver_gets", worst.gets}, {"receiver_share", worst.share}};
}

bool wants_table(const Run& run) {
  return run.options.format == Format::table || (run.options.format == Format::automatic && run.out.is_terminal());
}

void tell_dropped(std::uint64_t dropped, std::uint64_t oldest) {
  if (dropped > 0)
    say(std::to_string(dropped) + (dropped == 1 ? " earlier change is" : " earlier changes are") +
        " no longer kept; the history begins at epoch " + std::to_string(oldest));
}

// What a line in a pipe has as it is.
std::string cell(const Run& run, const std::string& text) { return run.out.is_terminal() ? for_people(text) : text; }

// For people to the second, which fits 80 columns; --since takes it as it is.
std::string when_text(const std::string& time) {
  if (time.empty()) return "-";
  return time.substr(0, time.find('.')) + 'Z';
}

std::string or_dash(const std::string& name) { return name.empty() ? "-" : for_people(name); }

// Pages of a list that is asked for backwards, until there are `count` or no more.
template <class Op, class List>
Result<typename Op::Response> gather(const Run& run, typename Op::Request request, std::optional<std::uint64_t> count,
                                     List list) {
  std::optional<typename Op::Response> all;
  while (true) {
    const std::uint64_t left = count ? *count - (all ? list(*all).size() : 0) : page;
    request.n = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, page));
    auto response = run.session.call<Op>(request);
    if (!response) return response;
    const auto next = response->next;
    if (!all) {
      all = std::move(*response);
    } else {
      auto& items = list(*response);
      std::move(items.begin(), items.end(), std::back_inserter(list(*all)));
      all->next = next;
    }
    if (!next || (count && list(*all).size() >= *count)) return std::move(*all);
    request.before = next;
  }
}

}  // namespace

std::string plain_line(const Run& run, const ChangeEntry& entry) {
  return std::to_string(entry.epoch) + '\t' + entry.time + '\t' + cell(run, entry.who) + '\t' +
         cell(run, change_text(entry)) + '\t' + (entry.moved ? json_number(*entry.moved) : "") + '\t' +
         cell(run, entry.note) + '\n';
}

int show_history(const Run& run) {
  const auto format = run.output_template(entry_record(ChangeEntry()));
  if (!format) return run.misuse(format.error());
  const auto count = count_of(run);
  if (!count) return run.misuse(count.error());
  const auto before = epoch_option(run, Option::before);
  if (!before) return run.misuse(before.error());
  const auto moment = moment_option(run, Option::since);
  if (!moment) return run.misuse(moment.error());
  const auto response =
      gather<History>(run, {run.options.ring, 20, *before, *moment, run.line.text(Option::node).value_or("")}, *count,
                      [](History::Response& r) -> std::vector<ChangeEntry>& { return r.entries; });
  if (!response) return run.fail(response.error());
  std::string& out = run.out.text();
  if (run.options.format == Format::json && !*format) {
    encode_response(AnyResponse(*response), out);
    out += '\n';
    return 0;
  }
  const bool table = wants_table(run) && !*format;
  Table rows({"EPOCH", "WHEN", "WHO", "CHANGE", "MOVED", "NOTE"});
  for (const ChangeEntry& entry : response->entries) {
    if (*format) {
      if (const int status = run.print(*format, entry_record(entry)); status != 0) return status;
    } else if (run.json()) {
      encode_item(entry, out);
      out += '\n';
    } else if (table) {
      rows.add({std::to_string(entry.epoch), when_text(entry.time), for_people(entry.who),
                for_people(change_text(entry)), entry.moved ? percent(*entry.moved, 2) : "-", for_people(entry.note)});
    } else {
      out += plain_line(run, entry);
    }
  }
  if (table) rows.append_to(out, !run.line.has(Option::no_header), run.color);
  if (!response->next && !run.line.has(Option::quiet)) tell_dropped(response->dropped, response->oldest);
  if (response->next && table && !run.line.has(Option::quiet))
    say("there is more: chash history -n all, or --before " + std::to_string(*response->next));
  return 0;
}

int blame_key(const Run& run) {
  const auto format = run.output_template(record_of(Blame::Move()));
  if (!format) return run.misuse(format.error());
  const auto count = count_of(run);
  if (!count) return run.misuse(count.error());
  const auto before = epoch_option(run, Option::before);
  if (!before) return run.misuse(before.error());
  if (run.line.operands.size() != 1) return run.misuse(make_error(Errc::invalid_argument, "name one key"));
  const auto key_format = run.line.text(Option::key_format).value_or("raw");
  if (key_format != "raw" && key_format != "hex")
    return run.misuse(make_error(Errc::invalid_argument, "the key format is neither raw nor hex"));
  auto key = key_format == "hex" ? hex_decode(run.line.operands.front()) : run.line.operands.front();
  if (!key) return run.misuse(make_error(Errc::invalid_argument, "the key is not hex"));
  const auto response = gather<Blame>(run, {run.options.ring, {std::move(*key)}, 20, *before}, *count,
                                      [](Blame::Response& r) -> std::vector<Blame::Move>& { return r.moves; });
  if (!response) return run.fail(response.error());
  std::string& out = run.out.text();
  if (run.options.format == Format::json && !*format) {
    encode_response(AnyResponse(*response), out);
    out += '\n';
    return 0;
  }
  const bool table = wants_table(run) && !*format;
  Table rows({"EPOCH", "WHEN", "FROM", "TO", "WHO", "CHANGE", "NOTE"});
  for (const Blame::Move& move : response->moves) {
    if (*format) {
      if (const int status = run.print(*format, record_of(move)); status != 0) return status;
    } else if (run.json()) {
      encode_item(move, out);
      out += '\n';
    } else if (table) {
      rows.add({std::to_string(move.epoch), when_text(move.time), or_dash(move.from), or_dash(move.to),
                for_people(move.who), move.operation, for_people(move.note)});
    } else {
      out += std::to_string(move.epoch) + '\t' + move.time + '\t' + move.from + '\t' + move.to + '\t' + move.who +
             '\t' + move.operation + '\t' + cell(run, move.note) + '\n';
    }
  }
  if (table && response->moves.empty())
    out += response->node.empty() ? "no node owns this key\n"
                                  : "owned by " + for_people(response->node) + " as far back as is known\n";
  else if (table) rows.append_to(out, !run.line.has(Option::no_header), run.color);
  if (!response->next && !run.line.has(Option::quiet)) tell_dropped(response->dropped, response->oldest);
  return 0;
}

int what_if(const Run& run) {
  const auto format = run.output_template(record_of(WhatIf::Case()));
  if (!format) return run.misuse(format.error());
  const auto replicas =
      parse_count(run.line.text(Option::replicas).value_or("1"), 1, limits::replicas, "number of nodes");
  if (!replicas) return run.misuse(replicas.error());
  if (run.line.all(Option::lose).empty())
    return run.misuse(
        make_error(Errc::invalid_argument, "say what is lost", "--lose NODE, --lose zone=NAME or --lose each"));
  const auto response = run.session.call<WhatIf>({run.options.ring, run.line.all(Option::lose), *replicas});
  if (!response) return run.fail(response.error());
  std::string& out = run.out.text();
  if (run.json() && !*format) {
    encode_response(AnyResponse(*response), out);
    out += '\n';
    return 0;
  }
  const bool table = wants_table(run) && !*format;
  // Of keys that one node has, all that are lost are the lost node's.
  std::vector<std::string> header{"LOST", "SHARE", "FIRST RECEIVER", "GETS", "HAS THEN"};
  if (*replicas > 1) header.emplace_back("SETS LOST");
  Table rows(header);
  for (const WhatIf::Case& one : response->cases) {
    const WhatIf::Receiver worst = one.receivers.empty() ? WhatIf::Receiver{} : one.receivers.front();
    if (*format) {
      if (const int status = run.print(*format, record_of(one)); status != 0) return status;
    } else if (table) {
      std::vector<std::string> row{for_people(one.lost), percent(one.share, 2), or_dash(worst.node),
                                   percent(worst.gets, 2), percent(worst.share, 2)};
      if (*replicas > 1) row.push_back(one.sets_lost == 0 ? "-" : percent(one.sets_lost, 2));
      rows.add(std::move(row));
    } else {
      out += one.lost + '\t' + json_number(one.share) + '\t' + worst.node + '\t' + json_number(worst.gets) + '\t' +
             json_number(worst.share) + '\t' + json_number(one.sets_lost) + '\n';
    }
  }
  if (table) rows.append_to(out, !run.line.has(Option::no_header), run.color);
  return 0;
}

}  // namespace chash::cli
