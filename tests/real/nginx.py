"""chash against nginx: hash (consistent or not) and ip_hash."""

import ipaddress
import random

from harness import (HttpBackend, Node, answers_on, ask_over_http, main, program, running, stages, start_backends,
                     thousand_keys)

METHODS = {
    "nginx-hash-consistent": "hash $http_x_key consistent;",
    "nginx-hash": "hash $http_x_key;",
    "nginx-ip-hash": "ip_hash;",
}

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  keepalive_requests 1000000;
  proxy_next_upstream off;  # an error is to be seen, not to be sent elsewhere
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  # ip_hash sees the address that the test gives its client.
  set_real_ip_from unix:;
  real_ip_header X-Key;
{upstreams}
}}
"""

UPSTREAM = """
  upstream {name} {{
    {method}
{servers}
  }}
  server {{
    listen unix:{folder}/{name}.sock;
    location / {{ proxy_pass http://{name}; }}
  }}
"""


def configuration(folder, nodes):
    servers = "\n".join(f"    server {n.name} weight={n.weight}{' down' if n.down else ''};" for n in nodes)
    upstreams = "".join(UPSTREAM.format(folder=folder, name=name, method=method, servers=servers)
                        for name, method in METHODS.items())
    return CONFIGURATION.format(folder=folder, upstreams=upstreams)


def ask(folder, nodes, keys_of):
    """The answers of one nginx with these nodes: {profile: [node of each key]}."""
    (folder / "nginx.conf").write_text(configuration(folder, nodes))
    sockets = {profile: folder / f"{profile}.sock" for profile in METHODS}
    arguments = [program("nginx"), "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"]
    with running(arguments, folder, answers_on(*sockets.values())):
        return {profile: ask_over_http(path, keys_of[profile]) for profile, path in sockets.items()}


def thousand_addresses():
    chosen = random.Random(20261123)
    fours = [ipaddress.IPv4Address(chosen.getrandbits(32)) for _ in range(800)]
    sixes = [ipaddress.IPv6Address(chosen.getrandbits(128)) for _ in range(200)]
    return [str(address).encode() for address in fours + sixes]


def test_nginx(test):
    program("nginx")
    keys_of = {profile: thousand_keys() for profile in METHODS}
    keys_of["nginx-ip-hash"] = thousand_addresses()
    backends = start_backends(HttpBackend, [("127.0.0.1", 0)] * 5)
    nodes = [Node(*each) for each in zip(backends, [1, 2, 5, 1, 3])]
    for what, some in stages(nodes, leaving=1, can_be_down=True):
        for profile, answers in ask(test.folder(), some, keys_of).items():
            test.compare_nodes(what, profile, some, keys_of[profile], answers)


if __name__ == "__main__":
    main(test_nginx)
