"""Names that want to be more than names are shown as they are, everywhere."""

from playwright.sync_api import expect

from house import buying, journey, section, shows

MARKUP = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>&amp;{name}${x}"
RIGHT_TO_LEFT = "مسرح المدينة ‏ليلة‏ الجاز"
LONG = "Sinfonía" + "nadeunagranorquestaquenoterminanunca" * 5
NAMES = [MARKUP[:100], RIGHT_TO_LEFT, LONG[:180]]


def is_text(me, text):
    """It can be read as it is, and nothing came of it."""
    expect(me.page.get_by_text(text, exact=False).filter(visible=True).first).to_be_visible()
    assert me.page.locator("main img, main script").count() == 0


def looks(me, state):
    me.inspect(state, but=("{name}", "{x}"))


@journey
def hostile_names_are_text_on_every_page_that_shows_them(world):
    olga = world.person("<b>Olga</b>", RIGHT_TO_LEFT).may("cliente", "organizador", "auditor")
    me = world.visitor(olga)
    for number, name in enumerate(NAMES):
        show = shows.schedule(
            world.server(), name, token=olga.token(), descripcion=f"{name}\n" * 3, lugar=name, categoria=name[:50],
            sections=[section(name[:40].replace("-", " "), 2, 3), section("Platea", 1, 2)],
        )
        me.open("/")
        me.field("buying.filter.q").fill(show["nombre"][:90])
        # As text: a pattern of this name would be too much for the selector.
        expect(me.page.get_by_role("link", name=show["nombre"], exact=True)).to_be_visible()
        looks(me, f"catalogue with a hostile name {number}")
        buying.opens(me, show)
        buying.shows_list(me)
        buying.picks_in_list(me, "Platea-A-1")
        looks(me, f"show with a hostile name {number}")
        buying.holds(me, 1)
        reservation = buying.pays(me)
        buying.sees_outcome(me, "confirmada")
        is_text(me, show["nombre"])
        looks(me, f"purchase with a hostile name {number}")
        me.open("/mis-compras")
        is_text(me, show["nombre"])
        looks(me, f"my purchases with a hostile name {number}")
        me.open(f"/organizar/{show['evento_id']}")
        me.reads_heading(show["nombre"])
        looks(me, f"live sales with a hostile name {number}")
        me.open(f"/auditoria/reserva/{reservation}")
        is_text(me, show["nombre"])
        looks(me, f"timeline with a hostile name {number}")
        me.open(f"/auditoria/evento/{show['evento_id']}")
        me.reads_heading(show["nombre"])
        looks(me, f"show's past with a hostile name {number}")
    me.open("/cuenta")
    me.sees("<b>Olga</b>")
