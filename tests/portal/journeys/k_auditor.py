"""An auditor follows a purchase, moves a show through time, proves the log, and looks after the system."""

from playwright.sync_api import expect

from house import journey, once, section, shows


def auditor(world):
    return world.visitor(world.person("Aldo", "Audita").may("cliente", "auditor"))


def a_purchase(world):
    show = world.show("Noche de jazz", sections=[section("Platea", 2, 5)])
    ana = world.person()
    return show, shows.buy(world.server(), show, ana, asientos=["Platea-A-2", "Platea-A-3"])


@journey
def a_purchase_is_followed_over_all_streams_with_its_causes(world):
    show, bought = a_purchase(world)
    me = auditor(world)
    me.open("/")
    me.goes_to("nav.audit")
    me.arrives("/auditoria")
    me.inspect("audit")
    me.field("audit.look.purchase").fill(bought["reserva_id"])
    me.field("audit.look.purchase").press("Enter")
    me.arrives(f"/auditoria/reserva/{bought['reserva_id']}")
    timeline = me.page.get_by_role("list", name=me.words("audit.timeline.label"))
    for kind in ["reservation_requested", "tickets_held", "payment_captured", "purchase_recorded", "tickets_sold", "reservation_confirmed"]:
        me.sees(f"audit.kind.{kind}", timeline)
    me.sees("audit.cause.because", timeline)
    now = me.page.get_by_role("region", name=me.words("audit.purchase.now"))
    for words in ["reservation.state.confirmada", "step.confirmar_reserva", "step.state.hecho"]:
        me.sees(words, now)
    expect(now).to_contain_text("Platea-A-2, Platea-A-3")
    expect(now).not_to_contain_text(me.within("step.state.pendiente"))
    me.sees("audit.money.agrees")
    me.inspect("a purchase's timeline")
    timeline.locator("summary").filter(has_text=me.within("audit.event.details")).first.click()
    me.sees("audit.event.command", timeline)
    me.inspect("a purchase's timeline with details")
    for place in me.server.get(f"/api/auditoria/reservas/{bought['reserva_id']}"):
        expect(timeline).to_contain_text(str(place["posicion"]))


@journey
def a_show_is_moved_through_time_and_the_server_agrees_at_every_moment(world):
    show, bought = a_purchase(world)
    me = auditor(world)
    me.open(f"/auditoria/evento/{show['evento_id']}")
    me.reads_heading(show["nombre"])
    slider = me.page.get_by_role("slider", name=me.words("audit.slider.label"))
    last = int(slider.get_attribute("max"))
    assert last >= 2, "scheduled, held, sold"
    tally = lambda: me.page.get_by_role("main").inner_text()
    me.inspect("a show at the end of its past")
    me.button("audit.slider.first").click()
    expect(slider).to_have_js_property("value", "0")
    expect(slider).to_have_attribute("aria-valuetext", me.within("audit.kind.show_scheduled"))
    slider.focus()
    me.page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", me.within("audit.kind.tickets_held"))
    me.inspect("a show in the middle of its past")
    for at in range(last + 1):
        me.button("audit.slider.first").click() if at == 0 else me.button("audit.slider.next").click()
        me.button("audit.check.ask").click()
        me.sees("audit.check.same")
    me.button("audit.seats.list").click()
    me.page.locator("summary").filter(has_text="Platea").click()
    me.sees("audit.seats.caption", section="Platea")
    me.inspect("a show in its past as a list")


@journey
def the_whole_log_is_proved(world):
    a_purchase(world)
    me = auditor(world)
    me.open("/auditoria")
    me.button("audit.verify.run").click()
    me.sees("audit.verify.holds")
    me.inspect("the proof")


@journey
def a_stream_is_read_as_it_stands_and_a_name_is_not_in_it(world):
    ana = world.person("Anastasia", "Pérez Galván")
    me = auditor(world)
    me.open("/auditoria")
    me.field("audit.look.stream").fill(f"user-{ana.user_id}")
    me.field("audit.look.stream").press("Enter")
    me.reads_heading("audit.stream.title")
    me.sees("audit.kind.user_registered")
    assert "Anastasia" not in me.page.locator("main").inner_text()
    me.inspect("a stream")


@journey
def the_operations_page_tells_how_the_system_is(world):
    me = auditor(world)
    me.open("/operaciones")
    me.sees("ops.health.ready")
    me.sees("ops.sagas.title")
    me.sees("ops.projections.title")
    me.sees("ops.letters.no_broker")
    me.inspect("operations")


@journey
def whoever_may_not_audit_is_told_what_is_missing(world):
    me = world.visitor(world.person())
    me.expects(403)
    for page in ("/auditoria", "/operaciones"):
        me.open(page)
        me.sees("audit.access.role")
    me.inspect("not an auditor")


@once
def a_purchase_that_never_was_is_told_so(world):
    me = auditor(world)
    me.expects(404)
    me.open("/auditoria/reserva/00000000-0000-7000-8000-000000000000")
    me.reads_heading("audit.purchase.unknown")
    me.open("/auditoria/evento/00000000-0000-7000-8000-000000000000")
    me.reads_heading("audit.show.unknown")
