"""chash against the Python library uhashring: its own ring and the ketama one."""

import sys

from harness import Node, NotInstalled, main, stages, thousand_keys

del sys.path[0]  # this folder, where `uhashring` is this very file
try:
    from uhashring import HashRing
except ModuleNotFoundError:
    HashRing = None

SETTINGS = {"uhashring": {}, "uhashring-ketama": {"hash_fn": "ketama"}}


def answers_of(ring, keys):
    return [ring.get_node(key.decode()) for key in keys]


def test_uhashring(test):
    if HashRing is None:
        raise NotInstalled("python3-uhashring")
    keys = thousand_keys()
    names = ["cache-1", "10.0.0.2:11211", "[::1]:11211", "a", "cache-5.example.net"]
    nodes = [Node(*each) for each in zip(names, [1, 2, 5, 1, 3])]
    for profile, settings in SETTINGS.items():
        ring = HashRing({node.name: node.weight for node in nodes}, **settings)
        for what, some in stages(nodes, leaving=1):
            if len(some) < len(nodes):
                ring.remove_node(names[1])
            test.compare_nodes(what, profile, some, keys, answers_of(ring, keys))


if __name__ == "__main__":
    main(test_uhashring)
