"""Choosing seats: on the map with keys or a finger, in the list, or the best that are left."""

import re

from playwright.sync_api import expect

from house import buying, journey, section


def room(world, **more):
    return world.show("Noche de jazz", sections=[section("Platea", 4, 8), section("Palco", 2, 4, 80)], **more)


def somewhere_on_a_seat(me):
    """Presses the map here and there until a seat is chosen; what presses there again."""
    canvas = buying.the_map(me)
    canvas.scroll_into_view_if_needed()
    press = canvas.tap if me.width < 1000 else canvas.click
    area = canvas.bounding_box()
    for down in (0.5, 0.4, 0.6, 0.3, 0.7):
        for across in (0.5, 0.47, 0.53, 0.44, 0.56):
            position = {"x": area["width"] * across, "y": area["height"] * down}
            press(position=position)
            if buying.removals(me).count() == 1:
                return lambda: press(position=position)
    raise AssertionError("no press chose a seat")


@journey
def seats_are_chosen_on_the_map_with_the_keyboard_alone(world):
    me = world.visitor(world.person())
    buying.opens(me, room(world))
    buying.goes_to_on_map(me, "Platea-B-3")
    me.page.keyboard.press("Enter")
    me.hears("show.chosen", n=1)
    buying.goes_to_on_map(me, "Palco-A-2")
    me.page.keyboard.press("Space")
    me.hears("show.chosen", n=2)
    buying.sees_chosen(me, "Platea-B-3", "Palco-A-2")
    me.inspect("show with a choice")
    me.page.keyboard.press("Space")
    buying.sees_chosen(me, "Platea-B-3")
    buying.goes_to_on_map(me, "Platea-A-8")
    me.page.keyboard.press("Enter")
    buying.sees_chosen(me, "Platea-A-8", "Platea-B-3")


@journey
def seats_are_chosen_on_the_map_with_a_finger_or_a_mouse(world):
    show = room(world)
    me = world.visitor(world.person())
    buying.opens(me, show)
    press = somewhere_on_a_seat(me)
    name = buying.removals(me).get_attribute("aria-label")
    press()
    buying.sees_chosen(me)
    press()
    expect(me.page.get_by_role("button", name=name)).to_be_visible()
    buying.holds(me, 1)
    [held] = [seat for seat, state in world.states(show).items() if state == "retenido"]
    assert re.search(buying.words(me, held), name), f"{held} is held, {name} was chosen"


@journey
def the_map_comes_closer_and_shows_all_again(world):
    me = world.visitor()
    buying.opens(me, room(world))
    expect(me.button("seatmap.zoom_out")).to_be_disabled()
    me.button("seatmap.zoom_in").click()
    expect(me.button("seatmap.zoom_out")).to_be_enabled()
    me.button("seatmap.fit").click()
    expect(me.button("seatmap.zoom_out")).to_be_disabled()
    buying.the_map(me).focus()
    me.page.keyboard.press("+")
    expect(me.button("seatmap.zoom_out")).to_be_enabled()
    me.page.keyboard.press("0")
    expect(me.button("seatmap.zoom_out")).to_be_disabled()


@journey
def seats_are_chosen_in_the_list_and_the_choice_outlives_a_reload_and_another_language(world):
    show = room(world)
    me = world.visitor(world.person())
    buying.opens(me, show)
    buying.shows_list(me)
    buying.picks_in_list(me, "Platea-A-1", "Platea-A-2", "Palco-B-4")
    me.inspect("show as a list")
    buying.sees_chosen(me, "Platea-A-1", "Platea-A-2", "Palco-B-4")
    me.reload()
    buying.sees_chosen(me, "Platea-A-1", "Platea-A-2", "Palco-B-4")
    me.chooses_language("en" if me.language == "es" else "es")
    buying.sees_chosen(me, "Platea-A-1", "Platea-A-2", "Palco-B-4")
    buying.removal(me, "Platea-A-2").click()
    buying.sees_chosen(me, "Platea-A-1", "Palco-B-4")
    me.button("show.clear").click()
    buying.sees_chosen(me)
    me.sees("show.nothing_chosen")


@journey
def the_best_that_are_left_are_held_side_by_side(world):
    show = room(world)
    me = world.visitor(world.person())
    buying.opens(me, show)
    me.page.get_by_text(me.words("show.best")).click()
    me.button("show.more").click()
    me.button("show.more").click()
    expect(me.field("show.how_many")).to_have_value("3")
    me.page.get_by_label(me.words("show.section")).locator("visible=true").first.select_option("Palco")
    me.inspect("show with the best")
    me.button("show.hold_best").click()
    buying.is_held(me)
    held = sorted(seat for seat, state in world.states(show).items() if state == "retenido")
    assert len(held) == 3 and all(seat.startswith("Palco-") for seat in held), held
    numbers = [int(seat.rsplit("-", 1)[1]) for seat in held]
    assert numbers == list(range(numbers[0], numbers[0] + 3)), held


@journey
def no_more_can_be_chosen_than_a_person_may_have(world):
    me = world.visitor(world.person())
    buying.opens(me, room(world, max_por_usuario=2))
    buying.shows_list(me)
    buying.picks_in_list(me, "Platea-A-1", "Platea-A-2")
    buying.box(me, "Platea-A-3").click()
    me.sees("show.limit_reached", n=2)
    buying.sees_chosen(me, "Platea-A-1", "Platea-A-2")
    expect(buying.box(me, "Platea-A-3")).not_to_be_checked()


@journey
def whoever_is_not_logged_in_finds_their_choice_again_after_logging_in(world):
    ana, me = world.person(), world.visitor()
    buying.opens(me, room(world))
    buying.shows_list(me)
    buying.picks_in_list(me, "Platea-C-5")
    me.button("show.hold_n", n=1).click()
    dialog = me.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    me.inspect("asked to log in")
    me.button("nav.login", dialog).click()
    me.arrives("/entrar.*")
    me.field("buying.email").fill(ana.email)
    me.field("buying.password").fill(ana.password)
    me.button("nav.login", me.page.get_by_role("main")).click()
    me.arrives("/evento/.*")
    buying.sees_chosen(me, "Platea-C-5")
    buying.holds(me, 1)


@journey
def tickets_without_numbers_are_counted(world):
    show = world.show("Recital", capacity=5, max_por_usuario=4)
    me = world.visitor(world.person())
    buying.opens(me, show)
    me.field("show.how_many").fill("9")
    me.field("show.how_many").press("Tab")
    expect(me.field("show.how_many")).to_have_value("4")
    me.button("show.less").click()
    me.inspect("show without numbers")
    buying.holds(me, 3)
    me.button("show.give_back").click()
    expect(me.button("show.hold_n", n=3)).to_be_visible()
    assert world.tally(show) == (5, 0, 0)


@journey
def a_show_that_is_over_or_not_there_says_so(world):
    show = world.show("Función")
    world.server().ask("POST", f"/api/eventos/{show['evento_id']}/cancelar", {})
    me = world.visitor()
    me.expects(404)
    me.until(lambda: world.now(show)["estado"] == "cancelado", "the cancellation")
    buying.opens(me, show)
    me.sees("show.closed_title.cancelado")
    expect(me.button("show.hold_n")).to_have_count(0)
    me.inspect("show cancelled")
    me.open("/evento/00000000-0000-4000-8000-000000000000")
    me.reads_heading("show.missing")
    me.inspect("show missing")
