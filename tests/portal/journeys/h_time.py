"""A hold runs out under the eyes of whoever did not pay."""

import re

from playwright.sync_api import expect

from house import buying, journey, shows

TTL_MS = "6000"


@journey
def a_hold_that_runs_out_is_told_and_frees_the_seats_for_all_and_can_be_asked_for_again(world):
    server = world.server("short holds", EVENTFLOW_HOLD_TTL_MS=TTL_MS)
    show = world.show("Estreno", server, sections=shows.small_room())
    me, other = world.visitor(world.person(server=server)), world.visitor(server=server)
    for visitor in (me, other):
        buying.opens(visitor, show)
        buying.shows_list(visitor)
    buying.picks_in_list(me, "Platea-A-1", "Platea-A-2")
    buying.holds(me, 2)
    expect(buying.timer(me)).to_have_text(re.compile(r"^00:0\d$"))
    expect(buying.box(other, "Platea-A-1", "retenido")).to_have_attribute("aria-disabled", "true")
    me.sees("show.time_is_up", n=2, names="Platea-A-1, Platea-A-2")
    me.hears("show.time_is_up", urgent=True)
    expect(buying.timer(me)).to_have_count(0)
    me.inspect("time is up")
    expect(buying.box(other, "Platea-A-1")).to_have_attribute("aria-disabled", "false")
    assert world.tally(show, server) == (40, 0, 0)
    me.button("show.hold_again").click()
    buying.is_held(me)
    assert world.states(show, server)["Platea-A-2"] == "retenido"


@journey
def a_hold_that_ran_out_while_the_page_was_closed_is_told_when_it_opens_again(world):
    server = world.server("short holds", EVENTFLOW_HOLD_TTL_MS=TTL_MS)
    show = world.show("Estreno", server, sections=shows.small_room())
    me = world.visitor(world.person(server=server))
    buying.opens(me, show)
    buying.shows_list(me)
    buying.picks_in_list(me, "Palco-A-1")
    buying.holds(me, 1)
    me.open("/")
    me.until(lambda: world.tally(show, server) == (40, 0, 0), "the end of the hold")
    buying.opens(me, show)
    me.sees("show.time_is_up", n=1)
