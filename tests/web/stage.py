"""What a world consists of: nodes, people in session, and the names that paths are made of."""

from dataclasses import dataclass, field

from tests.support.desk import Browser
from tests.support.network import House


@dataclass
class World:
    """The nodes, the people of the first, and the names that paths are made of."""

    houses: tuple[House, ...]
    people: dict[str, Browser] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    @property
    def house(self) -> House:
        """The node whose pages are looked at."""
        return self.houses[0]
