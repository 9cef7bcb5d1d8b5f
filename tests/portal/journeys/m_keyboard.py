"""A ticket is bought without a mouse and without a finger; one always sees where one is."""

from playwright.sync_api import expect

from house import buying, journey, section

# Whoever is on an element sees so: an outline, or a box around it.
_IS_SEEN = """(element) => {
  const style = getComputedStyle(element);
  // A card whose name is a link shows it around the whole card.
  const outlined = [style, getComputedStyle(element, "::after")]
    .some((one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 1);
  const box = element.getBoundingClientRect();
  const inWindow = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return (outlined || style.boxShadow !== "none") && (inWindow || box.width <= 1) ? "" : element.outerHTML.slice(0, 120);
}"""


def tabs_to(me, wanted, most=80):
    """Presses Tab until the wanted element has the focus; wherever the focus is on the way is seen."""
    expect(wanted).to_be_visible()
    for _ in range(most):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        me.page.keyboard.press("Tab")
        unseen = me.page.locator(":focus").evaluate(_IS_SEEN) if me.page.locator(":focus").count() else ""
        assert not unseen, f"the focus is not seen on {unseen}"
    raise AssertionError("Tab did not come there")


@journey
def a_ticket_is_bought_with_the_keyboard_alone(world):
    ana = world.person()
    show = world.show("Noche de jazz", sections=[section("Platea", 3, 6)])
    me = world.visitor()
    keys = me.page.keyboard
    me.open("/")
    keys.press("Tab")
    expect(me.link("nav.skip")).to_be_focused()
    keys.press("Enter")
    expect(me.page.get_by_role("heading", level=1)).to_be_focused()
    tabs_to(me, me.field("buying.filter.q"))
    keys.type(show["nombre"])
    expect(me.page.get_by_role("article")).to_have_count(1)
    tabs_to(me, me.link(show["nombre"]))
    keys.press("Enter")
    me.arrives("/evento/.*")
    expect(me.page.get_by_role("heading", level=1)).to_be_focused()
    tabs_to(me, buying.the_map(me))
    buying.goes_to_on_map(me, "Platea-B-2")
    keys.press("Enter")
    buying.sees_chosen(me, "Platea-B-2")
    tabs_to(me, me.button("show.hold_n", n=1))
    keys.press("Enter")
    dialog = me.page.get_by_role("dialog")
    tabs_to(me, me.button("nav.login", dialog))
    keys.press("Enter")
    me.arrives("/entrar.*")
    tabs_to(me, me.field("buying.email"))
    keys.type(ana.email)
    tabs_to(me, me.field("buying.password"))
    keys.type(ana.password)
    keys.press("Enter")
    me.arrives("/evento/.*")
    tabs_to(me, me.button("show.hold_n", n=1))
    keys.press("Enter")
    expect(me.page.get_by_role("heading", name=me.words("show.held"))).to_be_focused()
    tabs_to(me, me.page.get_by_role("radio", name=me.words("show.card.tok_ok")))
    keys.press("ArrowDown")
    expect(me.page.get_by_role("radio", name=me.words("show.card.tok_rechazada"))).to_be_checked()
    keys.press("ArrowUp")
    tabs_to(me, me.button("show.pay"))
    keys.press("Enter")
    me.arrives(r"/compra/[0-9a-f-]{36}")
    buying.sees_outcome(me, "confirmada")
    tabs_to(me, me.button("buying.cancel.button"))
    keys.press("Enter")
    dialog = me.page.get_by_role("dialog")
    tabs_to(me, me.button("buying.cancel.keep", dialog))
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    expect(me.button("buying.cancel.button")).to_be_focused()
