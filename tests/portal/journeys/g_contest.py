"""Two browsers, one seat."""

import re

from playwright.sync_api import expect

from house import AWAY, buying, journey, shows


def at_the_map(world, show, *seats, name="Ana"):
    me = world.visitor(world.person(name))
    buying.opens(me, show)
    buying.shows_list(me)
    buying.picks_in_list(me, *seats)
    return me


@journey
def a_seat_that_somebody_takes_leaves_the_choice_of_others_at_once_and_the_rest_stays(world):
    show = world.show("Estreno", sections=shows.small_room())
    ana = at_the_map(world, show, "Platea-A-1", "Platea-A-2", "Platea-A-3")
    beto = at_the_map(world, show, "Platea-A-3", "Platea-A-4", name="Beto")
    buying.holds(ana, 3)
    beto.sees("show.lost", names="Platea-A-3")
    beto.sees("show.lost_rest", n=1)
    beto.hears("show.lost", urgent=True)
    buying.sees_chosen(beto, "Platea-A-4")
    expect(buying.box(beto, "Platea-A-3")).to_have_count(0)
    beto.inspect("a seat was lost")
    buying.holds(beto, 1)
    assert world.states(show)["Platea-A-3"] == "retenido"


@journey
def of_two_who_ask_for_one_seat_one_has_it_and_the_other_is_told_which_and_keeps_the_rest(world):
    show = world.show("Estreno", sections=shows.small_room())
    ana = at_the_map(world, show, "Platea-A-3")
    beto = at_the_map(world, show, "Platea-A-3", "Platea-A-4", "Palco-A-1", name="Beto")
    beto.expects(409, AWAY)
    # Beto's page does not hear of it in time: the server's word is the first.
    beto.page.route(re.compile("/cambios"), lambda route: route.abort())
    beto.reload()
    buying.sees_chosen(beto, "Platea-A-3", "Platea-A-4", "Palco-A-1")
    buying.holds(ana, 1)
    beto.button("show.hold_n", n=3).click()
    beto.sees("show.taken", names="Platea-A-3")
    buying.sees_chosen(beto, "Platea-A-4", "Palco-A-1")
    beto.inspect("a seat was taken first")
    beto.button("show.hold_rest", n=2).click()
    buying.is_held(beto)
    buying.pays(beto)
    buying.sees_outcome(beto, "confirmada")
    states = world.states(show)
    assert (states["Platea-A-3"], states["Platea-A-4"], states["Palco-A-1"]) == ("retenido", "vendido", "vendido"), states


@journey
def the_last_tickets_are_told_to_be_too_few_and_the_rest_is_offered(world):
    show = world.show("Estreno", capacity=5)
    me = world.visitor(world.person())
    me.expects(409, AWAY)
    # The page does not hear of it in time.
    me.page.route(re.compile("/cambios"), lambda route: route.abort())
    buying.opens(me, show)
    for _ in range(3):
        me.button("show.more").click()
    expect(me.field("show.how_many")).to_have_value("4")
    shows.hold(world.server(), show, world.person("Beto"), cantidad=3)
    me.button("show.hold_n", n=4).click()
    me.sees("show.too_few", n=2)
    me.inspect("too few are left")
    me.button("show.hold_n", n=2).click()
    buying.is_held(me)
    assert world.tally(show) == (0, 5, 0)


@journey
def what_is_sold_elsewhere_is_counted_on_an_open_page(world):
    show = world.show("Estreno", capacity=5)
    me = world.visitor()
    buying.opens(me, show)
    me.sees("show.left", n=5)
    shows.buy(world.server(), show, world.person(), cantidad=4)
    me.sees("show.left", n=1)
    shows.buy(world.server(), show, world.person(), cantidad=1)
    me.sees("show.sold_out")
    me.inspect("show sold out")
