"""Paying for what is held, watching it settle, finding it again, cancelling it; and every way in which a card can behave."""

import re

from playwright.sync_api import expect

from house import buying, journey, once, section, shows


def chosen(world, *seats, person=None, show=None):
    """Somebody who has chosen these seats."""
    person = person or world.person()
    show = show or world.show("Noche de jazz", sections=shows.small_room())
    me = world.visitor(person)
    buying.opens(me, show)
    buying.shows_list(me)
    buying.picks_in_list(me, *seats)
    return me, person, show


@journey
def a_purchase_is_made_seen_step_by_step_found_again_and_cancelled(world):
    me, ana, show = chosen(world, "Platea-A-1", "Palco-A-1")
    buying.holds(me, 2)
    expect(buying.timer(me)).to_have_text(re.compile(r"^(10:00|09:[345]\d)$"))
    me.inspect("held")
    reservation = buying.pays(me)
    buying.sees_outcome(me, "confirmada")
    buying.sees_steps(me)
    me.inspect("purchase confirmed")
    paid = buying.money_of(me.server, reservation)
    assert (paid["capturado"], paid["reembolsado"]) == (130, 0), paid
    assert world.states(show)["Platea-A-1"] == "vendido"
    me.goes_to("nav.purchases")
    me.arrives("/mis-compras")
    me.inspect("my purchases")
    me.link(show["nombre"]).click()
    me.arrives(f"/compra/{reservation}")
    me.reload()
    buying.sees_outcome(me, "confirmada")
    me.button("buying.cancel.button").click()
    me.inspect("asked whether to cancel")
    me.page.keyboard.press("Escape")
    expect(me.page.get_by_role("dialog")).to_have_count(0)
    buying.cancels(me)
    buying.sees_outcome(me, "cancelada")
    me.inspect("purchase cancelled")
    back = buying.money_of(me.server, reservation)
    assert back["reembolsado"] == 130, back
    me.until(lambda: world.tally(show) == (40, 0, 0), "the seats to be free again")


@once
def whoever_looks_away_and_comes_back_has_lost_neither_time_nor_place(world):
    me, ana, show = chosen(world, "Platea-A-1")
    buying.holds(me, 1)
    before = buying.timer(me).element_handle()
    me.page.evaluate("""() => {
      window.look = (hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
      };
      look(true);
    }""")
    with me.page.expect_response(lambda answer: "/bloqueos/" in answer.url):
        me.page.evaluate("look(false)")
    me.page.wait_for_function("timer => timer.isConnected", arg=before)
    buying.pays(me)
    buying.sees_outcome(me, "confirmada")


@journey
def a_declined_card_is_told_and_nothing_is_charged_and_the_seats_are_free(world):
    me, ana, show = chosen(world, "Platea-A-1")
    buying.holds(me, 1)
    reservation = buying.pays(me, "tok_rechazada")
    buying.sees_outcome(me, "rechazada")
    me.sees("buying.reason.PAGO_RECHAZADO")
    buying.sees_steps(
        me, reservar_inventario="compensado", procesar_pago="fallido", actualizar_historial="omitido", confirmar_reserva="omitido"
    )
    me.inspect("purchase declined")
    assert buying.money_of(me.server, reservation)["capturado"] == 0
    me.link("buying.purchase.choose_again").click()
    me.arrives("/evento/.*")
    me.until(lambda: world.tally(show) == (40, 0, 0), "the seat to be free again")


@once
def every_simulated_card_ends_as_it_says(world):
    ana = world.person()
    show = world.show("Noche de jazz", capacity=50)
    settled = {}
    for token, state in [
        ("tok_ok", "confirmada"), ("tok_lenta", "confirmada"), ("tok_cobra_y_calla", "confirmada"),
        ("tok_sin_fondos", "rechazada"), ("tok_falla_captura", "rechazada"), ("tok_sin_respuesta", None),
    ]:
        me = world.visitor(ana)
        buying.opens(me, show)
        buying.holds(me, 1)
        reservation = buying.pays(me, token)
        if state:
            buying.sees_outcome(me, state)
        else:
            buying.sees_outcome(me, "pendiente")
            me.inspect("purchase in progress")
        settled[token] = buying.money_of(me.server, reservation)
        me.context.close()
        world.visitors.remove(me)
    kept = {token: told["capturado"] - told["reembolsado"] for token, told in settled.items()}
    assert kept == {
        "tok_ok": 50, "tok_lenta": 50, "tok_cobra_y_calla": 50, "tok_sin_fondos": 0, "tok_falla_captura": 0, "tok_sin_respuesta": 0,
    }, kept


@journey
def a_slow_card_is_watched_and_the_purchase_goes_on_while_the_page_is_away(world):
    me, ana, show = chosen(world, "Platea-A-1")
    buying.holds(me, 1)
    reservation = buying.pays(me, "tok_lenta")
    buying.sees_outcome(me, "pendiente")
    me.open("/mis-compras")
    me.sees("buying.purchases.going")
    me.inspect("my purchases with one in progress")
    me.open(f"/compra/{reservation}")
    buying.sees_outcome(me, "confirmada")
    buying.sees_steps(me)


@journey
def what_costs_nothing_is_confirmed_without_a_charge(world):
    show = world.show("Entrada libre", sections=[section("Platea", 2, 4)], precio=0)
    me, _, _ = chosen(world, "Platea-A-1", show=show)
    buying.holds(me, 1)
    me.inspect("held free of charge")
    me.button("show.pay_nothing").click()
    me.arrives(r"/compra/[0-9a-f-]{36}")
    buying.sees_outcome(me, "confirmada")


@journey
def money_without_decimals_is_shown_without_decimals(world):
    show = world.show("Kabuki", sections=[section("Platea", 2, 4, 12500)], precio=9000, moneda="JPY")
    me, _, _ = chosen(world, "Platea-A-1", show=show)
    buying.holds(me, 1)
    amount = "12,500" if me.language == "en" else "12.500"
    expect(me.button("show.pay")).to_contain_text(amount)
    expect(me.button("show.pay")).not_to_contain_text(f"{amount}.")
    expect(me.button("show.pay")).not_to_contain_text(f"{amount},")


@journey
def somebody_elses_purchase_is_nobodys_business(world):
    ana, beto = world.person(), world.person("Beto", "Ruiz")
    show = world.show("Noche de jazz", capacity=10)
    bought = shows.buy(world.server(), show, ana, cantidad=1)
    me = world.visitor(beto)
    me.expects(403, 404)
    me.open(f"/compra/{bought['reserva_id']}")
    me.reads_heading("buying.purchase.foreign")
    me.inspect("somebody else's purchase")
    me.open("/compra/00000000-0000-7000-8000-000000000000")
    me.reads_heading("buying.purchase.missing")
