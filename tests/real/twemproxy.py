"""chash against twemproxy (nutcracker): ketama and modula, with hash tags and without."""

import contextlib

from harness import (Node, Redis, RedisBackend, answers_on, connect_unix, loopback_address, main, program, running,
                     stages, start_backends, start_on_free_port, thousand_keys)

POOLS = {
    "twemproxy-ketama": {"distribution": "ketama", "hash": "fnv1a_64"},
    "twemproxy-ketama,hash=md5": {"distribution": "ketama", "hash": "md5"},
    "twemproxy-ketama,hash=murmur,hash_tag={}": {"distribution": "ketama", "hash": "murmur", "hash_tag": '"{}"'},
    "twemproxy-modula": {"distribution": "modula", "hash": "fnv1a_64"},
    "twemproxy-modula,hash=crc16,hash_tag={}": {"distribution": "modula", "hash": "crc16", "hash_tag": '"{}"'},
}


def pool(name, path, settings, nodes):
    settings = {"listen": path, "redis": "true", "auto_eject_hosts": "false", **settings}
    lines = [f"{name}:"] + [f"  {setting}: {value}" for setting, value in settings.items()] + ["  servers:"]
    lines += [f"   - {node.name}:{node.weight} {node.fields.get('alias', '')}".rstrip() for node in nodes]
    return "\n".join(lines) + "\n"


def ask(folder, nodes, keys, pools):
    """The answers of one nutcracker with these nodes: a list of the node of each key, for each of `pools`."""
    sockets = [folder / f"pool{number}.sock" for number in range(len(pools))]
    configuration = "".join(pool(path.stem, path, settings, nodes) for path, settings in zip(sockets, pools))
    (folder / "nutcracker.yml").write_text(configuration)

    def start(statistics_port):
        arguments = [program("nutcracker"), "-c", folder / "nutcracker.yml", "-p", folder / "nutcracker.pid",
                     "-o", folder / "output.log", "-a", "127.0.0.1", "-s", statistics_port]
        return running(arguments, folder, answers_on(*sockets))

    with contextlib.ExitStack() as stack:
        start_on_free_port(stack, start)
        clients = [stack.enter_context(Redis(connect_unix(path))) for path in sockets]
        return [client.ask_all([("GET", key) for key in keys]) for client in clients]


def test_twemproxy(test):
    program("nutcracker")
    keys = thousand_keys()
    # Port 11211 is left out of what is hashed. Lengths of the names differ, as servers are sorted by them first.
    addresses = [("127.0.0.1", 0), (loopback_address(), 11211), ("127.0.0.1", 0), ("127.0.0.1", 0), ("127.0.0.1", 0)]
    backends = start_backends(RedisBackend, addresses)
    fields = [{}, {}, {"alias": "zz"}, {"alias": "cache-four.example.net"}, {"alias": "aa"}]
    nodes = [Node(*each) for each in zip(backends, [1, 2, 5, 1, 3], fields)]
    for what, some in stages(nodes, leaving=3):
        for profile, answers in zip(POOLS, ask(test.folder(), some, keys, POOLS.values())):
            test.compare_nodes(what, profile, some, keys, answers)


if __name__ == "__main__":
    main(test_twemproxy)
