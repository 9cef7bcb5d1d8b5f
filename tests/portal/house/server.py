"""The real program, on a free port and a folder of its own, and its API as a client sees it."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid

PATIENCE_S = 30.0


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body
        self.code = body.get("codigo") if isinstance(body, dict) else None


class Server:
    def __init__(self, program, folder, **settings):
        self.program, self.folder = program, pathlib.Path(folder)
        self.settings, self.port, self.process = settings, 0, None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "server.log"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Starts it, the first time on a free port, later on the same one."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTFLOW_")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "dev", "--listen", f"127.0.0.1:{self.port}", "--data", self.folder / "data"],
                env=environment | self.settings, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )
        self._wait()
        return self

    def _wait(self):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
            told = re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text())
            if told:
                self.port = int(told[1])
                try:
                    return self.get("/salud/lista")
                except (OSError, http.client.HTTPException, Refused):
                    pass
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready after {PATIENCE_S} s: {self.log.read_text()[-2000:]}")

    def kill(self):
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def verify(self):
        """Proves the log that was left behind; None, or what does not hold."""
        asked = [self.program, "verify", "--data", self.folder / "data"]
        answer = subprocess.run(asked, capture_output=True, text=True)
        return None if answer.returncode == 0 else answer.stdout + answer.stderr

    def call(self, method, path, body=None, token=None, **headers):
        """`(status, headers, body)`; the body is bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None, **options):
        """The body of a 2xx as JSON, with the position it produced; else `Refused`. Without a token as the operator."""
        status, headers, content = self.call(method, path, body, **options)
        told = json.loads(content) if "json" in headers.get("Content-Type", "") and content else content.decode()
        if not 200 <= status < 300:
            raise Refused(status, told)
        return told, headers.get("X-Posicion")

    def get(self, path, **options):
        return self.ask("GET", path, **options)[0]

    def post(self, path, body=None, **options):
        return self.ask("POST", path, body, **options)[0]

    def visible(self, path, position):
        """Waits until readers see what a command did."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self.get(f"{path}?posicion={position}") if position else self.get(path)
            except Refused as refused:
                if refused.status != 503 or time.monotonic() > until:
                    raise
