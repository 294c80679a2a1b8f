"""chash against libmemcached: which of several memcacheds a key is in, after libmemcached stored it."""

import contextlib
import os
import socket
import subprocess

from harness import WATCHDOG, Node, NotInstalled, loopback_address, main, program, running, stages, thousand_keys

PROFILES = {
    "libmemcached-ketama-weighted": ["ketama-weighted", "default"],
    "libmemcached-ketama": ["ketama", "default"],
    "libmemcached-ketama,hash=murmur": ["ketama", "murmur"],
    "libmemcached-modula": ["modula", "default"],
    "libmemcached-modula,hash=crc": ["modula", "crc"],
}


def start_memcached(stack, folder, host="127.0.0.1", port=-1):
    """Port -1: memcached takes a free one and says which in a file."""
    said = folder / "port"
    arguments = [program("memcached"), "-l", host, "-p", port, "-U", 0, "-m", 16, "-t", 1]
    if os.geteuid() == 0:
        arguments += ["-u", "root"]

    def ready():
        for line in said.read_text().splitlines():
            if line.startswith("TCP INET: "):
                socket.create_connection((host, int(line.split()[-1])), timeout=WATCHDOG).close()
                return True
        return False

    stack.enter_context(running(arguments, folder, ready, {"MEMCACHED_PORT_FILENAME": str(said)}))
    return f"{host}:{said.read_text().split()[-1]}"


def keys_in(name, keys, value):
    """Those of the keys that the memcached has, with this value."""
    host, port = name.rsplit(":", 1)
    found = set()
    connection = socket.create_connection((host, int(port)), timeout=WATCHDOG)
    with connection, connection.makefile("rb") as reader:
        for key in keys:
            connection.sendall(b"get %s\r\n" % key)
            line = reader.readline()
            if line.startswith(b"VALUE "):
                if reader.readline() == value + b"\r\n":
                    found.add(key)
                line = reader.readline()
            if line != b"END\r\n":
                raise RuntimeError(f"memcached answers {line!r} to a get of {key!r}.")
    return found


def ask(libmemcached_ask, mode, nodes, keys, value):
    """The node of each key, once libmemcached has stored them all with a value that was not there before."""
    servers = [f"{node.name}:{node.weight}" for node in nodes]
    lines = "".join(key.hex() + "\n" for key in keys)
    subprocess.run([libmemcached_ask, *mode, value, *servers], input=lines, text=True, timeout=WATCHDOG, check=True)
    node_of = {}
    for node in nodes:
        for key in keys_in(node.name, keys, value.encode()):
            if key in node_of:
                raise RuntimeError(f"{key!r} is in both {node_of[key]} and {node.name}.")
            node_of[key] = node.name
    return [node_of[key] for key in keys]


def test_libmemcached(test, libmemcached_ask=None):
    program("memcached")
    if not libmemcached_ask:
        raise NotInstalled("libmemcached-dev")
    keys = thousand_keys()
    with contextlib.ExitStack() as stack:
        # Port 11211 is left out of what is hashed.
        names = [start_memcached(stack, test.folder()) for _ in range(4)]
        names.insert(2, start_memcached(stack, test.folder(), loopback_address(), 11211))
        for number, (profile, mode) in enumerate(PROFILES.items()):
            # A weight would make the points of plain ketama weighted.
            weights = [1] * 5 if mode[0] == "ketama" else [1, 2, 5, 1, 3]
            for what, nodes in stages([Node(*each) for each in zip(names, weights)], leaving=1):
                answers = ask(libmemcached_ask, mode, nodes, keys, f"{number}-{len(nodes)}")
                test.compare_nodes(what, profile, nodes, keys, answers)


if __name__ == "__main__":
    main(test_libmemcached)
