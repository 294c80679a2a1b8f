"""chash against a Redis cluster: the slot of each key, and the node that has it before and after slots have moved."""

import contextlib
import socket
import subprocess

from harness import WATCHDOG, Node, Redis, main, program, running, start_on_free_port, thousand_keys, wait_until

BUS = 10_000  # what Redis adds to a node's port for the cluster's own traffic


def connect(port, timeout=WATCHDOG):
    return Redis(socket.create_connection(("127.0.0.1", port), timeout))


def start_node(stack, folder):
    ports = []

    def ready():
        # Who answers may be somebody else, who was faster to take the port: with silence, or from another folder.
        with connect(ports[-1], timeout=1) as client:
            return client.ask("CONFIG", "GET", "dir") == ["dir", str(folder)]

    def start(port):
        ports.append(port)
        arguments = [program("redis-server"), "--bind", "127.0.0.1", "--port", port, "--cluster-enabled", "yes",
                     "--dir", folder, "--save", "", "--appendonly", "no"]
        return running(arguments, folder, ready)

    start_on_free_port(stack, start, and_also=BUS)
    return ports[-1]


def slot_ranges(client):
    """What CLUSTER SLOTS says: {node: [(first, last), ...]}."""
    ranges = {}
    for first, last, (host, port, *_), *_ in client.ask("CLUSTER", "SLOTS"):
        ranges.setdefault(f"{host}:{port}", []).append((first, last))
    return {name: sorted(ranges[name]) for name in sorted(ranges)}


def agreed_slot_ranges(clients):
    """The same, once every node says the same and the cluster serves all slots."""
    def ask():
        said = [slot_ranges(client) for client in clients]
        served = all("cluster_state:ok" in client.ask("CLUSTER", "INFO") for client in clients)
        return said[0] if served and said.count(said[0]) == len(said) else False

    return wait_until("all nodes of the cluster say the same", ask)


def owners(client, itself, keys):
    """Whom a GET of each key is sent to."""
    answers = client.ask_all([("GET", key) for key in keys])
    return [itself if answer is None else answer.split()[-1] for answer in answers]


def move(clients, ids, first, last, target):
    """Gives slots away, in which there are no keys. `target` has a higher epoch than their owner, so its claim wins."""
    for client in clients:
        answers = client.ask_all([("CLUSTER", "SETSLOT", slot, "NODE", ids[target]) for slot in range(first, last + 1)])
        if set(answers) != {"OK"}:
            raise RuntimeError(f"CLUSTER SETSLOT says {sorted(set(answers))}.")


def compare(test, what, clients, names, keys):
    ranges = agreed_slot_ranges(clients)
    nodes = [Node(name, fields={"slots": ",".join(f"{first}-{last}" for first, last in some)})
             for name, some in ranges.items()]
    test.compare_nodes(what, "redis-cluster", nodes, keys, owners(clients[-1], names[-1], keys))
    slots = clients[-1].ask_all([("CLUSTER", "KEYSLOT", key) for key in keys])
    test.compare(f"{what}: slots", "redis-cluster", nodes, keys, list(map(str, slots)), options=["--slot"])


def test_redis(test):
    program("redis-server")
    redis_cli = program("redis-cli")
    keys = thousand_keys()
    with contextlib.ExitStack() as stack:
        ports = [start_node(stack, test.folder()) for _ in range(3)]
        names = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run([redis_cli, "--cluster", "create", *names, "--cluster-replicas", "0", "--cluster-yes"],
                       stdout=subprocess.DEVNULL, timeout=WATCHDOG, check=True)
        clients = [stack.enter_context(connect(port)) for port in ports]
        compare(test, "3 nodes", clients, names, keys)

        # The first node's epoch is the lowest. Afterwards the last node has two ranges.
        ids = [client.ask("CLUSTER", "MYID") for client in clients]
        move(clients, ids, 0, 2730, target=2)
        move(clients, ids, 2731, 5460, target=1)
        compare(test, f"after {names[0]} left", clients, names, keys)


if __name__ == "__main__":
    main(test_redis)
