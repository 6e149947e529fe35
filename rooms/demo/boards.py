"""What is on the demo's boards: columns, and in them cards of both schools' pupils and of their teachers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rooms.demo.talk import Who

__all__ = ["COLUMNS", "OUR_IDEAS", "TEAM_BOARDS", "Color", "DemoCard", "TeamMember"]

Color = Literal["yellow", "green", "blue", "pink", "orange", "white"]
TeamMember = Literal["ebro 1", "ebro 2", "douro 1", "douro 2"]
"""A team's first and second pupil of the first school, and of the second."""


@dataclass(frozen=True, slots=True)
class DemoCard:
    who: Who | TeamMember
    column: int
    """The number, from 0, of its column."""
    text: str
    color: Color = "yellow"


COLUMNS: Final = ("Ideas", "We are on it", "Done")

OUR_IDEAS: Final = (
    DemoCard("otter", 0, "Un mapa de los dos ríos en una sola hoja, con los afluentes de lana."),
    DemoCard("trout", 0, "Gravar o som do rio de manhã e à noite.", "blue"),
    DemoCard("heron", 0, "Count birds at the same hour in both cities. Who counts better?", "green"),
    DemoCard("kingfisher", 0, "Um postal para a outra turma: o meu sítio preferido na margem.", "pink"),
    DemoCard("rui", 0, "What would you ask somebody who fishes here? Collect three questions.", "white"),
    DemoCard("heron", 1, "Birds of this week\nMonday: 12\nTuesday: 9", "green"),
    DemoCard("otter", 1, "Medir la temperatura del agua todos los martes."),
    DemoCard("trout", 1, "Find the oldest photo of the Luís I bridge.", "orange"),
    DemoCard("kingfisher", 2, "Escolher um lugar na margem: o Cais da Ribeira.", "blue"),
    DemoCard("ana", 2, "Hello in three languages: hola, olá, hello!", "white"),
)

TEAM_BOARDS: Final = {
    "North bank": (
        DemoCard("ebro 1", 0, "We take a magnifying glass and two bags for litter.", "green"),
        DemoCard("douro 1", 0, "Desenhar a ponte vista de baixo.", "blue"),
        DemoCard("ebro 2", 0, "¿Quién lleva el mapa?"),
        DemoCard("douro 2", 1, "Ask the ferryman how deep the river is.", "orange"),
        DemoCard("ebro 1", 2, "We have a name: North bank!", "pink"),
    ),
    "South bank": (
        DemoCard("douro 1", 0, "Uma lista de tudo o que flutua.", "blue"),
        DemoCard("ebro 1", 0, "Photos of the water only, no faces."),
        DemoCard("douro 2", 0, "A minute of silence, then everybody writes what they heard.", "green"),
        DemoCard("ebro 2", 1, "Buscar la marca de la última crecida.", "orange"),
        DemoCard("douro 1", 2, "Escolhemos o nome: South bank!", "pink"),
    ),
    "Team Kingfisher": (
        DemoCard("ebro 1", 0, "Where does it sleep? Nobody of us knows.", "blue"),
        DemoCard("douro 1", 0, "Imitar o canto e gravar.", "orange"),
        DemoCard("ebro 2", 1, "Veinte minutos sin hablar, en la orilla."),
        DemoCard("douro 2", 1, "Draw it from memory, then look it up.", "pink"),
        DemoCard("ebro 1", 2, "It eats small fish, head first.", "green"),
    ),
}
