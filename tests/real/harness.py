"""What the tests here share: programs in a scratch folder, the keys, backends that say who they are, and asking chash.

Nothing sleeps for a fixed time: what is waited for is asked for again and again, until `WATCHDOG`, which only a hang
reaches. Everything listens on a Unix socket in the scratch folder or on a free port of loopback.
"""

import contextlib
import http.client
import os
import pathlib
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace

WATCHDOG = 120  # seconds
SKIPPED = 77  # the SKIP_RETURN_CODE of CMakeLists.txt


class NotInstalled(Exception):
    pass


class StartFailed(Exception):
    pass


# --- Keys -------------------------------------------------------------------------------------------------------------


def thousand_keys():
    """The same 1,000 keys always. No blanks, control bytes or commas, at most 250 bytes: every program takes them."""
    chosen = random.Random(20261123)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    printable = [chr(c) for c in range(0x21, 0x7F) if chr(c) != ","]
    scripts = ["éèüßñøåç", "абвгдежзиклмн", "αβγδεζηθ", "中文键值哈希环", "かなカナ", "مفتاح", "🦀🐍🚀🔑"]

    def word(alphabet, least, most):
        return "".join(chosen.choices(alphabet, k=chosen.randint(least, most)))

    def key(number):
        kind = number % 5
        if kind == 0:
            return f"user:{number}"
        if kind == 1:
            return "/" + "/".join(word(letters, 1, 12) for _ in range(chosen.randint(1, 6))) + f"?page={number}"
        if kind == 2:
            return word(chosen.choice(scripts), 1, 20) + "-" + word(chosen.choice(scripts), 1, 20)
        if kind == 3:  # hash tags of every shape; to a program without them, just punctuation
            shape = chosen.choice(["{%s}:%s", "%s{%s}", "{}{%s}%s", "{{%s}}%s", "%s}{%s", "{%s%s"])
            return shape % (word(letters, 1, 8), word(letters, 1, 8))
        return word(printable, 200, 250)

    keys = [key(number).encode() for number in range(1000)]
    assert len(set(keys)) == len(keys) and max(map(len, keys)) <= 250
    return keys


# --- Nodes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """One line of a nodes file: name, weight (1 where it is left out), field=value..."""

    name: str
    weight: int = 1
    fields: dict = field(default_factory=dict)

    @property
    def down(self):
        return self.fields.get("state") == "down"

    def line(self):
        weight = [] if self.weight == 1 else [str(self.weight)]
        return " ".join([self.name] + weight + [f"{name}={value}" for name, value in self.fields.items()])


def stages(nodes, leaving, can_be_down=False):
    """(what, nodes): all of them; without the one at index `leaving`; and, where that is possible, with it down."""
    yield f"{len(nodes)} nodes", nodes
    yield f"after {nodes[leaving].name} left", nodes[:leaving] + nodes[leaving + 1 :]
    if can_be_down:
        down = replace(nodes[leaving], fields={**nodes[leaving].fields, "state": "down"})
        yield f"while {down.name} is down", nodes[:leaving] + [down] + nodes[leaving + 1 :]


# --- Programs ---------------------------------------------------------------------------------------------------------


def program(name):
    """The program's path. Debian keeps servers in sbin, which the PATH of a user may lack."""
    path = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if path is None:
        raise NotInstalled(name)
    return path


@contextlib.contextmanager
def running(arguments, folder, ready, environment=None):
    """Runs a program in `folder` while the block lasts, which begins once `ready` does not throw OSError any more.

    setpriv makes the kernel end the program with this process, if that is killed.
    """
    log = folder / "output.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *map(str, arguments)], cwd=folder, start_new_session=True,
            env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(f"{arguments[0]} answers", ready, process)
        yield process
        if process.poll() is not None:
            raise RuntimeError(f"{arguments[0]} has ended by itself, with status {process.returncode}.")
    except BaseException:
        print(f"What {arguments[0]} last wrote:\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(what, ready, process=None):
    """Calls `ready` until it neither throws OSError nor says False; gives back what it said."""
    deadline = time.monotonic() + WATCHDOG
    while True:
        if process is not None and process.poll() is not None:
            raise StartFailed(f"The program ended with status {process.returncode} before this: {what}.")
        problem = "it said no"
        try:
            answer = ready()
            if answer is not False:
                return answer
        except OSError as error:
            problem = error
        if time.monotonic() > deadline:
            raise RuntimeError(f"This never came, within {WATCHDOG} s: {what} ({problem}).")
        time.sleep(0.01)


def start_on_free_port(stack, start, and_also=0):
    """Enters start(port) on the ExitStack; with another port if somebody else was faster to take this one."""
    for attempts_left in reversed(range(5)):
        try:
            return stack.enter_context(start(free_port(and_also)))
        except StartFailed:
            if attempts_left == 0:
                raise


def free_port(and_also=0):
    """A port that is free, and so is port + and_also. Not one of those that the kernel hands out by itself."""
    while True:
        port = random.SystemRandom().randint(10_000, 22_000)
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", port))
            if and_also:
                second.bind(("127.0.0.1", port + and_also))
            return port


def loopback_address():
    """Some address of loopback that nobody uses, for the tests that need port 11211 itself."""
    return "127.{}.{}.{}".format(*(random.SystemRandom().randint(1, 254) for _ in range(3)))


# --- Backends ---------------------------------------------------------------------------------------------------------


class HttpBackend(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                if line == b"\r\n":  # GET has no body: the request ends here
                    name = self.server.name.encode()
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))


class RedisBackend(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                for _ in range(int(line[1:])):
                    self.rfile.read(int(self.rfile.readline()[1:]) + 2)
                name = self.server.name.encode()
                self.wfile.write(b"$%d\r\n%s\r\n" % (len(name), name))


def start_backends(handler, addresses):
    """Servers that answer everything with their own ADDRESS:PORT, until this process ends. Returns what they answer."""
    names = []
    for address in addresses:
        server = socketserver.ThreadingTCPServer(address, handler)
        server.daemon_threads = True
        server.name = "{}:{}".format(*server.server_address)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        names.append(server.name)
    return names


# --- Asking -----------------------------------------------------------------------------------------------------------


def connect_unix(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(WATCHDOG)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def answers_on(*paths):
    """For running(): whether somebody listens on all these Unix sockets."""
    return lambda: [connect_unix(path).close() for path in paths]


def ask_over_http(path, keys):
    """What GET / with the key in X-Key answers on the Unix socket `path`, key by key on one connection."""
    connection = http.client.HTTPConnection("localhost")
    connection.auto_open = False
    connection.sock = connect_unix(path)
    answers = []
    with contextlib.closing(connection):
        for key in keys:
            connection.request("GET", "/", headers={"X-Key": key})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise RuntimeError(f"HTTP status {response.status} for the key {key!r}.")
            answers.append(body.decode())
    return answers


class Redis:
    """A connection that speaks Redis' protocol."""

    def __init__(self, connection):
        self.connection = connection
        self.reader = connection.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.connection.close()

    def ask(self, *command):
        return self.ask_all([command])[0]

    def ask_all(self, commands):
        """Pipelined, some at a time. An error is an answer: it begins with '-'."""
        answers = []
        for start in range(0, len(commands), 50):
            some = commands[start : start + 50]
            self.connection.sendall(b"".join(map(self._encode, some)))
            answers += [self._read() for _ in some]
        return answers

    @staticmethod
    def _encode(command):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    def _read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("The connection was closed in the middle of an answer.")
        kind, text = line[:1], line[1:-2]
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == b"-1" else self.reader.read(int(text) + 2)[:-2].decode()
        if kind == b"*":
            return [self._read() for _ in range(int(text))]
        return (text if kind == b"+" else kind + text).decode()


# --- The test ---------------------------------------------------------------------------------------------------------


class Test:
    def __init__(self, chash, scratch):
        self.chash = chash
        self.scratch = pathlib.Path(scratch).resolve()
        self.folders = 0
        self.compared = 0
        self.disagreed = 0

    def folder(self):
        """A new one, for one process."""
        self.folders += 1
        path = self.scratch / str(self.folders)
        path.mkdir()
        return path

    def compare_nodes(self, what, profile, nodes, keys, answers):
        """Says whether chash, without any daemon, answers as the program did. `answers`: its node of each key."""
        unused = {node.name for node in nodes if not node.down} - set(answers)
        assert not unused, f"{what}: the comparison would show little, as no key goes to {sorted(unused)}."
        self.compare(what, profile, nodes, keys, answers, options=[])

    def compare(self, what, profile, nodes, keys, answers, options):
        assert len(keys) == len(answers), f"{what}: {len(keys)} keys have {len(answers)} answers."
        self.compared += 1
        lines = "".join(node.line() + "\n" for node in nodes)
        file = self.scratch / "nodes"
        file.write_text(lines)
        command = [self.chash, "get-node", "--profile", profile, "--nodes-file", str(file),
                   "--key-format", "hex", "--no-key", *options, "-"]
        # No settings of the person who runs this, and no daemon to ask.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHASH_")}
        environment["CHASH_SOCKET"] = str(self.scratch / "no-daemon")
        done = subprocess.run(command, input="".join(key.hex() + "\n" for key in keys), env=environment, text=True,
                              capture_output=True, timeout=WATCHDOG, check=False)
        told = done.stdout.splitlines()
        wrong = [(key, wanted, got) for key, wanted, got in zip(keys, answers, told) if wanted != got]
        if done.returncode == 0 and len(told) == len(keys) and not wrong:
            print(f"{what}, {profile}: {len(keys)} keys agree.")
            return
        self.disagreed += 1
        print(f"{what}, {profile}: {len(wrong)} of {len(keys)} keys disagree.")
        for key, wanted, got in wrong[:5]:
            print(f"  {key.decode(errors='replace')!r} ({key.hex()}): the program says {wanted}, chash says {got}.")
        if done.returncode != 0 or len(told) != len(keys):
            print(f"  chash ended with status {done.returncode} after {len(told)} lines, and wrote:")
            print(done.stderr[-4000:])
        print(f"  It was asked by: {' '.join(command)}\n  with this nodes file:\n{lines}")


def main(body):
    """Runs body(test, ARGUMENT...) as `MODULE.py CHASH ARGUMENT...`, and ends with the status that CTest expects."""
    chash, *arguments = sys.argv[1:]
    sys.stdout.reconfigure(errors="backslashreplace")  # keys are printed, in whatever locale
    with tempfile.TemporaryDirectory(prefix="chash-real-") as scratch:
        test = Test(chash, scratch)
        try:
            body(test, *arguments)
        except NotInstalled as missing:
            print(f"not run: {missing} is not installed")
            sys.exit(SKIPPED)
    if test.disagreed:
        sys.exit(f"{test.disagreed} of {test.compared} comparisons disagree.")
    if not test.compared:
        sys.exit("Nothing was compared.")
    print(f"All {test.compared} comparisons agree.")
