// Run: one run of chash, from argv to the exit status, and what its commands have in common.
#pragma once

#include <string>
#include <vector>

#include "command_line.h"
#include "offline.h"
#include "options.h"
#include "output.h"
#include "session.h"
#include "template.h"

namespace chash::cli {

struct Run {
  const CommandLine& line;
  const Options& options;
  Session& session;
  Output& out;
  ErrorStyle style;
  bool color = false;                 // on standard output
  const OfflineRing* ring = nullptr;  // what answers instead of a daemon

  bool json() const { return options.format == Format::json || options.format == Format::jsonl; }

  // Tell the error; return the exit status. misuse() adds how the command is used.
  int fail(Error error) const;
  int misuse(const Error& error) const;

  // The user's --format, or none.
  Result<Template> output_template(const Record& sample) const;
  // One record by the template.
  int print(const Template& format, const Record& record) const;
};

// The commands. Each prints to `out`, which run() flushes, and returns the exit status.
int get_node(const Run& run);
int list_nodes(const Run& run);
int add_nodes(const Run& run);
int remove_nodes(const Run& run);
int alter_nodes(const Run& run);
int replace_node(const Run& run);
int pin_keys(const Run& run);
int unpin_keys(const Run& run);
int show_status(const Run& run);
int ping(const Run& run);
int show_version(const Run& run);
int show_profiles(const Run& run);
int write_vectors(const Run& run);
int verify_vectors(const Run& run);
int compare_rings(const Run& run);
int manage_rings(const Run& run);
int plan_change(const Run& run);
int apply_change(const Run& run);
int export_ring(const Run& run);
int diff_rings(const Run& run);
int show_history(const Run& run);
int watch_ring(const Run& run);
int wait_until_so(const Run& run);
int blame_key(const Run& run);
int explain_key(const Run& run);
int roll_back(const Run& run);
int what_if(const Run& run);
int show_distribution(const Run& run);
int sieve_keys(const Run& run);
int check_daemons(const Run& run);
int reload_daemon(const Run& run);
int set_log_level(const Run& run);
int examine_daemon(const Run& run);
int show_stats(const Run& run);
int measure_daemon(const Run& run);

// A verb of manage_rings().
int draw_ring(const Run& run, const std::string& name);

// A ring of the daemon, to be answered for here.  Errors: those of asking, and of build().
Result<OfflineRing> fetch_ring(const Run& run, const std::string& name);

// Flags, then the environment, then the files.
Result<std::vector<Settings>> all_sources(const CommandLine& line, const Environment& environment);
// What they come to.  Errors: those of a source, and of resolve().
Result<Options> all_options(const CommandLine& line, const Environment& environment);
Result<net::ClientOptions> client_options(const CommandLine& line, const Options& options);

// `argv` without the program's name.
int run(const std::vector<std::string>& argv, const Environment& environment);

}  // namespace chash::cli
