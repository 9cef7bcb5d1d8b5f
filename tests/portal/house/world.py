"""Where a journey happens: servers, a browser, one language and one width."""

import itertools
import json
import os
import pathlib
import re

from . import people, shows, texts
from .server import Server
from .visitor import PATIENCE_MS, Visitor

ROOT = pathlib.Path(__file__).resolve().parents[3]
ASSETS = ROOT / "portal/assets"
LOCALES = {"es": "es-AR", "en": "en-GB"}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]


class House:
    """What all journeys share."""

    def __init__(self, browser, work):
        self.browser, self.work = browser, pathlib.Path(work)
        target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
        self.program = os.environ.get("EVENTFLOW_PROGRAM") or pathlib.Path(target) / "release/eventflow"
        self.files = os.environ.get("EVENTFLOW_PORTAL_FILES")
        self.assets = pathlib.Path(self.files) if self.files else ASSETS
        self.artifacts = pathlib.Path(os.environ.get("EVENTFLOW_ARTIFACTS") or self.work / "portal")
        self.artifacts.mkdir(parents=True, exist_ok=True)
        self.servers, self.texts, self.measured, self.numbers = {}, None, {}, itertools.count(1)
        try:
            self._read_texts()
        except BaseException:
            # Whoever is ended here has nobody yet who would stop the server.
            self.close()
            raise

    def server(self, name="main", **settings):
        """A server of this name; started when it is first asked for."""
        if name not in self.servers:
            folder = self.work / f"portal-{name.replace(' ', '-')}"
            # Known before it runs: whatever ends this run stops it, too.
            self.servers[name] = Server(self.program, folder, **settings)
            self.servers[name].start()
        return self.servers[name]

    def close(self):
        for server in self.servers.values():
            server.stop()

    def context(self, server, **options):
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        if self.files:
            context.route(re.compile(re.escape(server.url) + r"/(portal/.*)?$"), self._from_folder)
        return context

    def _from_folder(self, route):
        """While pages are being written: a file as it stands, with the policy that the portal's crate sends."""
        path = re.sub(r"^http://[^/]+/", "", route.request.url)
        headers = {"Cache-Control": "no-store"}
        if path == "":
            body = (self.assets / "index.html").read_text().replace("{preload}", "").replace("{version}", "dev")
            source = (ROOT / "portal/src/lib.rs").read_text()
            policy = re.search(r'const POLICY: &str = "(.*?)";', source, re.S)[1]
            headers["Content-Security-Policy"] = re.sub(r"\\\s*", "", policy)
            return route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=headers)
        file = self.assets / path.split("/", 2)[2].split("?")[0]
        if not file.is_file():
            return route.fulfill(status=404, body="{}", content_type="application/problem+json")
        kind = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.get(file.suffix)
        return route.fulfill(body=file.read_bytes(), content_type=kind, headers=headers)

    def _read_texts(self):
        server = self.server()
        context = self.context(server, locale=LOCALES["es"])
        page = context.new_page()
        page.goto(server.url)
        script = page.locator("script[type=module]").get_attribute("src")
        self.base = script.removesuffix("/js/app.js")
        self.texts = texts.Texts(texts.read(page, self.base, texts.areas(self.assets)))
        context.close()


class World:
    """One journey's: everybody in it comes with this language and this width, and leaves when it is over."""

    def __init__(self, house, language, width, name=""):
        self.house, self.language, self.width, self.name = house, language, width, name
        self.visitors = []

    def server(self, name="main", **settings):
        return self.house.server(name, **settings)

    def visitor(self, person=None, server=None, language=None, width=None, scheme="light", **options):
        """Somebody with a browser of their own; logged in when a person is given."""
        server = server or (person.server if person else self.house.server())
        language, width = language or self.language, width or self.width
        phone = width < 1000
        if person:
            kept = {"name": "eventflow.session", "value": json.dumps(person.session())}
            options["storage_state"] = {"origins": [{"origin": server.url, "localStorage": [kept]}]}
        context = self.house.context(
            server, locale=LOCALES[language], viewport={"width": width, "height": 740 if phone else 900},
            is_mobile=phone, has_touch=phone, color_scheme=scheme, accept_downloads=True, **options,
        )
        visitor = Visitor(self, context, server, language, width)
        self.visitors.append(visitor)
        return visitor

    def person(self, given_name="Ana", family_name="Pérez", server=None):
        return people.register(server or self.house.server(), given_name, family_name)

    def show(self, name="Noche de jazz", server=None, **more):
        return shows.schedule(server or self.house.server(), name, **more)

    def states(self, show, server=None):
        """`{seat: state}`, as the API tells it now."""
        return shows.seat_states(server or self.house.server(), show)

    def now(self, show, server=None):
        return (server or self.house.server()).get(f"/api/eventos/{show['evento_id']}")

    def tally(self, show, server=None):
        """`(free, held, sold)` now."""
        told = self.now(show, server)
        return told["entradas_disponibles"], told["entradas_retenidas"], told["entradas_vendidas"]

    def number(self):
        """One that was not given before."""
        return next(self.house.numbers)

    def picture(self, visitor, state):
        """A screenshot at a name that stays."""
        name = re.sub(r"[^a-z0-9]+", "-", state.lower()).strip("-")
        file = self.house.artifacts / f"{name}.{visitor.language}.{visitor.width}.png"
        visitor.page.screenshot(path=file, full_page=True, animations="disabled")

    def close(self, failed=False):
        """Ends all visits. What went wrong on their pages is told, unless something else is told already."""
        wrong = []
        for number, visitor in enumerate(self.visitors):
            if failed:
                self._failure(visitor, number)
            wrong += visitor.wrong
            visitor.context.close()
        return list(dict.fromkeys(wrong))

    def _failure(self, visitor, number):
        try:
            name = re.sub(r"[^a-z0-9]+", "-", self.name)
            visitor.page.screenshot(path=self.house.artifacts / f"failed-{name}-{number}.png", timeout=5_000)
        except Exception:  # noqa: BLE001  a page that cannot be shown must not hide why the journey failed
            pass
