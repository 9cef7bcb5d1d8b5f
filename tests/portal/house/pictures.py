"""The READMEs' pictures. usage: pictures.py WORK_FOLDER FOLDER; tests/portal/pictures calls it."""

import datetime
import os
import pathlib
import random
import shutil
import subprocess
import sys

from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from house import buying, png, shows  # noqa: E402
from house.shows import section  # noqa: E402
from house.world import FLAGS, House, World  # noqa: E402

LARGEST = 150_000
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="pattern"><test name="family"><string>system-ui</string></test><edit name="family" mode="assign" binding="same"><string>Inter</string></edit></match>
<match target="pattern"><test name="family"><string>sans-serif</string></test><edit name="family" mode="assign" binding="same"><string>Inter</string></edit></match>
</fontconfig>"""

# name, venue, kind, days from now, price, rows × seats or how many
PROGRAMME = [
    ("Noche de jazz: Escalandrum", "Teatro Colón", "Jazz", 9, 49.9, None),
    ("Hamlet", "Teatro San Martín", "Teatro", 12, 38, None),
    ("Sinfónica Nacional: Mahler 5", "Centro Cultural Kirchner", "Clásica", 15, 25, None),
    ("Festival de folklore", "Anfiteatro Humberto de Nito", "Folklore", 21, 18, 4_000),
    ("El lago de los cisnes", "Teatro Argentino", "Danza", 24, 60, None),
    ("Charly, sinfónico", "Estadio Obras", "Rock", 30, 75, 5_000),
    ("Improvisación a ciegas", "Sala Siranush", "Humor", 33, 12, 120),
    ("Cine con orquesta: Metrópolis", "Teatro El Círculo", "Cine", 40, 30, None),
    ("Títeres en la plaza", "Parque Centenario", "Infantil", 44, 0, 300),
]
ROOM = [
    section("Platea", 12, 22, 49.9, [6, 16], ["A-1", "A-2", "A-21", "A-22", "L-10", "L-11", "L-12", "L-13"]),
    section("Pullman", 5, 24, 38, [7, 17]),
    section("Palco izquierdo", 3, 4, 80),
    section("Palco derecho", 3, 4, 80),
]


class Photographer:
    def __init__(self, house, folder):
        self.house, self.folder = house, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.blank = house.browser.new_context().new_page()

    def takes(self, me, name, **options):
        me.page.mouse.move(0, 0)
        picture = png.small(self.blank, me.page.screenshot(animations="disabled", caret="hide", **options))
        if len(picture) > LARGEST:
            sys.exit(f"pictures: {name}.png has {len(picture)} bytes; {LARGEST} are enough")
        (self.folder / f"{name}.png").write_bytes(picture)
        print(f"{len(picture) / 1000:6.1f} KB {self.folder}/{name}.png")


def programme(world):
    """What is on, some of it sold; the first is the one that pictures look into."""
    server, chance, found = world.server(), random.Random(7), []
    crowd = [world.person() for _ in range(12)]
    for name, venue, kind, days, price, count in PROGRAMME:
        begins = datetime.datetime.now(datetime.timezone.utc).replace(hour=23, minute=0, second=0, microsecond=0)
        date = (begins + datetime.timedelta(days=days)).isoformat().replace("+00:00", "Z")
        room = {"aforo_total": count} if count else {"mapa_asientos": {"secciones": ROOM}}
        body = {"nombre": name, "lugar": venue, "categoria": kind, "fecha": date, "precio": price, "max_por_usuario": 40}
        told, position = server.ask("POST", "/api/eventos", body | room)
        server.visible(f"/api/eventos/{told['evento_id']}", position)
        found.append(told)
    # Whoever comes in twos and fours, best seats first.
    for person in crowd:
        for _ in range(6):
            shows.buy(server, found[0], person, cantidad=chance.choice([2, 2, 3, 4, 5]), seccion=chance.choice(["Platea", "Platea", "Pullman"]))
    for person in crowd[:5]:
        shows.hold(server, found[0], person, cantidad=chance.choice([2, 3]), seccion="Platea")
    shows.buy(server, found[6], crowd[0], cantidad=40)
    shows.buy(server, found[6], crowd[1], cantidad=40)
    shows.buy(server, found[6], crowd[2], cantidad=34)
    return found


def free_neighbours(world, show, section_name, count):
    """So many free seats side by side, as near to the middle as may be."""
    states = world.states(show)
    free = [seat for seat, state in states.items() if state == "libre" and seat.startswith(section_name + "-")]
    rows = sorted({seat.rsplit("-", 2)[1] for seat in free})
    places = [(abs(first + count / 2 - 11), row, first) for row in rows for first in range(1, 30)]
    for _, row, first in sorted(places):
        seats = [f"{section_name}-{row}-{first + step}" for step in range(count)]
        if set(seats) <= set(free):
            return seats
    raise AssertionError(f"no {count} free seats side by side in {section_name}")


def take_all(house, folder):
    world, camera = World(house, "en", 1440), Photographer(house, folder)
    found = programme(world)
    show, ana = found[0], world.person("Ana", "Pérez")
    me = world.visitor(ana)
    me.open("/")
    expect(me.page.get_by_role("article")).to_have_count(len(found))
    camera.takes(me, "catalogue")

    buying.opens(me, show)
    seats = free_neighbours(world, show, "Platea", 3)
    for seat in seats:
        buying.goes_to_on_map(me, seat)
        me.page.keyboard.press("Enter")
    buying.sees_chosen(me, *seats)
    me.page.keyboard.press("0")
    buying.the_map(me).blur()
    camera.takes(me, "seat-map", full_page=True)

    phone = world.visitor(world.person("Beto", "Ruiz"), width=360, scheme="dark", device_scale_factor=2)
    buying.opens(phone, show)
    for seat in free_neighbours(world, show, "Pullman", 2):
        buying.goes_to_on_map(phone, seat)
        phone.page.keyboard.press("Enter")
    phone.page.keyboard.press("0")
    buying.the_map(phone).scroll_into_view_if_needed()
    camera.takes(phone, "phone")

    buying.holds(me, 3)
    buying.pays(me, "tok_lenta")
    buying.sees_outcome(me, "pendiente")
    camera.takes(me, "purchase")
    buying.sees_outcome(me, "confirmada")
    reservation = me.page.url.rsplit("/", 1)[1]

    operator = world.visitor()
    operator.open("/organizar/nuevo")
    operator.field("org.show.name").fill("Hamlet")
    operator.field("org.show.price").fill("38")
    operator.page.get_by_role("radio", name=operator.words("org.show.numbered")).check()
    operator.page.get_by_role("button", name=operator.within("org.room.name.theatre")).click()
    operator.page.get_by_role("tablist").scroll_into_view_if_needed()
    operator.page.get_by_role("heading", name=operator.words("org.room.stalls")).evaluate(
        "(one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 260)")
    camera.takes(operator, "seat-map-editor")

    operator.open(f"/auditoria/reserva/{reservation}")
    operator.sees("audit.money.agrees")
    operator.page.get_by_role("list", name=operator.words("audit.timeline.label")).evaluate(
        "(one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 90)")
    camera.takes(operator, "timeline")
    world.close()


def main():
    work, folder = sys.argv[1:]
    fonts = pathlib.Path(work) / "fonts.conf"
    fonts.write_text(_FONTS)
    if "Inter" not in subprocess.run(["fc-list"], capture_output=True, text=True).stdout:
        sys.exit("pictures: there is no font Inter; install Debian's fonts-inter")
    chromium = os.environ.get("EVENTFLOW_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, env={**os.environ, "FONTCONFIG_FILE": str(fonts)}
        )
        house = House(browser, work)
        try:
            take_all(house, folder)
        finally:
            house.close()
            browser.close()


if __name__ == "__main__":
    main()
