"""nginx: the template renders, and a real nginx with it sends requests where they belong."""

import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from .tree import check, codes, run

TEMPLATE = "compose/nginx/nginx.conf.template"
PROXY = "127.0.0.2"  # what stands in front of nginx and is believed about callers


@check("compose, Kubernetes and `render` set every variable of the nginx template, and no other")
def variables(tree):
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", tree.text(TEMPLATE)))
    from_image = {"NGINX_LOCAL_RESOLVERS"}  # exported by the image's entrypoint
    config = next(part for part in tree.text("kubernetes/base/edge.yaml").split("\n---\n") if "kind: ConfigMap" in part)
    places = {
        "compose.yaml": set(tree.services["edge"]["environment"]),
        "kubernetes/base/edge.yaml": set(re.findall(r"^  ([A-Z_]+):", config, re.MULTILINE)),
        "compose/nginx/render": set(re.findall(r"\b((?:EDGE|NGINX)_[A-Z_]+)=", tree.text("compose/nginx/render"))) - from_image,
    }
    for place, given in places.items():
        yield from (f"{place}: {name} is not set" for name in sorted(wanted - from_image - given))
        yield from (f"{place}: {name} is in no template" for name in sorted(given - wanted) if name.startswith("EDGE_"))


@check("what nginx says itself is what the program would say: same code, title, status and page")
def problems(tree):
    bodies = re.findall(r"return (\d+) '(\{\"type\".*?\})';", tree.text(TEMPLATE))
    if len(bodies) < 4:
        yield "there are fewer than four problem documents"
    for status, body in bodies:
        problem = json.loads(body)
        known = codes().get(problem["codigo"])
        if known != (int(status), problem["title"]) or problem["status"] != int(status):
            yield f"{problem['codigo']}: status or title are not those of crates/web/src/codes.rs"
        if problem["type"] != f"/docs/errors/{problem['codigo']}" or set(problem) != {"type", "title", "status", "detail", "codigo"}:
            yield f"{problem['codigo']}: the members are not those of the API"


class Node(http.server.BaseHTTPRequestHandler):
    """A node that says which side it is and what it was asked."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path))
        if self.server.side == "standby":
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        if self.server.dies and self.command == "POST":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.command == "GET" and self.path.endswith("/cambios"):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for number, go_on in enumerate(self.server.steps, 1):
                self.wfile.write(b"9\r\ndata: %d\n\n\r\n" % number)
                self.wfile.flush()
                go_on.wait(10)
            self.wfile.write(b"0\r\n\r\n")
            return
        said = json.dumps({"pad": "l" * 4000 if "large" in self.path else "", "side": self.server.side, "method": self.command, "path": self.path, "body": len(body),
                           "headers": {name.lower(): value for name, value in self.headers.items()}}).encode()
        self.send_response(503 if "own-503" in self.path else 200)
        self.send_header("content-length", str(len(said)))
        self.send_header("content-type", "application/json")
        self.send_header("etag", '"tag"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_DELETE = do_PATCH = do_PUT = do_OPTIONS = answer


class Server(http.server.ThreadingHTTPServer):
    """Says nothing when nginx hangs up on it."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


class Edge:
    """nginx as a plain process, with three command-side nodes, one of them gone, a query-side node and two projectors,
    one of which stands by."""

    def __init__(self, tree):
        self.folder = tempfile.mkdtemp(prefix="eventflow-edge-")
        os.chmod(self.folder, 0o711)  # started as root, nginx works as another user
        self.nodes = [self.node(side) for side in ("command", "command", "query", "standby", "active")]
        *self.command, self.query, standby, active = self.nodes
        self.port, gone = free(), free()
        fine, said = run(
            tree.path("compose/nginx/render"), "--listen", f"127.0.0.1:{self.port}", "--run", self.folder,
            "--command-side", ",".join(f"127.0.0.1:{port}" for port in (*(node.server_port for node in self.command), gone)),
            "--query-side", f"127.0.0.1:{self.query.server_port}",
            "--projector", f"127.0.0.1:{standby.server_port},127.0.0.1:{active.server_port}",
            "--proxies", PROXY, "--access-log", f"{self.folder}/access.log",
        )
        self.file = f"{self.folder}/nginx.conf"
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(said)
        self.rendered, self.nginx = fine, None

    def node(self, side):
        node = Server(("127.0.0.1", 0), Node)
        node.side, node.seen, node.dies, node.steps = side, [], False, (threading.Event(), threading.Event())
        threading.Thread(target=node.serve_forever, args=(0.02,), daemon=True).start()
        return node

    def start(self):
        self.nginx = subprocess.Popen(["nginx", "-c", self.file, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and self.nginx.poll() is None:
            try:
                return self.ask("GET", "/salud/borde")[0] == 200
            except OSError:
                time.sleep(0.02)
        return False

    def ask(self, method, path, body=None, headers=None, come_from="127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15, source_address=(come_from, 0))
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def close(self):
        for node in self.nodes:
            for step in node.steps:
                step.set()
            node.shutdown()
            node.server_close()
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


def free():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


ID = "0197a3c0-0000-7000-8000-000000000001"
WAYS = [
    ("GET", "/", "query"),
    ("GET", "/docs", "query"),
    ("GET", "/api/openapi.json", "query"),
    ("GET", "/salud/lista", "query"),
    ("GET", f"/api/eventos/{ID}?posicion=7", "query"),
    ("HEAD", f"/api/eventos/{ID}", "query"),
    ("GET", f"/api/reservar/{ID}", "query"),
    ("GET", f"/api/auditoria/reservas/{ID}", "query"),
    ("GET", "/api/usuarios/exportar?formato=csv", "query"),
    ("GET", f"/api/usuarios/{ID}/datos", "query"),
    ("GET", "/api/auth/yo", "query"),
    ("GET", "/api/operaciones/sagas", "query"),
    ("GET", "/api/operaciones/mensajes-muertos", "query"),
    ("POST", f"/api/operaciones/mensajes-muertos/{ID}/reencolar", "command"),
    ("POST", "/api/auth/login", "command"),
    ("PUT", f"/api/usuarios/{ID}/roles", "command"),
    ("DELETE", f"/api/usuarios/{ID}", "command"),
    ("PUT", f"/api/usuarios/{ID}/datos", "command"),
    ("GET", f"/api/eventos/{ID}/bloqueos/{ID}", "command"),
    ("GET", f"/api/events/{ID}/bloqueos/{ID}?a=1", "command"),
    ("POST", "/api/reservar", "command"),
    ("POST", f"/api/eventos/{ID}/bloqueos", "command"),
    ("DELETE", f"/api/eventos/{ID}/bloqueos/{ID}", "command"),
    ("DELETE", f"/api/reservas/{ID}", "command"),
    ("PATCH", "/api/eventos", "command"),
    ("OPTIONS", "/", "command"),
    ("POST", f"/api/reservar/{ID}/cambios", "command"),
    ("POST", "/api/auditoria/x", "command"),
]


def routing(edge):
    for method, path, side in WAYS:
        for node in edge.nodes:
            node.seen.clear()
        status, _, _ = edge.ask(method, path, "{}" if method == "POST" else None)
        if status != 200 or [node.side for node in edge.nodes if (method, path) in node.seen] != [side]:
            yield f"{method} {path} does not reach the {side} side as it is"
    _, _, body = edge.ask("GET", "/api/eventos/a%2Fb", headers={"traceparent": "00-ab-cd-01", "X-Request-Id": "mine"})
    told = json.loads(body)
    if told["path"] != "/api/eventos/a%2Fb":
        yield "the path is changed on the way"
    if told["headers"].get("traceparent") != "00-ab-cd-01" or told["headers"].get("x-request-id") != "mine":
        yield "traceparent or X-Request-Id do not pass"
    _, _, body = edge.ask("POST", "/api/reservar", "{}")
    if len(json.loads(body)["headers"].get("x-request-id", "")) != 32:
        yield "a request without an id is given none"
    for method, path in (("GET", "/api/operaciones/proyecciones"), ("POST", "/api/operaciones/proyecciones/reconstruir")) * 3:
        status, _, body = edge.ask(method, path)
        if status != 200 or json.loads(body)["side"] != "active":
            yield f"{method} {path} does not reach the projector that is active"
    if edge.ask("GET", "/metrics")[0] != 404:
        yield "the metrics are open to everybody"


def identifying(edge):
    """Tokens arrive as they were sent, the last address is the caller's, and neither is logged."""
    token = "Bearer secreto.de.prueba"
    for asked, come_from, told, last in (
        (("GET", "/api/auth/yo?busca=alguien"), "127.0.0.1", None, "127.0.0.1"),
        (("PUT", f"/api/usuarios/{ID}/roles", "{}"), "127.0.0.1", "203.0.113.7", "127.0.0.1"),
        (("GET", f"/api/usuarios/{ID}"), PROXY, "203.0.113.7", "203.0.113.7"),
        (("DELETE", f"/api/usuarios/{ID}"), PROXY, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
    ):
        headers = {"Authorization": token} | ({"X-Forwarded-For": told} if told else {})
        body = asked[2] if len(asked) > 2 else None
        _, _, body = edge.ask(asked[0], asked[1], body, headers, come_from)
        got = json.loads(body)["headers"]
        if got.get("authorization") != token:
            yield f"{asked[0]} {asked[1]}: the token does not arrive as it was sent"
        if got.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip() != last:
            yield f"{come_from} says {told}, and the node is told {got.get('x-forwarded-for')}, which does not end with {last}"
    with open(f"{edge.folder}/access.log", encoding="utf-8") as file:
        lines = file.read().splitlines()
    if not any(json.loads(line)["path"] == "/api/auth/yo" for line in lines):
        yield "what is asked is not logged"
    for word in ("secreto", "alguien", "203.0.113.7", PROXY):
        if any(word in line for line in lines):
            yield f"the log holds what it must not: {word}"


def refusing(edge):
    status, _, body = edge.ask("GET", "/api/own-503")
    if status != 503 or b'"side"' not in body:
        yield "a node's own 503 does not pass as it is"
    if json.loads(edge.ask("POST", "/api/reservar", "x" * 70_000)[2])["body"] != 70_000:
        yield "a body over the program's limit does not reach the program"
    for asked, want in (
        (("POST", "/api/reservar", "x" * 1_000_000), (413, "CUERPO_DEMASIADO_GRANDE")),
        (("GET", "/" + "y" * 20_000), (400, "CABECERA_INVALIDA")),
        (("GET", "/", None, {"X-Large": "y" * 40_000}), (400, "CABECERA_INVALIDA")),
        (("GET", "/metrics"), (404, "NO_ENCONTRADO")),
    ):
        status, headers, body = edge.ask(*asked)
        if headers.get("content-type") != "application/problem+json" or (status, json.loads(body)["codigo"]) != want:
            yield f"{want[1]} is not what the caller gets, but {status} {body[:80]!r}"

    for node in edge.command:
        node.seen.clear()
        node.dies = True
    status, headers, body = edge.ask("POST", "/api/reservar", "{}", {"X-Request-Id": "mine"})
    for node in edge.command:
        node.dies = False
    if status != 503 or json.loads(body)["codigo"] != "SERVICIO_NO_DISPONIBLE":
        yield f"a node that dies with a command in its hands is told as {status} {body[:80]!r}"
    if headers.get("retry-after") != "1" or headers.get("x-request-id") != "mine":
        yield "nobody says when to come back, or under which id"
    times = sum(len(node.seen) for node in edge.command)
    if times != 1:
        yield f"a command was sent {times} times"


def packing(edge):
    path, accepting = f"/api/eventos/{ID}/asientos?large", {"Accept-Encoding": "gzip"}
    _, headers, body = edge.ask("GET", path, headers=accepting)
    if headers.get("content-encoding") != "gzip" or json.loads(gzip.decompress(body))["pad"] != "l" * 4000:
        yield "a large JSON is not packed for whoever can unpack it"
    if headers.get("vary") != "Accept-Encoding" or headers.get("etag") != 'W/"tag"':
        yield f"caches are not told: {headers.get('vary')}, {headers.get('etag')}"
    for asked in (("GET", path, None, {}), ("GET", "/api/eventos", None, accepting), ("POST", "/api/auth/login?large", "{}", accepting)):
        if "content-encoding" in edge.ask(*asked)[1]:
            yield f"{asked[0]} {asked[1]} is packed"


def streaming(edge):
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=5)
    connection.request("GET", f"/api/eventos/{ID}/cambios", headers={"Accept-Encoding": "gzip"})
    try:
        answer = connection.getresponse()
        for number, go_on in enumerate(edge.query.steps, 1):
            # The node waits; the line must be here before it goes on.
            if [answer.readline(), answer.readline()] != [b"data: %d\n" % number, b"\n"]:
                yield "a server-sent event does not arrive as it was sent"
            go_on.set()
    except OSError:
        yield "a server-sent event waits in nginx"
    connection.close()


@check("nginx takes the rendered template, and sends, refuses and streams as the API says")
def behaviour(tree):
    if not shutil.which("nginx"):
        yield "nginx is not installed"
        return
    edge = Edge(tree)
    try:
        fine, said = run("nginx", "-t", "-c", edge.file)
        if not edge.rendered or not fine:
            yield said
            return
        if not edge.start():
            yield "nginx does not start"
            return
        for part in (routing, identifying, refusing, packing, streaming):
            yield from part(edge)
    finally:
        edge.close()
