"""The Python client against the real server, in both framings."""

import asyncio
from itertools import product

import pytest
from conftest import MakeToken

from load.client import Client, Ended, GaveUp, Unreachable
from load.wire import Framing, TokenPlace

PLACES = [
    *product(Framing, [TokenPlace.QUERY, TokenPlace.SUBPROTOCOL]),
    (Framing.HOCUSPOCUS, TokenPlace.MESSAGE),
]


@pytest.mark.parametrize(("framing", "place"), PLACES)
async def test_it_connects_with_the_token_anywhere(
    url: str, document: str, token: MakeToken, framing: Framing, place: TokenPlace
) -> None:
    async with Client(url, document, token=token(document), framing=framing, token_place=place) as client:
        client.text("t").insert(0, "hello")
        await client.acknowledged()
        assert not client.replica.refused


@pytest.mark.parametrize(("one", "other"), list(product(Framing, Framing)))
async def test_two_clients_see_each_others_edits_and_presence(
    url: str, document: str, token: MakeToken, one: Framing, other: Framing
) -> None:
    async with (
        Client(url, document, token=token(document, "ana"), framing=one) as ana,
        Client(url, document, token=token(document, "rui"), framing=other) as rui,
    ):
        ana.text("t").insert(0, "hello")
        await rui.until(lambda: str(rui.text("t")) == "hello")
        rui.text("t").insert(5, "!")
        await ana.until(lambda: str(ana.text("t")) == "hello!")
        ana.show({"user": {"name": "Ana"}})
        await rui.until(lambda: ana.client_id in rui.others)
        ana.go_offline()
        await rui.until(lambda: ana.client_id not in rui.others)


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("abruptly", [False, True])
async def test_offline_edits_and_deletions_merge_on_return(
    url: str, document: str, token: MakeToken, framing: Framing, abruptly: bool
) -> None:
    async with (
        Client(url, document, token=token(document, "ana"), framing=framing) as ana,
        Client(url, document, token=token(document, "rui")) as rui,
    ):
        ana.text("t").insert(0, "hello")
        await ana.acknowledged()
        ana.go_offline(abruptly=abruptly)
        await ana.disconnected()
        ana.text("t").insert(5, " offline")
        del ana.text("t")[0:1]
        rui.text("t").insert(0, "R")
        await rui.acknowledged()
        assert len(ana.replica.unacknowledged) == 2
        ana.go_online()
        await ana.acknowledged()
        await ana.synced()
        await rui.until(lambda: str(rui.text("t")) == str(ana.text("t")) == "Rello offline")
        assert ana.connections == 2


async def test_a_read_only_client_is_refused_and_keeps_reading(
    url: str, document: str, token: MakeToken
) -> None:
    async with (
        Client(url, document, token=token(document)) as writer,
        Client(
            url, document, token=token(document, "reader", "readonly"), framing=Framing.HOCUSPOCUS
        ) as reader,
    ):
        assert reader.replica.scope == "readonly"
        reader.text("t").insert(0, "not mine to say")
        await reader.acknowledged()
        assert reader.replica.refused == 1
        writer.text("u").insert(0, "said")
        await reader.until(lambda: str(reader.text("u")) == "said")
        assert str(writer.text("t")) == ""


@pytest.mark.parametrize("framing", Framing)
async def test_a_denied_client_ends_and_does_not_try_again(url: str, document: str, framing: Framing) -> None:
    client = Client(url, document, token="forged", framing=framing)
    with pytest.raises(Ended):
        async with client:
            pass
    assert client.connections == 1


async def test_what_does_not_happen_is_given_up(url: str, document: str, token: MakeToken) -> None:
    async with Client(url, document, token=token(document), patience=0.2) as client:
        with pytest.raises(GaveUp, match=document):
            await client.until(lambda: False)


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(Unreachable, match="Nothing listens"):
        async with Client("ws://127.0.0.1:1/collab", "doc"):
            pass


async def test_a_closed_client_leaves_no_task(url: str, document: str, token: MakeToken) -> None:
    before = asyncio.all_tasks()
    async with Client(url, document, token=token(document)) as client:
        client.show({"here": True})
    assert asyncio.all_tasks() == before
