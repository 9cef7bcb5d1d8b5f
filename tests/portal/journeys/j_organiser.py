"""An organiser schedules shows, draws rooms, watches sales and cancels."""

import json

from playwright.sync_api import expect

from house import buying, journey, section, shows

ROOM = {
    "precio": 40,
    "secciones": [
        {"nombre": "Platea", "filas": 6, "asientos_por_fila": 10, "pasillos": [5], "bloqueados": ["A-1", "A-10", "F-5"]},
        {"nombre": "Palco 1", "filas": 2, "asientos_por_fila": 4, "precio": 90.5},
    ],
}


def organiser(world):
    return world.visitor(world.person("Olga", "Organiza").may("cliente", "organizador"))


def fills(me, name, *, price="40", seating=None):
    me.field("org.show.name").fill(name)
    me.field("org.show.date").fill("2031-05-20T20:30")
    me.field("org.show.venue").fill("Teatro San Martín")
    me.field("org.show.category").fill("teatro")
    me.field("org.show.price").fill(price)
    if seating:
        me.page.get_by_role("radio", name=me.words(f"org.show.{seating}")).check()


def publishes(me):
    """Presses the button; the show that it became."""
    me.button("org.schedule.publish").click()
    me.arrives(r"/organizar/[0-9a-f-]{36}(?:\?.*)?")
    me.sees("org.schedule.done")
    return me.server.get(f"/api/eventos/{me.page.url.split('/organizar/')[1].split('?')[0]}")


def imports(me, room):
    me.button("org.file.import").click()
    dialog = me.page.get_by_role("dialog")
    me.field("org.file.paste", dialog).fill(room if isinstance(room, str) else json.dumps(room))
    me.button("org.file.import_now", dialog).click()
    return dialog


def exported(me):
    with me.page.expect_download() as waiting:
        me.button("org.file.export").click()
    return json.loads(open(waiting.value.path()).read())


@journey
def a_show_without_numbers_is_scheduled_by_whoever_may_and_is_on_at_once(world):
    me, name = organiser(world), shows.unique("Recital")
    me.open("/")
    me.goes_to("nav.organise")
    me.arrives("/organizar")
    me.inspect("organiser's shows, none yet")
    me.link("org.shows.schedule").click()
    me.arrives("/organizar/nuevo")
    me.page.get_by_role("radio", name=me.words("org.show.general")).check()
    me.button("org.schedule.publish").click()
    expect(me.field("org.show.name")).to_have_attribute("aria-invalid", "true")
    me.inspect("schedule with faults")
    fills(me, name, price="12,50" if me.language == "es" else "12.50", seating="general")
    me.field("org.show.capacity").fill("150")
    show = publishes(me)
    assert (show["nombre"], show["aforo_total"], show["precio"], show["numerado"]) == (name, 150, 12.5, False), show
    me.inspect("show is published")
    me.goes_to("nav.organise")
    expect(me.link(name)).to_be_visible()
    me.inspect("organiser's shows")
    guest = world.visitor()
    buying.opens(guest, show)


@journey
def a_room_with_aisles_and_blocked_seats_is_imported_seen_and_sold_as_drawn(world):
    me, name = organiser(world), shows.unique("Hamlet")
    me.open("/organizar/nuevo")
    fills(me, name, seating="numbered")
    # Whoever goes back from the question has left the page, and not with a question in the way.
    me.button("org.file.import").click()
    expect(me.page.get_by_role("dialog")).to_have_count(1)
    me.page.evaluate("location.hash = '/organizar'")
    me.arrives("/organizar")
    expect(me.page.get_by_role("dialog")).to_have_count(0)
    me.page.go_back()
    me.arrives("/organizar/nuevo")
    imports(me, ROOM)
    expect(me.page.get_by_role("dialog")).to_have_count(0)
    expect(me.page.get_by_role("tab")).to_have_count(2)
    me.sees("org.sum.seats", n=65)
    me.inspect("seat-map editor")
    again = exported(me)
    assert again == ROOM, again
    show = publishes(me)
    assert show["aforo_total"] == 6 * 10 - 3 + 8, show
    plan = me.server.get(f"/api/eventos/{show['evento_id']}/asientos?formato=compacto")
    assert plan["secciones"][0]["pasillos"] == [5], plan
    assert plan["secciones"][0]["estados"].startswith("x8lx"), plan
    buyer = world.visitor(world.person())
    buying.opens(buyer, show)
    buying.shows_list(buyer)
    expect(buying.box(buyer, "Platea-A-1")).to_have_count(0)
    buying.picks_in_list(buyer, "Platea-A-2", "Palco 1-A-1")
    buying.holds(buyer, 2)
    buyer.sees("130")


@journey
def a_room_is_drawn_section_by_section_and_what_was_done_can_be_undone(world):
    me = organiser(world)
    me.open("/organizar/nuevo")
    fills(me, shows.unique("Ensayo"), seating="numbered")
    me.page.get_by_role("button", name=me.within("org.room.name.blank")).click()
    me.field("org.section.name").fill("Platea")
    me.field("org.section.rows").fill("3")
    me.field("org.section.seats").fill("4")
    me.field("org.section.price").fill("55")
    me.page.get_by_text(me.words("org.section.as_text")).click()
    me.field("org.section.aisles").fill("2")
    me.field("org.section.blocked").fill("A-1, C-4")
    me.field("org.section.blocked").press("Tab")
    drawn = exported(me)["secciones"]
    assert drawn == [
        {"nombre": "Platea", "filas": 3, "asientos_por_fila": 4, "precio": 55, "pasillos": [2], "bloqueados": ["A-1", "C-4"]}
    ], drawn
    me.button("org.map.duplicate").click()
    expect(me.page.get_by_role("tab")).to_have_count(2)
    me.button("org.map.undo").click()
    expect(me.page.get_by_role("tab")).to_have_count(1)
    me.button("org.map.redo").click()
    expect(me.page.get_by_role("tab")).to_have_count(2)
    me.button("org.map.remove").click()
    me.inspect("a room that was drawn")
    me.reload()
    assert exported(me)["secciones"] == drawn, "a draft outlives a reload"


@journey
def a_place_is_blocked_and_an_aisle_set_on_the_grid_with_the_keyboard(world):
    me = organiser(world)
    me.open("/organizar/nuevo")
    fills(me, shows.unique("Ensayo"), seating="numbered")
    imports(me, {"secciones": [{"nombre": "Platea", "filas": 3, "asientos_por_fila": 6}]})
    expect(me.page.get_by_role("dialog")).to_have_count(0)
    grid = me.page.get_by_role("grid", name=me.words("org.grid.label"))
    grid.get_by_role("gridcell").first.wait_for()
    me.page.get_by_role("radio", name=me.words("org.grid.mode_block")).check()
    grid.focus()
    me.page.keyboard.press("Space")
    me.hears("org.map.for_sale")
    one = exported(me)["secciones"][0]["bloqueados"]
    assert len(one) == 1, one
    me.page.get_by_role("radio", name=me.words("org.grid.mode_aisle")).check()
    grid.focus()
    me.page.keyboard.press("Enter")
    me.hears("org.grid.aisle_added")
    assert len(exported(me)["secciones"][0]["pasillos"]) == 1


@journey
def a_file_with_faults_is_refused_fault_by_fault_and_changes_nothing(world):
    me = organiser(world)
    me.open("/organizar/nuevo")
    fills(me, shows.unique("Ensayo"), seating="numbered")
    imports(me, ROOM)
    expect(me.page.get_by_role("tab")).to_have_count(2)
    dialog = imports(me, {"secciones": [{"nombre": "A", "filas": 0, "asientos_por_fila": 4, "pasillos": [9]}, {"nombre": "A", "filas": 1}]})
    me.sees("org.file.faults", dialog)
    me.inspect("a room file with faults")
    me.field("org.file.paste", dialog).fill('{"secciones": [')
    me.button("org.file.import_now", dialog).click()
    me.sees("org.map.error.not_json", dialog)
    me.button("form.cancel", dialog).click()
    assert exported(me) == ROOM


@journey
def sales_are_watched_live_and_the_show_is_cancelled_and_everything_refunded(world):
    olga = world.person("Olga", "Organiza").may("cliente", "organizador")
    show = world.show("Gala", sections=[section("Platea", 3, 6, aisles=[3])], token=olga.token())
    server, ana = world.server(), world.person()
    me = world.visitor(olga)
    me.open(f"/organizar/{show['evento_id']}")
    me.reads_heading(show["nombre"])
    me.sees("org.sales.is_live")
    bought = shows.buy(server, show, ana, asientos=["Platea-A-1", "Platea-A-2"])
    figures = me.page.get_by_role("main")
    expect(figures.get_by_text("100", exact=False).filter(visible=True).first).to_be_visible()
    me.sees("org.sales.last_sale")
    me.inspect("live sales")
    buyer = world.visitor(ana)
    buying.opens(buyer, show)
    me.button("org.cancel.open").click()
    dialog = me.page.get_by_role("dialog")
    me.button("org.cancel.now", dialog).click()
    me.sees("org.cancel.tick", dialog)
    me.inspect("asked whether to cancel the show")
    me.page.get_by_role("checkbox", name=me.within("org.cancel.agree")).check()
    me.button("org.cancel.now", dialog).click()
    me.sees("org.refund.title")
    me.sees("org.refund.all", n=2)
    me.inspect("show cancelled by its organiser")
    buyer.sees("show.closed_title.cancelado")
    assert buying.money_of(server, bought["reserva_id"])["reembolsado"] == 100
    buyer.open(f"/compra/{bought['reserva_id']}")
    buying.sees_outcome(buyer, "cancelada")


@journey
def whoever_may_not_organise_is_told_what_is_missing(world):
    me = world.visitor(world.person())
    me.open("/organizar")
    me.sees("org.access.no_role")
    me.inspect("not an organiser")
    expect(me.link("nav.organise")).to_have_count(0)


@journey
def the_sales_of_all_shows_are_exported(world):
    olga = world.person("Olga", "Organiza").may("cliente", "organizador")
    show = world.show("Gala", capacity=5, token=olga.token())
    me = world.visitor(olga)
    me.open("/organizar")
    expect(me.link(show["nombre"])).to_be_visible()
    with me.page.expect_download() as waiting:
        me.button("org.export.download").click()
    assert show["nombre"] in open(waiting.value.path(), encoding="utf-8").read()
