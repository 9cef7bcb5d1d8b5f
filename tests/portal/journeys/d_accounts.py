"""Signing up, logging in and out, and a session that lasts."""

import datetime

from playwright.sync_api import expect

from house import journey, people


def fills(me, person):
    me.field("buying.given_name").fill(person["nombre"])
    me.field("buying.family_name").fill(person["apellido"])
    me.field("buying.document_type").select_option("DNI")
    me.field("buying.document_number").fill(person["nro_documento"])
    me.field("buying.email").fill(person["email"])
    me.field("buying.password").fill(person["password"])


def logs_in(me, person, password=None):
    me.field("buying.email").fill(person.email)
    me.field("buying.password").fill(password or person.password)
    me.button("nav.login", me.page.get_by_role("main")).click()


def calls_as(me):
    """Who the server takes this browser for."""
    return me.page.evaluate("""async () => {
      const kept = JSON.parse(localStorage.getItem("eventflow.session"));
      const headers = kept ? { Authorization: `Bearer ${kept.access_token}` } : {};
      const answer = await fetch("/api/auth/yo", { headers });
      return answer.ok ? ((await answer.json()).usuario_id ?? null) : null;
    }""")


@journey
def somebody_signs_up_and_is_logged_in(world):
    me, details = world.visitor(), people.unused() | {"nombre": "Ana", "apellido": "Pérez", "password": people.PASSWORD}
    me.expects(422)
    me.open("/")
    me.goes_to("nav.register")
    me.arrives("/registro")
    me.button("nav.register", me.page.get_by_role("main")).click()
    expect(me.field("buying.given_name")).to_have_attribute("aria-invalid", "true")
    expect(me.field("buying.given_name")).to_be_focused()
    me.inspect("sign-up with faults")
    fills(me, details | {"password": "corta"})
    me.button("nav.register", me.page.get_by_role("main")).click()
    expect(me.field("buying.password")).to_be_focused()
    me.field("buying.password").fill(details["password"])
    me.inspect("sign-up")
    me.button("nav.register", me.page.get_by_role("main")).click()
    me.is_logged_in()
    me.arrives("/")
    assert calls_as(me), "the server knows who it is"


@journey
def whoever_has_an_account_is_told_so_at_the_field(world):
    known, me = world.person(), world.visitor()
    me.expects(409)
    me.open("/registro")
    fresh = people.unused() | {"nombre": "Otra", "apellido": "Ana", "password": people.PASSWORD}
    fills(me, fresh | {"nro_documento": known.document})
    me.button("nav.register", me.page.get_by_role("main")).click()
    expect(me.field("buying.document_number")).to_have_attribute("aria-invalid", "true")
    me.sees(me.texts.errors["DOCUMENTO_REGISTRADO"][me.language])
    fills(me, fresh | {"email": known.email})
    me.button("nav.register", me.page.get_by_role("main")).click()
    expect(me.field("buying.email")).to_have_attribute("aria-invalid", "true")
    me.sees(me.texts.errors["EMAIL_REGISTRADO"][me.language])


@journey
def a_wrong_password_is_told_and_the_right_one_taken(world):
    ana, me = world.person(), world.visitor()
    me.expects(401)
    me.open("/")
    me.goes_to("nav.login")
    me.arrives("/entrar")
    me.inspect("log-in")
    logs_in(me, ana, "algo distinto 9")
    me.sees(me.texts.errors["CREDENCIALES_INVALIDAS"][me.language])
    me.is_nobody()
    me.inspect("log-in refused")
    logs_in(me, ana)
    me.is_logged_in()
    assert calls_as(me) == ana.user_id


@journey
def a_session_outlives_a_reload_is_shared_by_tabs_and_ends_in_all(world):
    ana, me = world.person(), world.visitor()
    me.open("/entrar")
    logs_in(me, ana)
    me.is_logged_in()
    me.reload()
    me.is_logged_in()
    other = me.tab()
    other.open("/")
    other.is_logged_in()
    refresh_token = me.session()["refresh_token"]
    me.presses_in_menu("nav.logout")
    me.is_nobody()
    other.is_nobody()
    assert me.session() is None, "nothing is kept"
    assert calls_as(me) is None
    status, _, _ = me.server.call("POST", "/api/auth/refresh", {"refresh_token": refresh_token})
    assert status == 401, "the server has ended the session, too"


@journey
def a_page_for_people_with_an_account_leads_through_the_log_in_and_back(world):
    ana, me = world.person(), world.visitor()
    me.open("/cuenta")
    me.inspect("offer to log in")
    me.link("nav.login", me.page.get_by_role("main")).click()
    logs_in(me, ana)
    me.arrives("/cuenta")
    me.is_logged_in()


@journey
def tokens_are_renewed_once_for_all_tabs_before_they_expire(world):
    ana = world.person()
    me = world.visitor(ana)
    tabs = [me, me.tab(), me.tab()]
    for tab in tabs:
        tab.open("/")
        tab.is_logged_in()
    before = me.session()
    me.context.clock.set_system_time(datetime.datetime.now() + datetime.timedelta(minutes=14, seconds=50))
    for tab in tabs:
        tab.page.evaluate("location.hash = '#/mis-compras'")
    for tab in tabs:
        tab.arrives("/mis-compras")
        tab.sees("buying.purchases.none")
    after = me.session()
    assert after["refresh_token"] != before["refresh_token"], "there are new tokens"
    assert calls_as(me) == ana.user_id, "and they are good"
    # A tab may see a moment late what another one stored; then it repeats the same exchange, under the same key.
    assert 1 <= me.calls.count(("POST", "/api/auth/refresh")) <= len(tabs)


@journey
def a_token_that_the_server_no_longer_takes_is_renewed_and_nothing_is_noticed(world):
    ana = world.person()
    me = world.visitor(ana)
    me.expects(401)
    me.open("/")
    me.page.evaluate("""() => {
      const kept = JSON.parse(localStorage.getItem("eventflow.session"));
      localStorage.setItem("eventflow.session", JSON.stringify({ ...kept, access_token: kept.access_token.slice(0, -4) + "AAAA" }));
    }""")
    me.open("/mis-compras")
    me.reload()
    me.is_logged_in()
    assert calls_as(me) == ana.user_id


@journey
def a_session_that_was_ended_elsewhere_is_told_where_one_logs_in_again(world):
    me = world.visitor(world.person())
    me.expects(401)
    me.open("/")
    me.is_logged_in()
    me.server.post("/api/auth/logout", {"refresh_token": me.session()["refresh_token"]})
    me.open("/mis-compras")
    me.sees("buying.offer.lost")
    me.is_nobody()
