"""What a buyer does on a show's page and on a purchase's."""

import re

from playwright.sync_api import expect

STEPS = [
    "validar_usuario", "validar_evento", "reservar_inventario", "procesar_pago", "actualizar_historial", "confirmar_reserva",
]


def opens(me, show):
    me.open(f"/evento/{show['evento_id']}")
    me.reads_heading(show["nombre"])
    return me


def words(me, seat):
    """How the page calls `Platea-A-2`: the pattern of "Platea, row A, seat 2"."""
    section, row, number = seat.rsplit("-", 2)
    return me.texts.pattern(me.language, "seatmap.seat", section=section, row=row, number=number)


def the_map(me):
    return me.page.get_by_role("application", name=me.within("show.map_label"))


def the_list(me):
    return me.page.get_by_role("group", name=me.within("show.map_label"))


def sees_chosen(me, *seats):
    """Exactly these are in the choice."""
    for seat in seats:
        expect(removal(me, seat)).to_be_visible()
    expect(removals(me)).to_have_count(len(seats))


def removal(me, seat):
    return _removal(me, words(me, seat))


def removals(me):
    """A button for each chosen seat."""
    return _removal(me, me.texts.pattern(me.language, "seatmap.seat"))


def _removal(me, seat):
    text = me.texts.pattern(me.language, "show.remove", seat="SEAT").replace("SEAT", seat)
    return me.page.get_by_role("button", name=re.compile(rf"^{text}$"))


def goes_to_on_map(me, seat):
    """Moves on the map with the keyboard until a screen reader names the seat."""
    section, row, number = seat.rsplit("-", 2)
    canvas = the_map(me)
    canvas.focus()
    step(me, "Home")
    direction = 1
    for _ in range(200):
        now = said_seat(me)
        if now == seat:
            return
        at_section, at_row, at_number = now.rsplit("-", 2)
        if at_section != section:
            # The order of the sections is not known: down first, and up when that leads no further.
            key = "PageDown" if direction > 0 else "PageUp"
        elif at_row != row:
            key = "ArrowDown" if row_number(at_row) < row_number(row) else "ArrowUp"
        else:
            key = "ArrowRight" if int(at_number) < int(number) else "ArrowLeft"
        step(me, key)
        if said_seat(me) == now and key.startswith("Page"):
            direction = -direction
    raise AssertionError(f"the keyboard did not come to {seat}")


def row_number(letters):
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def said_seat(me):
    """The seat that a screen reader was told last, as the API names it; None."""
    pattern = me.texts.pattern(me.language, "seatmap.seat").replace(".+?", "(.+?)")
    found = re.search(pattern + r"(?=,|$)", me.page.locator("#said").inner_text().rsplit(". ", 1)[-1])
    return "-".join(found.groups()) if found else None


def step(me, key):
    """Presses a key on the map and waits until it has been said where that leads."""
    me.page.evaluate("document.getElementById('said').textContent = ''")
    me.page.keyboard.press(key)
    me.until(lambda: said_seat(me), f"a word about {key}")


def shows_list(me):
    me.button("seatmap.as_list").click()
    expect(the_list(me)).to_be_visible()


def box(me, seat, state="libre"):
    """A seat's check box in the list; its section is shown."""
    section, row, number = seat.rsplit("-", 2)
    word = me.texts.all[me.language].get(f"seat.{state}") or me.texts.all[me.language][f"seatmap.state.{state}"]
    name = me.texts.pattern(me.language, "seatmap.seat_short", row=row, number=number, state=word)
    return the_list(me).get_by_role("checkbox", name=re.compile(rf"{name}\s*$"))


def enters_section(me, section):
    choice = the_list(me).get_by_label(me.words("seatlist.section"))
    option = choice.locator("option").filter(has_text=re.compile(rf"^{re.escape(section)} ·"))
    choice.select_option(option.get_attribute("value"))


def picks_in_list(me, *seats):
    for seat in seats:
        enters_section(me, seat.rsplit("-", 2)[0])
        box(me, seat).check()
        expect(box(me, seat, "selected")).to_be_checked()


def holds(me, count):
    me.button("show.hold_n", n=count).click()
    is_held(me)


def is_held(me):
    expect(me.page.get_by_role("heading", name=me.words("show.held"))).to_be_visible()


def timer(me):
    return me.page.get_by_role("timer", name=me.words("show.time_left"))


def chooses_card(me, token):
    me.page.get_by_role("radio", name=me.words(f"show.card.{token}")).check()


def pays(me, token=None):
    """Pays for what is held; the reservation's id."""
    if token:
        chooses_card(me, token)
    me.button("show.pay").click()
    me.arrives(r"/compra/[0-9a-f-]{36}")
    return me.page.url.rsplit("/", 1)[1]


def sees_outcome(me, state):
    me.reads_heading(f"buying.outcome.{state}")


def sees_steps(me, **states):
    """The state of every step, in its own words; those that are not named are done."""
    items = me.page.get_by_role("main").get_by_role("listitem")
    for name in STEPS:
        row = items.filter(has_text=me.within(f"step.{name}"))
        expect(row).to_contain_text(me.within(f"buying.step.{states.get(name, 'hecho')}"))


def cancels(me):
    me.button("buying.cancel.button").click()
    dialog = me.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    me.button("buying.cancel.confirm", dialog).click()


def money_of(server, reservation):
    return server.get(f"/api/pagos/{reservation}")
