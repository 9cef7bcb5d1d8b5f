"""Shows, made through the API."""

import itertools

_numbers = itertools.count(1)


def section(name, rows, seats, price=None, aisles=None, blocked=None):
    """A section of a room, as the API takes it."""
    told = {"nombre": name, "filas": rows, "asientos_por_fila": seats}
    for key, value in [("precio", price), ("pasillos", aisles), ("bloqueados", blocked)]:
        if value is not None:
            told[key] = value
    return told


def unique(name):
    """A name that no other show of this run has."""
    return f"{name} {next(_numbers)}"


def schedule(server, name="Noche de jazz", *, sections=None, capacity=None, token=None, **more):
    """Schedules a show, numbered with sections, otherwise by count; as the API tells it."""
    body = {"nombre": unique(name), "fecha": "2030-11-21T20:00:00Z", "lugar": "Teatro Colón", "precio": 50} | more
    if sections:
        body["mapa_asientos"] = {"secciones": sections}
    else:
        body["aforo_total"] = capacity or 100
    told, position = server.ask("POST", "/api/eventos", body, token=token)
    server.visible(f"/api/eventos/{told['evento_id']}", position)
    return told


def small_room():
    return [section("Platea", 4, 8), section("Palco", 2, 4, 80)]


def hold(server, show, person, **what):
    """`asientos=[…]` or `cantidad=n`."""
    told, position = server.ask(
        "POST", f"/api/eventos/{show['evento_id']}/bloqueos", {"usuario_id": person.user_id} | what
    )
    server.visible(f"/api/eventos/{show['evento_id']}", position)
    return told


def buy(server, show, person, token="tok_ok", **what):
    body = {"usuario_id": person.user_id, "evento_id": show["evento_id"], "pago": {"metodo": "tarjeta", "token": token}}
    told, position = server.ask("POST", "/api/reservar", body | what, Prefer="wait=20")
    server.visible(f"/api/eventos/{show['evento_id']}", position)
    return told


def seat_states(server, show):
    """`{seat: state}` now."""
    told = server.get(f"/api/eventos/{show['evento_id']}/asientos")
    rows = [row for one in told["secciones"] for row in one["filas"]]
    return {seat["asiento"]: seat["estado"] for row in rows for seat in row["asientos"]}
