// Pins as people see them.
#pragma once

#include <string>
#include <vector>

#include "protocol/operations.h"
#include "run.h"

namespace chash::cli {

// The bytes that are pinned, with escapes for what a terminal or a column cannot have.
std::string pinned_text(const protocol::PinNamed& pin);
// The same, with a * behind a prefix.
std::string pin_label(const protocol::PinNamed& pin);

// "user:* to cache-1, cache-9 (not in the ring), until 2026-11-23T00:12:00.000Z"
std::string pin_sentence(const protocol::PinGiven& pin, const std::vector<std::string>& missing);

// As a table; nothing where there are none.
void append_pins(const Run& run, const std::vector<protocol::PinGiven>& pins, std::string& out);
void append_pins_json(const std::vector<protocol::PinGiven>& pins, std::string& out);

}  // namespace chash::cli
