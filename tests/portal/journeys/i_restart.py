"""The server is killed under an open page and started again: the page recovers, and nothing is lost or done twice."""

import re

from playwright.sync_api import expect

from house import AWAY, buying, journey, people, shows


def at_a_show(world, *seats):
    """A server of one's own to kill, and somebody in front of a show there who has chosen seats."""
    server = world.server("to be killed")
    show = world.show("Estreno", server, sections=shows.small_room())
    me = world.visitor(world.person(server=server))
    me.expects(AWAY, 401, 502, 503)
    buying.opens(me, show)
    buying.shows_list(me)
    buying.picks_in_list(me, *seats)
    return server, show, me


@journey
def a_choice_survives_the_servers_death_and_the_page_follows_again(world):
    server, show, me = at_a_show(world, "Platea-A-1", "Platea-A-2")
    me.sees("show.live")
    server.kill()
    me.sees("connection.lost")
    me.inspect("no live connection")
    buying.sees_chosen(me, "Platea-A-1", "Platea-A-2")
    server.start()
    me.sees("show.live")
    shows.hold(server, show, world.person("Beto", server=server), asientos=["Platea-A-2"])
    me.sees("show.lost", names="Platea-A-2")
    buying.sees_chosen(me, "Platea-A-1")
    buying.holds(me, 1)


@journey
def a_hold_survives_the_servers_death_and_paying_waits_for_the_server_and_happens_once(world):
    server, show, me = at_a_show(world, "Platea-A-1", "Platea-A-2")
    buying.holds(me, 2)
    server.kill()
    me.button("show.pay").click()
    me.sees("connection.waiting")
    me.inspect("waiting for the server")
    server.start()
    me.arrives(r"/compra/[0-9a-f-]{36}")
    buying.sees_outcome(me, "confirmada")
    reservation = me.page.url.rsplit("/", 1)[1]
    assert buying.money_of(server, reservation)["capturado"] == 100
    assert world.tally(show, server) == (38, 0, 2)
    me.reload()
    buying.sees_outcome(me, "confirmada")


@journey
def a_purchase_goes_on_where_it_was_when_the_server_died(world):
    server, show, me = at_a_show(world, "Platea-A-1")
    buying.holds(me, 1)
    reservation = buying.pays(me, "tok_lenta")
    buying.sees_outcome(me, "pendiente")
    server.kill()
    server.start()
    buying.sees_outcome(me, "confirmada")
    buying.sees_steps(me)
    assert buying.money_of(server, reservation)["capturado"] == 50


@journey
def what_was_typed_waits_for_the_server(world):
    server = world.server("to be killed")
    details = people.unused()
    me = world.visitor(server=server)
    me.expects(AWAY, 502, 503)
    me.open("/registro")
    me.field("buying.given_name").fill("Ana")
    me.field("buying.family_name").fill("Pérez")
    me.field("buying.document_number").fill(details["nro_documento"])
    me.field("buying.email").fill(details["email"])
    me.field("buying.password").fill(people.PASSWORD)
    server.kill()
    me.button("nav.register", me.page.get_by_role("main")).click()
    me.sees("connection.waiting")
    expect(me.field("buying.email")).to_have_value(details["email"])
    server.start()
    me.is_logged_in()
    expect(me.page.get_by_text(me.within("connection.waiting"))).to_have_count(0)


@journey
def a_page_that_was_opened_while_the_server_was_away_comes_when_it_is_back(world):
    server = world.server("to be killed")
    show = world.show("Estreno", server, capacity=10)
    me = world.visitor(server=server)
    me.expects(AWAY, 502, 503)
    me.open("/")
    me.field("buying.filter.q").fill(show["nombre"])
    expect(me.link(show["nombre"])).to_be_visible()
    server.kill()
    me.link(show["nombre"]).click()
    expect(me.page).to_have_url(re.compile("#/evento/"))
    server.start()
    again = me.button("page.try_again")
    there = me.page.get_by_role("heading", level=1, name=show["nombre"])
    expect(there.or_(again).first).to_be_visible()
    if again.is_visible():
        again.click()
    expect(there).to_be_visible()
