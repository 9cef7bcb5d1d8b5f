"""Looking around: what is on, found by words, by kind and by date."""

from playwright.sync_api import expect

from house import journey


def narrows(me, name):
    """A field of the filters; on a phone all but the search are folded away."""
    folded = me.button("buying.filter.more")
    if folded.is_visible() and folded.get_attribute("aria-expanded") == "false":
        folded.click()
    return me.field(name)


def sees_shows(me, *shows, not_these=()):
    for show in shows:
        expect(me.link(show["nombre"])).to_be_visible()
    for show in not_these:
        expect(me.link(show["nombre"])).to_have_count(0)


@journey
def what_is_on_is_found_by_words_and_opened_and_left_again(world):
    opera, rock = world.show("Ópera de bolsillo"), world.show("Rock de garaje")
    me = world.visitor()
    me.open("/")
    me.reads_heading("nav.shows")
    me.inspect("catalogue")
    me.field("buying.filter.q").fill(opera["nombre"].upper())
    sees_shows(me, opera, not_these=[rock])
    me.sees("buying.found", n=1)
    me.reload()
    sees_shows(me, opera, not_these=[rock])
    me.link(opera["nombre"]).click()
    me.arrives(f"/evento/{opera['evento_id']}")
    me.page.go_back()
    sees_shows(me, opera, not_these=[rock])
    expect(me.field("buying.filter.q")).to_have_value(opera["nombre"].upper())


@journey
def shows_are_narrowed_down_by_kind_and_by_date(world):
    word = f"Ciclo-{world.number()}"
    march = world.show(word, fecha="2031-03-15T20:00:00Z", categoria=f"{word} danza")
    april = world.show(word, fecha="2031-04-15T20:00:00Z", categoria=f"{word} teatro")
    me = world.visitor()
    me.open("/")
    me.field("buying.filter.q").fill(word)
    sees_shows(me, march, april)
    narrows(me, "buying.filter.category").select_option(march["categoria"])
    sees_shows(me, march, not_these=[april])
    narrows(me, "buying.filter.category").select_option("")
    sees_shows(me, march, april)
    narrows(me, "buying.filter.from").fill("2031-04-01")
    sees_shows(me, april, not_these=[march])
    narrows(me, "buying.filter.until").fill("2031-03-01")
    me.sees("buying.filter.backwards")
    me.inspect("catalogue with a wrong filter")
    narrows(me, "buying.filter.from").fill("2031-03-01")
    narrows(me, "buying.filter.until").fill("2031-03-31")
    sees_shows(me, march, not_these=[april])
    me.reload()
    sees_shows(me, march, not_these=[april])


@journey
def whoever_finds_nothing_is_told_and_helped(world):
    me = world.visitor()
    me.open("/")
    me.field("buying.filter.q").fill("nada que se llame así")
    me.sees("buying.none_found")
    me.inspect("catalogue without a match")
    me.button("buying.filter.clear").click()
    expect(me.field("buying.filter.q")).to_have_value("")
    me.sees_not("buying.none_found")


@journey
def where_nothing_is_on_yet_it_says_so(world):
    me = world.visitor(server=world.server("empty"))
    me.open("/")
    me.sees("buying.none_on")
    me.inspect("catalogue of nothing")


@journey
def a_long_list_comes_in_pages_and_is_as_long_when_one_comes_back(world):
    word, other = f"Temporada-{world.number()}", world.show("Otra cosa")
    shows = [world.show(word, fecha=f"2031-01-{day:02}T20:00:00Z") for day in range(1, 31)]
    me = world.visitor()
    me.open("/")
    me.field("buying.filter.q").fill(word)
    me.sees("buying.found_more", n=24)
    sees_shows(me, shows[0], not_these=[other, shows[29]])
    expect(me.page.get_by_role("article")).to_have_count(24)
    me.button("page.more").click()
    sees_shows(me, shows[0], shows[29])
    expect(me.link(shows[24]["nombre"])).to_be_focused()
    me.link(shows[28]["nombre"]).click()
    me.arrives(f"/evento/{shows[28]['evento_id']}")
    me.page.go_back()
    expect(me.page.get_by_role("article")).to_have_count(30)


@journey
def whoever_comes_back_to_a_part_of_a_list_sees_the_rest_of_it(world):
    word = f"Ciclo-{world.number()}"
    shows = [world.show(word, fecha=f"2031-01-{day:02}T20:00:00Z") for day in range(1, 31)]
    me = world.visitor()
    me.open("/")
    me.field("buying.filter.q").fill(word)
    me.sees("buying.found_more", n=24)
    me.link(shows[3]["nombre"]).click()
    me.arrives(f"/evento/{shows[3]['evento_id']}")
    # The list is there at once; it is asked for again, and the answer is the same.
    with me.page.expect_request_finished(lambda asked: "/api/eventos?" in asked.url):
        me.page.go_back()
    expect(me.page.get_by_role("article")).to_have_count(24)
    me.button("page.more").click()
    expect(me.page.get_by_role("article")).to_have_count(30)


@journey
def another_language_is_chosen_in_the_middle_and_kept(world):
    me = world.visitor()
    me.open("/")
    me.field("buying.filter.q").fill("Noche")
    other = "en" if me.language == "es" else "es"
    me.chooses_language(other)
    me.reads_heading("nav.shows")
    expect(me.field("buying.filter.q")).to_have_value("Noche")
    me.reload()
    me.reads_heading("nav.shows")
    expect(me.page.locator("html")).to_have_attribute("lang", other)


@journey
def an_address_that_leads_nowhere_says_so_and_leads_back(world):
    me = world.visitor()
    me.expects(404)
    me.open("/no/such/page")
    me.reads_heading("page.missing")
    me.link("nav.back_to_shows").click()
    me.reads_heading("nav.shows")
