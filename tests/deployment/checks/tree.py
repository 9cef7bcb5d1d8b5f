"""What is checked, and where the facts come from that it is checked against."""

import functools
import ipaddress
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
TOOLS = pathlib.Path(os.environ.get("EVENTFLOW_TOOLS") or pathlib.Path.home() / ".cache/eventflow-tools")
FOLDERS = ("compose", "kubernetes")
# The subcommands that listen and ask nobody who they are.
ASK_NOBODY = {"gateway", "eventstore"}
# Docker's own choice of networks and Kubernetes' usual ones: nobody outside has such an address.
PRIVATE = [ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

ALL = []  # (sentence, function), in the order in which they are declared


def check(sentence):
    """Registers a check: a function of a Tree that yields problems, one line each."""

    def register(function):
        ALL.append((sentence, function))
        return function

    return register


class Tree:
    """The deployment files, of the repository or of a copy that somebody has broken on purpose."""

    def __init__(self, root=REPOSITORY):
        self.root = pathlib.Path(root)

    def path(self, name):
        return self.root / name

    def text(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def yaml(self, name):
        return yaml.safe_load(self.text(name))

    def files(self):
        """All that is, or would be, in the repository: not what `init` makes."""
        made = {".env", "eventflow.env", "servers.env"}
        for folder in FOLDERS:
            for path in sorted(self.path(folder).rglob("*")):
                if path.is_file() and path.name not in made:
                    yield path.relative_to(self.root).as_posix()

    @functools.cached_property
    def compose(self):
        return self.yaml("compose/compose.yaml")

    @functools.cached_property
    def services(self):
        return self.compose["services"]

    def copy(self, to):
        for folder in FOLDERS:
            shutil.copytree(
                self.path(folder), pathlib.Path(to) / folder,
                ignore=shutil.ignore_patterns(".env", "eventflow.env", "servers.env", "backups"),
            )
        return Tree(to)

    @functools.cached_property
    def with_secrets(self):
        """A copy in which `init` has been run; gone with this process."""
        folder = tempfile.TemporaryDirectory(prefix="eventflow-deployment-")
        copy = self.copy(folder.name)
        copy.keep = folder
        run(copy.path("kubernetes/overlays/try-out/init"))
        return copy


def run(*command, cwd=None, stdin=None):
    """Runs it; returns (succeeded, all that it said)."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, input=stdin, text=True, capture_output=True, timeout=120
    )
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def tool(name):
    """A tool of the tools folder, else of the PATH; None when there is none."""
    own = TOOLS / "servers/bin" / name
    return own if own.exists() else shutil.which(name)


def default_of(text):
    """`${NAME:-default}` as its default, `${NAME:?…}` as NAME; what is no variable as it is."""
    text = re.sub(r"\$\{([A-Z_]+):\?[^}]*\}", r"\1", str(text))
    return re.sub(r"\$\{[A-Z_]+:?-([^}]*)\}", r"\1", text)


def not_private(networks):
    """What is wrong with the networks whose X-Forwarded-For is believed."""
    for text in networks:
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            yield f"{text} is no network"
            continue
        if not any(network.subnet_of(private) for private in PRIVATE):
            yield f"{text} is not a private network: strangers could say who they are"


def ours(values):
    """Flattens what YAML may hold as a list or as a mapping: names only."""
    return list(values or [])


# ── Facts from the Rust sources ──────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def rust_files():
    found = []
    for top in ("crates", "command-side", "query-side", "projector", "orchestrator"):
        found += [path for path in sorted((REPOSITORY / top).rglob("*.rs")) if "/target/" not in str(path)]
    return [(path, path.read_text(encoding="utf-8")) for path in found]


@functools.cache
def settings():
    """Every variable that the program takes: declared in `settings!`, and the one that names the file."""
    folder = REPOSITORY / "crates/eventflow/src/settings"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.rs")))
    block = text[text.index("\nsettings! {"):]
    names = re.findall(r"^    ([a-z][a-z0-9_]*): [^=\n]+ = \"", block, re.MULTILINE)
    return {f"EVENTFLOW_{name.upper()}" for name in names} | {"EVENTFLOW_CONFIG"}


@functools.cache
def metrics():
    """name → kind, of every metric that the program counts, and the names of all labels."""
    kinds, labels = {}, set()
    for _, text in rust_files():
        for kind, rest in re.findall(r"\b(counter|gauge|histogram)!\(\s*([^;]*?)\)", text, re.DOTALL):
            name = re.match(r'"(eventflow_[a-z0-9_]+)"', rest)
            if name:
                kinds[name.group(1)] = kind
                labels |= set(re.findall(r'"([a-z_]+)"\s*=>', rest))
        # Labels that are gathered in a slice first.
        labels |= set(re.findall(r'\("([a-z_]+)", (?:method|route|status)\.to_', text))
    return kinds, labels


@functools.cache
def routes(of=""):
    """Every path that is routed in the program, or in the files whose names end so."""
    return {path for file, text in rust_files() if str(file).endswith(of)
            for path in re.findall(r'"(/[a-z][a-zA-Z0-9_/{}.-]*)"', text)}


@functools.cache
def command_line():
    """The subcommands, as they are typed."""
    text = (REPOSITORY / "crates/eventflow/src/cli.rs").read_text(encoding="utf-8")
    body = text[text.index("pub enum Command {"):]
    body = body[: body.index("\n}")]
    names = re.findall(r"^    ([A-Z][A-Za-z]+) ?[({,]", body, re.MULTILINE)
    names += re.findall(r"^    ([A-Z][A-Za-z]+),?$", body, re.MULTILINE)
    return {re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower() for name in names}


@functools.cache
def cargo():
    """The workspace: version, version of Rust, members."""
    text = (REPOSITORY / "Cargo.toml").read_text(encoding="utf-8")
    return {
        "version": re.search(r'^version = "([^"]+)"', text, re.MULTILINE).group(1),
        "rust": re.search(r'^rust-version = "([^"]+)"', text, re.MULTILINE).group(1),
        "members": re.findall(r'"([^"]+)"', text[text.index("members = ["): text.index("]", text.index("members = ["))]),
    }


@functools.cache
def codes():
    """codigo → (status, title), from the one table of them."""
    text = (REPOSITORY / "crates/web/src/codes.rs").read_text(encoding="utf-8")
    statuses = {"BAD_REQUEST": 400, "NOT_FOUND": 404, "PAYLOAD_TOO_LARGE": 413, "SERVICE_UNAVAILABLE": 503}
    rows = re.findall(r'^    [A-Z]\w+ "([A-Z_]+)" ([A-Z_]+) "([^"]+)";', text, re.MULTILINE)
    return {code: (statuses.get(status), title) for code, status, title in rows}
