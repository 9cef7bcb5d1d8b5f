"""What is known of me, as a file; and being forgotten."""

import json

from playwright.sync_api import expect

from house import Refused, journey, shows


@journey
def everything_that_is_held_about_somebody_is_theirs_as_a_file(world):
    ana = world.person("Ana Clara", "Pérez")
    show = world.show("Noche de jazz", capacity=10)
    bought = shows.buy(world.server(), show, ana, cantidad=2)
    me = world.visitor(ana)
    me.open("/")
    me.goes_to("nav.account")
    me.arrives("/cuenta")
    me.sees("Ana Clara Pérez")
    me.sees(ana.email)
    me.inspect("my account")
    with me.page.expect_download() as waiting:
        me.button("buying.account.download").click()
    held = json.loads(open(waiting.value.path(), encoding="utf-8").read())
    assert held["usuario"]["email"] == ana.email
    assert bought["reserva_id"] in json.dumps(held)


@journey
def whoever_wants_to_be_forgotten_types_so_and_is_nobody_afterwards(world):
    ana = world.person()
    me = world.visitor(ana)
    me.expects(401)
    me.open("/cuenta")
    me.page.locator("summary").filter(has_text=me.words("buying.forget.title")).click()
    word = me.texts.all[me.language]["buying.forget.word"]
    typed = me.field("buying.forget.type", word=word)
    typed.fill("no")
    me.button("buying.forget.button").click()
    me.sees("buying.forget.wrong", word=word)
    me.inspect("forget me")
    typed.fill(word)
    me.button("buying.forget.button").click()
    me.reads_heading("buying.forget.done")
    me.is_nobody()
    me.inspect("forgotten")
    try:
        me.server.get(f"/api/usuarios/{ana.user_id}")
        raise AssertionError("still known")
    except Refused as refused:
        assert refused.status == 410, refused
    me.open("/entrar")
    me.field("buying.email").fill(ana.email)
    me.field("buying.password").fill(ana.password)
    me.button("nav.login", me.page.get_by_role("main")).click()
    me.sees(me.texts.errors["CREDENCIALES_INVALIDAS"][me.language])
    expect(me.link("nav.account")).to_have_count(0)
