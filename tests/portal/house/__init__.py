"""What the journeys are made with: the program, a browser, visitors, people and shows."""

from . import buying, inspection, people, shows
from .journeys import ALL, journey, once
from .people import Person
from .server import Refused, Server
from .shows import section
from .visitor import AWAY, Visitor
from .world import World

__all__ = [
    "ALL", "AWAY", "Person", "Refused", "Server", "Visitor", "World", "buying", "inspection", "journey", "once", "people", "section", "shows",
]
