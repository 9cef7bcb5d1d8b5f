"""How heavy the pages are and how soon they can be used. Sizes are exact; times have three times their aim, on a busy machine."""

import gzip
import random

from playwright.sync_api import expect

from house import buying, once, section, shows

# When what one came for is there, by the page's own clock.
_READY = """(selector) => {
  const found = document.querySelector("main:not([aria-busy])")?.querySelector(selector);
  return found && found.getClientRects().length > 0 && (found.localName !== "canvas" || found.width > 300) ? performance.now() : 0;
}"""
_LOADED = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .filter(({ name }) => !name.includes("/cambios"))
  .map(({ name, transferSize, decodedBodySize }) => [new URL(name).pathname, transferSize, decodedBodySize])"""


def compressed(world, paths):
    """Bytes of files, each by itself as a server or a proxy would compress it."""
    total = 0
    for path in paths:
        if path.startswith("/portal/"):
            total += len(gzip.compress((world.house.assets / path.split("/", 3)[3]).read_bytes(), 9))
        elif path == "/":
            total += len(gzip.compress((world.house.assets / "index.html").read_bytes(), 9))
    return total


def opened(world, path, selector):
    """A first visit with an empty cache: `(ms until it can be used, files, bytes on the wire, bytes compressed)`."""
    me = world.visitor()
    me.page.goto(f"{me.server.url}/#{path}")
    ready = me.page.wait_for_function(_READY, arg=selector).json_value()
    loaded = me.page.evaluate(_LOADED)
    files = [path for path, _, _ in loaded if path.startswith("/portal/") or path == "/"]
    return me, ready, files, sum(size for _, size, _ in loaded), compressed(world, files)


def tell(world, name, ready, files, wire, small):
    world.house.measured[name] = (
        f"usable after {ready:.0f} ms; {len(files)} files; {wire / 1000:.0f} KB on the wire with data; files {small / 1000:.1f} KB compressed"
    )


@once
def the_catalogue_is_light_and_soon_there(world):
    for number in range(24):
        world.show("Función", fecha=f"2030-02-{number + 1:02}T20:00:00Z")
    me, ready, files, wire, small = opened(world, "/", "article")
    tell(world, "catalogue", ready, files, wire, small)
    assert small < 60_000, f"{small} bytes"
    assert ready < 3 * 1_000, f"{ready} ms"


@once
def a_shows_page_is_light_and_soon_there(world):
    show = world.show("Estreno", sections=[section("Platea", 14, 22, aisles=[6, 16]), section("Pullman", 6, 26, 30)])
    me, ready, files, wire, small = opened(world, f"/evento/{show['evento_id']}", "canvas.seatmap-canvas")
    tell(world, "show with 464 seats", ready, files, wire, small)
    assert small < 120_000, f"{small} bytes"
    assert ready < 3 * 1_000, f"{ready} ms"


@once
def a_stadium_of_60000_seats_opens_soon_and_its_map_is_small(world):
    stadium = [section(f"Sector {number}", 25, 40, 20 + number) for number in range(1, 61)]
    server = world.server("stadium")
    show = world.show("Final", server, sections=stadium, max_por_usuario=100)
    chance, people = random.Random(5), [world.person(server=server) for _ in range(6)]
    seats = [f"Sector {sector}-{chr(65 + row)}-{number}" for sector in range(1, 61) for row in range(25) for number in range(1, 41)]
    scattered = chance.sample(seats, 100 * len(people))
    for at, person in enumerate(people):
        shows.hold(server, show, person, asientos=scattered[100 * at : 100 * (at + 1)])
    path = f"/api/eventos/{show['evento_id']}/asientos?formato=compacto"
    status, headers, body = server.call("GET", path, Accept_Encoding="gzip")
    plain = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
    small = len(gzip.compress(plain, 6))
    assert status == 200 and len(body) < 100_000 and small < 100_000, (status, len(body), small)
    me = world.visitor(server=server)
    me.page.goto(f"{server.url}/#/evento/{show['evento_id']}")
    ready = me.page.wait_for_function(_READY, arg="canvas.seatmap-canvas").json_value()
    world.house.measured["map of 60,000 seats"] = (
        f"usable after {ready:.0f} ms; {len(plain) / 1000:.1f} KB, {len(body) / 1000:.1f} KB as sent, {small / 1000:.1f} KB compressed"
    )
    me.inspect("stadium")
    assert ready < 3 * 2_000, f"{ready} ms"
    buying.goes_to_on_map(me, "Sector 2-A-3")
    me.page.keyboard.press("Enter")
    buying.sees_chosen(me, "Sector 2-A-3")
    shows.hold(server, show, world.person(server=server), asientos=["Sector 2-A-3"])
    me.sees("show.lost", names="Sector 2-A-3")
    expect(buying.removals(me)).to_have_count(0)
