"""People who buy, made through the API."""

import dataclasses
import itertools
import secrets
import time

from .server import Server

PASSWORD = "caballo correcto 7"
_numbers = itertools.count(20_000_000)


@dataclasses.dataclass
class Person:
    server: Server
    user_id: str
    given_name: str
    family_name: str
    email: str
    document: str
    password: str

    def log_in(self):
        """Tokens of a new session."""
        return self.server.post("/api/auth/login", {"email": self.email, "password": self.password})

    def token(self):
        return self.log_in()["access_token"]

    def session(self):
        """What the portal keeps in the browser of somebody who has logged in."""
        tokens = self.log_in()
        return {
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "renew_at": int(time.time() * 1000) + tokens["expires_in"] * 750,
            "exchange_key": secrets.token_hex(16),
        }

    def may(self, *roles):
        self.server.ask("PUT", f"/api/usuarios/{self.user_id}/roles", {"roles": list(roles)})
        return self


def unused():
    """Details that nobody has registered with."""
    number = next(_numbers)
    return {"nro_documento": str(number), "email": f"persona{number}@example.org"}


def register(server, given_name="Ana", family_name="Pérez"):
    body = {"tipo_documento": "DNI", "nombre": given_name, "apellido": family_name, "password": PASSWORD} | unused()
    told, position = server.ask("POST", "/api/usuarios", body)
    server.visible(f"/api/usuarios/{told['usuario_id']}", position)
    return Person(
        server, told["usuario_id"], given_name, family_name, body["email"], body["nro_documento"], PASSWORD
    )
