"""What is written on the demo's pages, as plain blocks in English, Spanish and Portuguese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rooms.values import EditRule, SeeRule

__all__ = ["PAGES", "Block", "DemoPage"]

Kind = Literal["heading", "paragraph", "quote", "bullets", "numbers", "tasks", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page."""

    kind: Kind
    text: str = ""
    """Of a heading, paragraph or quote."""
    level: int = 2
    """Of a heading, 1 to 3."""
    items: tuple[str, ...] = ()
    """Of a list; a task that is done begins with ``[x] ``."""
    rows: tuple[tuple[str, ...], ...] = ()
    """Of a table; the first row is its head."""


@dataclass(frozen=True, slots=True)
class DemoPage:
    """A page of the demo's TwinSpace. ``parent`` is the title of an earlier one."""

    title: str
    room: Literal["general", "team", "staff"]
    blocks: tuple[Block, ...] = ()
    parent: str | None = None
    see_rule: SeeRule = SeeRule.MEMBERS
    edit_rule: EditRule = EditRule.EVERYONE
    locked_because: str | None = None
    by: Literal["otter", "heron", "trout", "kingfisher", ""] = ""
    """The pupil who has written it; empty: nobody in particular."""


def h(text: str, level: int = 2) -> Block:
    return Block("heading", text, level)


def p(text: str) -> Block:
    return Block("paragraph", text)


PAGES: Final = (
    DemoPage(
        "Welcome",
        "general",
        (
            p(
                "Two classes, two rivers. The Ebro rises in Fontibre and reaches the Mediterranean; the "
                "Douro rises a morning's drive away, in Picos de Urbión, and reaches the Atlantic. We live "
                "on their banks, in Zaragoza and in Porto, and this notebook belongs to all of us."
            ),
            h("How we work"),
            Block(
                "bullets",
                items=(
                    "Everybody may write on the pages of both rivers, at the same time.",
                    "Write in the language you like: somebody from the other class will translate.",
                    "Measure first, explain afterwards. Say where and when you measured.",
                ),
            ),
            h("This month"),
            Block(
                "tasks",
                items=(
                    "[x] Say hello in three languages",
                    "[x] Choose a place on the river bank",
                    "Measure temperature and level every Tuesday",
                    "Draw one plant and one bird that live there",
                    "Meet online and compare our tables",
                ),
            ),
        ),
        edit_rule=EditRule.TEACHERS,
    ),
    DemoPage(
        "Our two rivers",
        "general",
        (
            p("What is the same, what is different? Fill in what you find, and say where you found it."),
            Block(
                "table",
                rows=(
                    ("", "Ebro", "Douro / Duero"),
                    ("Length", "930 km", "897 km"),
                    ("Rises in", "Fontibre, Cantabria", "Picos de Urbión, Soria"),
                    ("Reaches", "the Mediterranean", "the Atlantic"),
                    ("Our city", "Zaragoza", "Porto"),
                ),
            ),
            h("Questions we have"),
            Block(
                "numbers",
                items=(
                    "Why do two rivers that rise so close to each other end in different seas?",
                    "Which of them carries more water in August?",
                    "Who lived on their banks two thousand years ago?",
                ),
            ),
        ),
    ),
    DemoPage(
        "El Ebro en Zaragoza",
        "general",
        (
            p(
                "El Ebro cruza la ciudad de oeste a este y pasa junto a la basílica del Pilar. Medimos desde "
                "la orilla del parque Macanaz, enfrente de la basílica."
            ),
            h("Lo que vemos desde la orilla"),
            Block(
                "bullets",
                items=(
                    "El puente de Piedra, con sus leones",
                    "Garzas reales en las isletas, casi siempre por la mañana",
                    "Álamos, sauces y tamarices",
                ),
            ),
            h("Nuestras medidas"),
            Block(
                "table",
                rows=(
                    ("Fecha", "Temperatura del agua", "Nivel"),
                    ("3 de noviembre", "13,5 °C", "1,1 m"),
                    ("10 de noviembre", "12,0 °C", "1,3 m"),
                    ("17 de noviembre", "10,5 °C", ""),
                ),
            ),
        ),
        parent="Our two rivers",
        by="otter",
    ),
    DemoPage(
        "O Douro no Porto",
        "general",
        (
            p(
                "O Douro chega ao Porto depois de atravessar as encostas das vinhas. Medimos no Cais da "
                "Ribeira, onde a maré do Atlântico ainda se sente."
            ),
            h("O que vemos do cais"),
            Block(
                "bullets",
                items=(
                    "A ponte Luís I e os barcos rabelos",
                    "Gaivotas, corvos-marinhos e, com sorte, uma lontra",
                    "A água que sobe e desce duas vezes por dia",
                ),
            ),
            h("As nossas medições"),
            Block(
                "table",
                rows=(
                    ("Data", "Temperatura da água", "Nível"),
                    ("3 de novembro", "15,0 °C", "maré cheia"),
                    ("10 de novembro", "14,5 °C", "maré vazia"),
                    ("17 de novembro", "13,5 °C", ""),
                ),
            ),
        ),
        parent="Our two rivers",
        by="trout",
    ),
    DemoPage(
        "Words of the river",
        "general",
        (
            p("A small dictionary that grows. Student editors keep it tidy."),
            Block(
                "table",
                rows=(
                    ("English", "Español", "Português"),
                    ("bank", "orilla", "margem"),
                    ("bridge", "puente", "ponte"),
                    ("tide", "marea", "maré"),
                    ("heron", "garza", "garça"),
                    ("flood", "crecida", "cheia"),
                ),
            ),
        ),
        edit_rule=EditRule.EDITORS,
    ),
    DemoPage(
        "Our promise",
        "general",
        (
            p("Both classes agreed on this in October, so it stays as it is until we meet again."),
            Block(
                "numbers",
                items=(
                    "We are kind, also when we disagree.",
                    "We do not delete what others wrote. We ask.",
                    "We show no faces and no surnames.",
                    "We stay two steps away from the water.",
                ),
            ),
            Block("quote", "No man ever steps in the same river twice. (Heraclitus)"),
        ),
        locked_because="Both classes agreed on these words. We talk about changes in our next meeting.",
    ),
    DemoPage(
        "Team Kingfisher: what we want to find out",
        "team",
        (
            p("Our team watches birds: Martín pescador, guarda-rios, kingfisher. Three names, one bird."),
            Block(
                "tasks",
                items=("[x] Find out what it eats", "Watch for twenty minutes", "Draw it from memory"),
            ),
        ),
    ),
    DemoPage(
        "The legend of the three rivers",
        "general",
        (
            p(
                "They say that the Duero, the Tajo and the Guadiana were three sleepers who agreed to race "
                "to the sea. One woke early... (to be continued)"
            ),
        ),
        see_rule=SeeRule.DRAFT,
        edit_rule=EditRule.EDITORS,
        by="heron",
    ),
    DemoPage(
        "Planning for teachers",
        "staff",
        (
            h("Next steps"),
            Block(
                "tasks",
                items=(
                    "[x] Code cards for both classes",
                    "Agree on a date for the online meeting (mind the hour between us)",
                    "Ask the water authorities for a visit",
                ),
            ),
            p("Students do not see this page."),
        ),
        see_rule=SeeRule.STAFF,
        edit_rule=EditRule.TEACHERS,
    ),
)
