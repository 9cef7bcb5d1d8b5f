"""Somebody with a browser of their own: what they read, press and type, and what went wrong meanwhile."""

import copy
import os
import re
import time

from playwright.sync_api import expect

from . import inspection

# Waiting for something that does not come ends after this long.
PATIENCE_MS = int(os.environ.get("EVENTFLOW_PORTAL_PATIENCE_MS", "15000"))
# What the browser says about answers that are no 2xx, and about a server that is away.
_LOADING = re.compile(r"Failed to load resource: (?:the server responded with a status of (\d+)|(net::\S+))")
AWAY = "away"
_KEY = re.compile(r"^[a-z]+(?:\.\w+)+$")


class Visitor:
    def __init__(self, world, context, server, language, width):
        self.world, self.context, self.server = world, context, server
        self.language, self.width, self.texts = language, width, world.house.texts
        self.wrong, self.expected, self.calls = [], set(), []
        context.on("page", self._watch)
        self.page = context.new_page()

    def _watch(self, page):
        """Nothing may go wrong on any of their pages: scripts, the policy, calls to elsewhere."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"a script fell over: {error.message} {error.stack}"))
        page.on("dialog", self._dialog)
        page.on("request", self._called)

    def _said(self, message):
        if message.type not in ("error", "warning"):
            return
        loading = _LOADING.match(message.text)
        if loading and (int(loading[1]) if loading[1] else AWAY) in self.expected:
            return
        where = message.location.get("url", "")
        self.wrong.append(f"the console says ({message.type}): {message.text} {where}")

    def _dialog(self, dialog):
        self.wrong.append(f"a script opened a dialog: {dialog.message}")
        dialog.dismiss()

    def _called(self, request):
        self.calls.append((request.method, request.url.removeprefix(self.server.url)))
        if not request.url.startswith((self.server.url + "/", "blob:" + self.server.url, "data:")):
            self.wrong.append(f"the page called {request.url}")

    def expects(self, *statuses):
        """Answers that belong to the journey; `AWAY` for a server that is not there."""
        self.expected.update(statuses)

    # Words: keys of the portal's texts, patterns, or the words themselves.

    def words(self, name, **values):
        """The whole of what is written or said somewhere."""
        return name if isinstance(name, re.Pattern) else re.compile(rf"^\s*{self._pattern(name, values)}\s*$")

    def within(self, name, **values):
        """The same as a part of more text."""
        return name if isinstance(name, re.Pattern) else re.compile(self._pattern(name, values))

    def _pattern(self, name, values):
        if name in self.texts.all[self.language]:
            return self.texts.pattern(self.language, name, **values)
        assert not _KEY.match(name), f"the portal has no text {name!r}"
        return re.escape(name)

    def role(self, role, name, at=None, **values):
        return (at or self.page).get_by_role(role, name=self.words(name, **values))

    def button(self, name, at=None, **values):
        return self.role("button", name, at, **values)

    def link(self, name, at=None, **values):
        return self.role("link", name, at, **values)

    def field(self, name, at=None, **values):
        """A field by its label, which may say that it is optional."""
        optional = self.texts.pattern(self.language, "form.optional")
        text = self.words(name, **values).pattern.removesuffix(r"\s*$")
        return (at or self.page).get_by_label(re.compile(rf"{text}(?:\s*\({optional}\))?\s*$"))

    # What they do.

    def open(self, path):
        """Goes to an address of the portal as if it was typed, and waits until the page is there."""
        self.page.goto(f"{self.server.url}/#{path}")
        return self.arrives()

    def reload(self):
        self.page.reload()
        return self.arrives()

    def tab(self):
        """Another tab of the same browser."""
        other = copy.copy(self)
        other.page = self.context.new_page()
        return other

    def arrives(self, path=None):
        """Waits until a page has said what it is; at this address, if one is given."""
        if path is not None:
            expect(self.page).to_have_url(re.compile(rf"#{path}$"))
        expect(self.page.locator("main:not([aria-busy]) h1")).to_have_count(1)
        return self

    def sees(self, name, at=None, **values):
        """Waits until words can be read somewhere."""
        place = (at or self.page).get_by_text(self.within(name, **values))
        expect(place.filter(visible=True).first).to_be_visible()

    def sees_not(self, name, at=None, **values):
        expect((at or self.page).get_by_text(self.within(name, **values)).filter(visible=True)).to_have_count(0)

    def reads_heading(self, name, **values):
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.words(name, **values))

    def hears(self, name, urgent=False, **values):
        """Waits until a screen reader is told something."""
        expect(self.page.locator("#said-now" if urgent else "#said")).to_have_text(self.within(name, **values))

    def goes_to(self, name):
        """Presses a link of the frame; on a phone most of them are behind the menu's button."""
        return self._of_the_frame("link", name)

    def presses_in_menu(self, name):
        return self._of_the_frame("button", name)

    def _of_the_frame(self, role, name):
        header = self.page.get_by_role("banner")
        wanted = self.role(role, name, header).filter(visible=True)
        menu = self.button("nav.menu", header)
        if wanted.count() == 0 and menu.is_visible():
            menu.click()
        wanted.first.click()

    def is_logged_in(self):
        """Waits until the frame offers one's account."""
        expect(self.link("nav.account", self.page.get_by_role("banner"))).to_be_attached()

    def is_nobody(self):
        expect(self.link("nav.login", self.page.get_by_role("banner"))).to_be_attached()

    def until(self, condition, what):
        """Waits for something that is not on a page."""
        until = time.monotonic() + PATIENCE_MS / 1000
        while not (found := condition()):
            if time.monotonic() > until:
                raise AssertionError(f"never came: {what}")
            self.page.wait_for_timeout(20)
        return found

    def chooses_language(self, code):
        choice = self.field("nav.language")
        if not choice.is_visible():
            self.button("nav.menu").click()
        choice.select_option(code)
        self.language = code

    def session(self):
        """What their browser keeps of the log-in; None when nobody is logged in."""
        return self.page.evaluate("JSON.parse(localStorage.getItem('eventflow.session'))")

    def inspect(self, state, but=()):
        """Looks at this state of the page as an inspector does, and keeps a picture of it; `but`: words that may be there."""
        inspection.inspect(self, state, but)
