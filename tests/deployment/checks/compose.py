"""compose.yaml, the Dockerfile, and what belongs to them."""

import base64
import os
import pathlib
import re
import stat
import tempfile

from .tree import ASK_NOBODY, REPOSITORY, cargo, check, command_line, default_of, not_private, ours, run, settings, tool

# A version with a patch number; Debian's point releases have two numbers and no more.
PINNED = re.compile(r"^(?!.*:latest)[\w./-]+:(v?\d+\.\d+\.\d+[\w.-]*|(?<=debian:)\d+\.\d+-slim)(@sha256:[0-9a-f]{64})?$")
SECRET = re.compile(r"PASSWORD|_PASS$|MASTER_KEY|REPLICA_KEY|SECRET|TOKEN")
ONCE = "no"  # `restart: "no"`: runs once, or when it is called


def images(tree):
    """(where, image) of everything that is run or built upon."""
    for name, service in tree.services.items():
        yield f"compose.yaml, {name}", default_of(service["image"])
    for line in tree.text("compose/Dockerfile").splitlines():
        if line.startswith("FROM "):
            yield "compose/Dockerfile", line.split()[1]
    for name in tree.files():
        if name.startswith("kubernetes/") and name.endswith(".yaml"):
            for image in re.findall(r"^\s*-?\s*image: *(\S+)", tree.text(name), re.MULTILINE):
                yield name, image


@check("compose.yaml is what the compose specification asks for")
def specification(tree):
    schema = tool("check-jsonschema")
    if not schema:
        yield "check-jsonschema is not installed"
        return
    fine, said = run(schema, "--builtin-schema", "vendor.compose-spec", tree.path("compose/compose.yaml"))
    if not fine:
        yield said


@check("every image is pinned to a patch version, the same one everywhere")
def pinned(tree):
    tags = {}
    for where, image in images(tree):
        if not PINNED.match(image):
            yield f"{where}: {image} is not pinned"
            continue
        repository, _, tag = image.partition(":")
        if tags.setdefault(repository, (tag, where))[0] != tag:
            yield f"{where}: {image}, but {tags[repository][0]} in {tags[repository][1]}"
        if repository == "eventflow" and tag != cargo()["version"]:
            yield f"{where}: {image}, but the workspace's version is {cargo()['version']}"


@check("compose.yaml declares all networks, volumes, services and files that it uses, and uses all that it declares")
def declared(tree):
    services = tree.services
    for kind in ("networks", "volumes"):
        known, used = set(tree.compose.get(kind) or {}), set()
        for name, service in services.items():
            for entry in ours(service.get(kind)):
                source = entry if isinstance(entry, str) else entry.get("source", "")
                source = source.split(":")[0]
                if kind == "volumes" and source.startswith((".", "/")):
                    if not (tree.path("compose") / source).exists():
                        yield f"{name}: the file {source} is not there"
                    continue
                used.add(source)
                if source not in known:
                    yield f"{name}: {kind[:-1]} {source} is not declared"
        yield from (f"{kind[:-1]} {name} is declared and not used" for name in sorted(known - used))
    for kind in ("secrets", "configs"):
        known = set(tree.compose.get(kind) or {})
        for name, service in services.items():
            for entry in ours(service.get(kind)):
                source = entry if isinstance(entry, str) else entry["source"]
                if source not in known:
                    yield f"{name}: {kind[:-1]} {source} is not declared"
    for name, service in services.items():
        for other, how in (service.get("depends_on") or {}).items():
            if other not in services:
                yield f"{name}: depends on {other}, which is not there"
            elif how["condition"] == "service_healthy" and services[other].get("healthcheck", {}).get("disable"):
                yield f"{name}: waits for the health of {other}, which has no health check"
            elif how["condition"] == "service_completed_successfully" and services[other].get("restart") != ONCE:
                yield f"{name}: waits for the end of {other}, which is restarted for ever"


@check("every service has a health check, a restart policy, limits, bounded logs and no privileges")
def careful(tree):
    for name, service in tree.services.items():
        once = service.get("restart") == ONCE
        health = service.get("healthcheck") or {}
        if not once and (health.get("disable") or not health.get("test")):
            yield f"{name} has no health check"
        for part in () if once else ("interval", "timeout", "retries", "start_period"):
            if part not in health:
                yield f"{name}: the health check has no {part}"
        if service.get("restart") not in ("unless-stopped", "always", ONCE):
            yield f"{name} has no restart policy"
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        yield from (f"{name} has no limit of {what}" for what in ("cpus", "memory") if what not in limits)
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name} keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may gain privileges"
        if service.get("privileged") or service.get("network_mode") == "host":
            yield f"{name} is privileged"
        if "max-size" not in service.get("logging", {}).get("options", {}):
            yield f"{name}: its log may grow for ever"
        if not once and "stop_grace_period" not in service:
            yield f"{name} has no stop_grace_period"
        if service["image"].startswith("eventflow:") and not service.get("read_only"):
            yield f"{name} may write to its image"


@check("what is published is published on this machine only, and the servers' network has no way out")
def private(tree):
    for name, service in tree.services.items():
        for port in service.get("ports", []):
            if not default_of(port).startswith("127.0.0.1:"):
                yield f"{name}: {port} is open to other machines"
    if not (tree.compose["networks"].get("back") or {}).get("internal"):
        yield "the network `back` is not internal"
    for name in ("mongodb", "redis"):
        if tree.services[name].get("ports") or tree.services[name]["networks"] != ["back"]:
            yield f"{name} is reachable from outside of `back`"


def optional(tree):
    """Variables that .env.example only mentions: most of the time nobody sets them."""
    return set(re.findall(r"^# ([A-Z_]+)=$", tree.text("compose/.env.example"), re.MULTILINE))


@check("no file holds a secret, and what holds secrets is ignored by git")
def no_secret(tree):
    for name in tree.files():
        if name.endswith("definitions.json") and '"users"' in tree.text(name):
            yield f"{name} has users"
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            where = f"{name}:{number}"
            for password in re.findall(r"\w+://[^\s:/@]*:([^\s/@]+)@", line):
                if not re.match(r"^(\$|\{|<|\.\.\.|…|PASSWORD$)", password):
                    yield f"{where}: a password in a URL"
            if re.search(r"(?<![\w/+])[A-Za-z0-9+/]{43}=(?!\w)", line):
                yield f"{where}: 32 bytes in base64"
            if "BEGIN " in line and "PRIVATE KEY" in line:
                yield f"{where}: a private key"
            if re.match(r"^kind: Secret\b", line):
                yield f"{where}: a Secret"
    for line in tree.text("compose/.env.example").splitlines():
        name, _, value = line.partition("=")
        if not line.startswith("#") and SECRET.search(name) and value:
            yield f".env.example: {name} has a value"
    for name, service in tree.services.items():
        for variable, value in (service.get("environment") or {}).items():
            if SECRET.search(variable) and not re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", str(value)):
                if variable not in optional(tree) or value != "${%s:-}" % variable:
                    yield f"{name}: {variable} is not taken from .env, or may be empty"
    for ignore, what in (("compose/.gitignore", "/.env"), ("kubernetes/overlays/try-out/.gitignore", "/eventflow.env")):
        if what not in tree.text(ignore).splitlines():
            yield f"{ignore} does not name {what}"


@check("compose.yaml and .env.example name the same variables")
def variables(tree):
    text = re.sub(r"^\s*#.*$", "", tree.text("compose/compose.yaml"), flags=re.MULTILINE)
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    given = set(re.findall(r"^([A-Z_]+)=", tree.text("compose/.env.example"), re.MULTILINE)) | optional(tree)
    yield from (f"{name} is used and not in .env.example" for name in sorted(used - given))
    yield from (f"{name} is in .env.example and not used" for name in sorted(given - used))


@check("every EVENTFLOW_ variable is a setting of the program")
def known_settings(tree):
    allowed = settings() | {"EVENTFLOW_TOOLS", "EVENTFLOW_TOKEN"}  # for the checks; for `bench`
    for name in tree.files():
        for variable in sorted(set(re.findall(r"\bEVENTFLOW_[A-Z0-9_]*[A-Z0-9]\b", tree.text(name)))):
            if variable not in allowed:
                yield f"{name}: {variable} is no setting"
    for name, service in tree.services.items():
        if service["image"].startswith("eventflow:") and name != "gateway":
            wanted = {"EVENTFLOW_LISTEN", "EVENTFLOW_TRUSTED_PROXIES", "EVENTFLOW_MASTER_KEY", "EVENTFLOW_LANES",
                      "EVENTFLOW_RATE_LIMIT", "EVENTFLOW_RETENTION_MONTHS"}
            wanted |= {f"EVENTFLOW_{server}_URL" for server in ("EVENTSTORE", "RABBITMQ", "MONGODB", "REDIS", "PAYMENTS")}
            yield from (f"{name} is not given {missing}" for missing in sorted(wanted - set(service["environment"])))


@check("only what asks nobody who they are trusts its network, and only private networks are believed about callers")
def trust(tree):
    for name, service in tree.services.items():
        if not service["image"].startswith("eventflow:"):
            continue
        environment = service["environment"]
        nobody = service["command"][0] in ASK_NOBODY
        if ("EVENTFLOW_TRUST_NETWORK" in environment) != nobody:
            yield f"{name}: EVENTFLOW_TRUST_NETWORK is {'missing' if nobody else 'for what asks nobody who they are'}"
        given = environment.get("EVENTFLOW_TRUSTED_PROXIES")
        if (given is None) != nobody:
            yield f"{name}: EVENTFLOW_TRUSTED_PROXIES is {'for what counts callers' if nobody else 'missing'}"
        yield from (f"{name}: {problem}" for problem in not_private(given.split(",") if given else []))
        if nobody and not all((tree.compose["networks"].get(each) or {}).get("internal") for each in service["networks"]):
            yield f"{name} asks nobody who they are and is in a network that is not internal"
    front = re.findall(r"set_real_ip_from ([^;]+);", default_of(tree.services["edge"]["environment"]["EDGE_PROXIES"]))
    if front != ["127.0.0.1"]:
        yield f"edge: there is nothing in front, and {front} is believed about callers"


@check("what is run are subcommands and roles of the program")
def commands(tree):
    known, roles = command_line(), {"command-side", "query-side", "projector", "orchestrator"}
    lines = [(f"compose.yaml, {name}", service["command"]) for name, service in tree.services.items()
             if service["image"].startswith("eventflow:")]
    for name in tree.files():
        if name.startswith("kubernetes/base/"):
            found = re.findall(r"image: eventflow:\S+\n\s+args: \[([^\]]*)\]", tree.text(name))
            lines += [(name, [part.strip() for part in args.split(",")]) for args in found]
    for where, words in lines:
        if words[0] != "--help" and words[0] not in known:
            yield f"{where}: `eventflow {words[0]}` is no subcommand"
        if words[0] == "serve":
            yield from (f"{where}: {role} is no role" for role in words[1:] if role not in roles)
    health = re.search(r'CMD \["eventflow", "(\w+)"', tree.text("compose/Dockerfile"))
    if not health or health.group(1) not in known:
        yield "the Dockerfile's health check is no subcommand"


@check("compose/init makes every secret once, for nobody else to read")
def secrets_are_made(tree):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder) / name for name in ("one", "two")]
        for file in files:
            fine, said = run(tree.path("compose/init"), file)
            if not fine:
                yield said
                return
        first, second = (dict(line.split("=", 1) for line in file.read_text().splitlines()) for file in files)
        if stat.S_IMODE(os.stat(files[0]).st_mode) != 0o600:
            yield "others may read the file"
        for name, value in first.items():
            if SECRET.search(name) and (len(value) < 32 or value == second[name]):
                yield f"{name} is short, or always the same"
        if len(base64.b64decode(first["EVENTFLOW_MASTER_KEY"])) != 32:
            yield "EVENTFLOW_MASTER_KEY is not 32 bytes"
        before = files[0].read_text()
        run(tree.path("compose/init"), files[0])
        if files[0].read_text() != before:
            yield "the second run changed what the first had made"


@check("the Dockerfile builds this workspace, runs as nobody, stops on SIGTERM and knows whether it is well")
def dockerfile(tree):
    text = tree.text("compose/Dockerfile")
    linter = tool("hadolint")
    fine, said = run(linter, tree.path("compose/Dockerfile")) if linter else (False, "hadolint is not installed")
    if not fine:
        yield said
    user = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    if not user or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user[-1]):
        yield "it does not end as a user with a number that is not root's"
    for line in ("STOPSIGNAL SIGTERM", "HEALTHCHECK ", "ENTRYPOINT [\"eventflow\"]", "--mount=type=cache", "--locked"):
        if line not in text:
            yield f"it has no {line.strip()}"
    rust = re.search(r"^FROM rust:(\d+\.\d+)", text, re.MULTILINE)
    if not rust or rust.group(1) != cargo()["rust"]:
        yield f"it does not build with Rust {cargo()['rust']}"
    if f'version="{cargo()["version"]}"' not in text:
        yield f"its label does not say version {cargo()['version']}"
    copied = {line.split()[1] for line in text.splitlines() if re.match(r"^COPY [a-z]", line)}
    allowed = {line[1:] for line in tree.text("compose/Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    for member in cargo()["members"]:
        if not any(member == part or member.startswith(part + "/") for part in copied):
            yield f"the workspace's member {member} is not copied"
    for part in sorted(copied | {"Cargo.toml", "Cargo.lock"}):
        if part not in allowed:
            yield f"{part} is copied, and Dockerfile.dockerignore keeps it out"


@check("what the READMEs link to is there")
def links(tree):
    for name in ("compose/README.md", "kubernetes/README.md"):
        for target, heading in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", tree.text(name)):
            # Outside of the two folders: in the repository, whose copy is not checked here.
            places = [(root / name).parent / target if target else root / name for root in (tree.root, REPOSITORY)]
            place = next((place for place in places if place.exists()), None)
            if place is None:
                yield f"{name}: {target} is not there"
            elif heading:
                titles = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.MULTILINE)
                if heading not in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}:
                    yield f"{name}: {target} has no heading {heading}"
