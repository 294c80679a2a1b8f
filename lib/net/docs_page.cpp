#include "net/docs_page.h"

#include <string_view>

#include "chash/version.h"
#include "protocol/codec.h"
#include "protocol/operations.h"

namespace chash::net {
namespace {

constexpr std::string_view head = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Consistent Hashing Service</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #888; --get: #0a7d4f; --post: #1a5fb4; --delete: #b3261e; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  p { margin: .3rem 0; } .soft { color: var(--soft); }
  code, pre { font: .9em/1.5 ui-monospace, monospace; }
  pre { border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  td { border-top: 1px solid var(--line); padding: .5rem .8rem .5rem 0; vertical-align: top; }
  .method { font-weight: 700; font-size: .8em; } .GET { color: var(--get); } .POST { color: var(--post); }
  .DELETE { color: var(--delete); }
</style>
</head>
<body>
<h1>Consistent Hashing Service</h1>
)html";

constexpr std::string_view examples = R"html(<h2>Try it</h2>
<pre>curl http://127.0.0.1:8000/api/get-node/user:123
curl -X POST http://127.0.0.1:8000/api/nodes/cache-node-4
curl -X DELETE http://127.0.0.1:8000/api/nodes/cache-node-4
curl 'http://127.0.0.1:8000/api/v1/rings/default/node?key=user:123&amp;n=2'</pre>
<p>A key may hold any bytes: percent-encode them, <code>/</code> as <code>%2F</code>. Errors are
<code>application/problem+json</code> with a stable <code>code</code>. The answer's <code>X-Chash-Epoch</code> names the
membership version that it was made from.</p>
<p>For people and scripts on this machine <code>chash</code> is quicker: see <code>man chash</code>.</p>
</body>
</html>
)html";

void append_row(std::string_view method, std::string_view path, std::string_view help, std::string& page) {
  page += "<tr><td class=\"method ";
  page += method;
  page += "\">";
  page += method;
  page += "</td><td><code>";
  page += path;
  page += "</code></td><td>";
  page += help;
  page += "</td></tr>\n";
}

}  // namespace

std::string docs_page() {
  std::string page(head);
  page += "<p class=\"soft\">chashd " + std::string(version()) + " · <a href=\"/openapi.json\">openapi.json</a></p>\n";
  page += "<h2>Look up and change</h2>\n<table>\n";
  append_row("GET", "/api/get-node/{key}", "The node responsible for a key, as a JSON string", page);
  append_row("GET", "/api/nodes", "All nodes, in the order in which they were added", page);
  append_row("POST", "/api/nodes/{node}", "Add a node", page);
  append_row("DELETE", "/api/nodes/{node}", "Remove a node", page);
  page += "</table>\n<h2>Version 1, with epochs, weights, replicas and batches</h2>\n<table>\n";
  for (const protocol::OperationInfo& row : protocol::operation_table)
    append_row(protocol::name(row.method), row.path, row.help, page);
  page += "</table>\n";
  page += examples;
  return page;
}

}  // namespace chash::net
