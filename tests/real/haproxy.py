"""chash against HAProxy: hash-type consistent and map-based."""

from harness import (HttpBackend, Node, answers_on, ask_over_http, main, program, running, stages, start_backends,
                     thousand_keys)

# Naming a function turns the avalanche off, unless it is named too.
HASH_TYPES = {
    "haproxy-consistent": "consistent",
    "haproxy-consistent,hash=djb2,avalanche=off": "consistent djb2",
    "haproxy-consistent,hash=crc32,avalanche=on": "consistent crc32 avalanche",
    "haproxy-map": "map-based",
    "haproxy-map,hash=wt6,avalanche=on": "map-based wt6 avalanche",
}

DEFAULTS = """
defaults
  mode http
  retries 0
  timeout connect 60s
  timeout client 60s
  timeout server 60s
"""

LISTEN = """
listen {name}
  bind unix@{folder}/{name}.sock
  balance hdr(X-Key)
  hash-type {hash_type}
{servers}
"""


def server(node):
    identity = f" id {node.fields['id']}" if "id" in node.fields else ""
    disabled = " disabled" if node.down else ""
    return f"  server {node.name} {node.fields['addr']} weight {node.weight}{identity}{disabled}"


def ask(folder, nodes, keys, hash_types):
    """The answers of one haproxy with these nodes: a list of the node of each key, for each of `hash_types`."""
    names = [f"listen{number}" for number in range(len(hash_types))]
    servers = "\n".join(map(server, nodes))
    sections = [LISTEN.format(folder=folder, name=name, hash_type=hash_type, servers=servers)
                for name, hash_type in zip(names, hash_types)]
    (folder / "haproxy.cfg").write_text(DEFAULTS + "".join(sections))
    sockets = [folder / f"{name}.sock" for name in names]
    name_of = {node.fields["addr"]: node.name for node in nodes}
    with running([program("haproxy"), "-db", "-f", folder / "haproxy.cfg"], folder, answers_on(*sockets)):
        return [[name_of[address] for address in ask_over_http(path, keys)] for path in sockets]


def test_haproxy(test):
    program("haproxy")
    keys = thousand_keys()
    backends = start_backends(HttpBackend, [("127.0.0.1", 0)] * 6)
    # A server without an id takes the number of its line, or the next that no server anywhere names as its own. When s2
    # leaves, s3 becomes 2; s5 moves to line 4, but that number is s6's, and so it stays 5.
    fields = [{}, {}, {}, {"id": 20}, {}, {"id": 4}]
    nodes = [Node(f"s{number}", weight, {**more, "addr": address})
             for number, (weight, more, address) in enumerate(zip([2, 4, 6, 10, 2, 8], fields, backends), start=1)]
    for what, some in stages(nodes, leaving=1, can_be_down=True):
        for profile, answers in zip(HASH_TYPES, ask(test.folder(), some, keys, HASH_TYPES.values())):
            test.compare_nodes(what, profile, some, keys, answers)


if __name__ == "__main__":
    main(test_haproxy)
