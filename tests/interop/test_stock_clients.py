"""Stock clients, unmodified, against the real server: each case runs with every client version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from crafted import bad_updates, structs, text_item
from served import Server
from stock import HOCUSPOCUS, Y_WEBSOCKET, Agent, Peer
from wire import SYNC, plain, update

Agents = Callable[[str], Agent]


def test_two_people_write_one_document(server: Server, agent: Agent, document: str) -> None:
    ana = agent.open(server, document).until_synced()
    rui = agent.open(server, document).until_synced()
    ana.insert("Zaragoza")
    rui.until_text("Zaragoza")
    rui.insert(" and Porto 🌍")
    ana.until_text("Zaragoza and Porto 🌍")
    ana.delete(0, 8)
    rui.until_text(" and Porto 🌍")


def test_a_late_joiner_gets_text_and_presence_lesson_07(server: Server, agent: Agent, document: str) -> None:
    ana = agent.open(server, document, presence={"word": "ana"}).until_synced()
    ana.insert("written before you came")
    rui = agent.open(server, document, presence={"word": "rui"})
    rui.until_text("written before you came")
    rui.until_others({ana.client_id: "ana"})
    ana.until_others({rui.client_id: "rui"})


def test_presence_follows_and_goes_when_a_client_leaves(server: Server, agent: Agent, document: str) -> None:
    ana = agent.open(server, document, presence={"word": "ana"}).until_synced()
    rui = agent.open(server, document, presence={"word": "rui"}).until_synced()
    rui.presence({"word": "rui at the second line"})
    ana.until_others({rui.client_id: "rui at the second line"})
    rui.destroy()
    ana.until_others({})


def test_offline_edits_merge_on_return(server: Server, agent: Agent, document: str) -> None:
    ana = agent.open(server, document).until_synced()
    rui = agent.open(server, document).until_synced()
    ana.insert("start")
    rui.until_text("start")
    rui.disconnect()
    rui.until(lambda seen: not seen["synced"])
    rui.insert("rui was here, ", at=0)
    ana.insert(", and so was ana")
    rui.connect()
    whole = "rui was here, start, and so was ana"
    ana.until_text(whole)
    rui.until_text(whole)


def test_what_was_written_before_the_first_connection_arrives(
    server: Server, agent: Agent, document: str
) -> None:
    ana = agent.open(server, document).until_synced()
    agent.open(server, document, draft="a draft from the train")
    ana.until_text("a draft from the train")


def test_a_killed_client_is_gone_within_the_grace(server: Server, agent: Agent, document: str) -> None:
    ana = agent.open(server, document, presence={"word": "ana"}).until_synced()
    with Agent(agent.client) as doomed:
        rui = doomed.open(server, document, presence={"word": "rui"}).until_synced()
        ana.until_others({rui.client_id: "rui"})
        doomed.kill()
    ana.until_others({})


def test_after_a_cut_line_the_client_comes_back_as_itself_lesson_19(
    server: Server, agent: Agent, document: str
) -> None:
    ana = agent.open(server, document, presence={"word": "ana"}).until_synced()
    rui = agent.open(server, document, presence={"word": "rui"}).until_synced()
    eva = agent.open(server, document, presence={"word": "eva"}).until_synced()
    ana.until_others({rui.client_id: "rui", eva.client_id: "eva"})
    rui.until_others({ana.client_id: "ana", eva.client_id: "eva"})
    eva.until_others({ana.client_id: "ana", rui.client_id: "rui"})
    # When its line is cut a stock client forgets the others, and most versions tell the server so on return.
    rui.cut()
    rui.until(lambda seen: seen["connections"] == 2 and seen["synced"])
    rui.insert("back")
    ana.until_text("back")
    eva.until_text("back")
    # It returned within the grace, so that nobody ever saw it leave. A removal would have stayed until
    # its next renewal, 15 s later: a state that returns under the same clock is ignored (y-protocols).
    ana.until_others({rui.client_id: "rui", eva.client_id: "eva"})
    eva.until_others({rui.client_id: "rui", ana.client_id: "ana"})
    # For the same reason the returned client sees each other again with the next thing that one does.
    ana.presence({"word": "ana moved"})
    eva.presence({"word": "eva moved"})
    rui.until_others({ana.client_id: "ana moved", eva.client_id: "eva moved"})


def test_several_clients_of_one_person_do_not_take_each_others_presence(
    server: Server, agent: Agent, document: str
) -> None:
    token = server.token(document, subject="one-person")
    ana = agent.open(server, document, token, presence={"word": "at home"}).until_synced()
    rui = agent.open(server, document, token, presence={"word": "at school"}).until_synced()
    ana.until_others({rui.client_id: "at school"})
    rui.until_others({ana.client_id: "at home"})  # and some versions now repeat it to the server
    rui.destroy()
    ana.until_others({})
    eva = agent.open(server, document, token, presence={"word": "on the bus"}).until_synced()
    eva.until_others({ana.client_id: "at home"})


def test_a_reader_cannot_write_and_others_see_nothing(server: Server, agent: Agent, document: str) -> None:
    writer = agent.open(server, document).until_synced()
    writer.insert("only mine")
    reader = agent.open(server, document, server.token(document, "readonly"), presence={"word": "reader"})
    reader.until_text("only mine")
    writer.until_others({reader.client_id: "reader"})  # reading is no reason to be invisible
    reader.insert(" and yours?")
    # What follows in the same order on the same socket proves that the edit before it was not taken.
    reader.presence({"word": "after the edit"})
    writer.until_others({reader.client_id: "after the edit"})
    writer.insert("!")
    newcomer = agent.open(server, document)
    newcomer.until_text("only mine!")
    assert writer.text == "only mine!"
    reader.until(lambda seen: "!" in seen["text"])  # it still reads
    assert reader.look()["connections"] == 1
    if agent.speaks_hocuspocus:
        assert reader.look()["scope"] == "readonly"
        assert reader.look()["unsynced"] is True  # SyncStatus 0: what it typed is not saved, and it knows


@pytest.mark.parametrize("scope", ["read-write", "readonly"])
@pytest.mark.parametrize("client", HOCUSPOCUS)
def test_hocuspocus_is_told_its_scope_and_becomes_saved(
    server: Server, agents: Agents, client: str, scope: str, document: str
) -> None:
    peer = agents(client).open(server, document, server.token(document, scope))
    peer.until_saved()
    assert peer.look()["authenticated"] is True
    assert peer.look()["scope"] == scope
    peer.force_sync()
    peer.until_saved()


def denied(agent: Agent, server: Server, document: str, token: str) -> Peer:
    """A client whose token was refused, on a socket that it shares with another document."""
    peer = agent.open(server, document, token, socket=document)
    peer.until(lambda _: peer.events("authenticationFailed") == [{"reason": "permission-denied"}])
    peer.insert("typed while nobody let me in")
    return peer


@pytest.mark.parametrize("client", HOCUSPOCUS)
@pytest.mark.parametrize("wrong", ["for another document", "of no kind"])
def test_a_denied_token_is_told_and_a_good_one_gets_in_on_the_same_socket(
    server: Server, agents: Agents, client: str, document: str, wrong: str
) -> None:
    agent = agents(client)
    other = agent.open(server, f"{document}/other", socket=document).until_synced()
    peer = denied(
        agent, server, document, server.token(f"{document}/other") if "for" in wrong else "nonsense"
    )
    other.insert("the other document is not concerned")
    other.until_saved()
    newcomer = agent.open(server, document).until_synced()
    assert newcomer.text == ""
    peer.log_in(server.token(document))
    peer.until_saved()
    newcomer.until_text("typed while nobody let me in")
    assert peer.look()["connections"] == 1, "the socket was closed, but it should have stayed open"


@pytest.mark.parametrize("client", HOCUSPOCUS[1:])
def test_a_denied_client_may_also_leave_and_come_back(
    server: Server, agents: Agents, client: str, document: str
) -> None:
    agent = agents(client)
    agent.open(server, f"{document}/other", socket=document).until_synced()
    peer = denied(agent, server, document, "nonsense")
    peer.reattach(server.token(document))
    peer.until_saved()
    agent.open(server, document).until_text("typed while nobody let me in")
    assert peer.look()["connections"] == 1


@pytest.mark.parametrize("client", Y_WEBSOCKET)
def test_a_denied_y_websocket_gets_a_permanent_code_and_no_content(
    server: Server, agents: Agents, client: str, document: str
) -> None:
    agents(client).open(server, document).until_synced().insert("secret")
    for wrong in (server.token(f"{document}/wrong"), "not-a-token", ""):
        peer = agents(client).open(server, document, wrong)
        peer.until(lambda seen: bool(seen["closes"]))
        assert peer.look()["closes"][0]["code"] in (4401, 4403)
        assert peer.look()["closes"][0]["reason"]
        assert peer.text == ""
        if client == "y-websocket-3":
            peer.until(lambda _, peer=peer: bool(peer.events("closed")))
            assert peer.look()["wants"] is False
        peer.destroy()


@pytest.mark.parametrize("client", HOCUSPOCUS)
def test_many_documents_on_one_socket(server: Server, agents: Agents, client: str, document: str) -> None:
    agent = agents(client)
    names = [f"{document}/{number}" for number in range(12)]
    here = [agent.open(server, name, socket=document, presence={"word": name}) for name in names]
    for peer, name in zip(here, names, strict=True):
        peer.until_synced().insert(name)
    for peer, name in zip(here, names, strict=True):
        peer.until_saved()
        assert peer.text == name
    assert here[0].look()["connections"] == 1
    there = agent.open(server, names[3], presence={"word": "elsewhere"})
    there.until_text(names[3])
    there.until_others({here[3].client_id: names[3]})
    # Leaving one document leaves the others.
    here[3].destroy()
    there.until_others({})
    here[4].insert("!")
    here[4].until_saved()
    assert here[4].look()["connections"] == 1


def test_two_sessions_of_one_document_on_one_socket(server: Server, agents: Agents, document: str) -> None:
    agent = agents("hocuspocus-provider-4")
    left = agent.open(server, document, socket=document, sessionAwareness=True, presence={"word": "left"})
    right = agent.open(server, document, socket=document, sessionAwareness=True, presence={"word": "right"})
    left.until_saved()
    right.until_saved()
    left.insert("one")
    right.until_text("one")
    right.insert(" two")
    left.until_text("one two")
    left.until_others({right.client_id: "right"})
    right.until_others({left.client_id: "left"})
    left.until_saved()
    left.destroy()
    right.until_others({})
    right.insert(" three")
    right.until_saved()
    outside = agent.open(server, document)
    outside.until_text("one two three")
    assert right.look()["connections"] == 1


def test_sessions_of_one_socket_have_rights_of_their_own(
    server: Server, agents: Agents, document: str
) -> None:
    agent = agents("hocuspocus-provider-4")
    writer = agent.open(server, document, socket=document, sessionAwareness=True)
    reader = agent.open(
        server, document, server.token(document, "readonly"), socket=document, sessionAwareness=True
    )
    writer.until_saved()
    reader.until_saved()
    reader.insert("forbidden")
    writer.insert("allowed")
    writer.until_saved()
    outside = agent.open(server, document)
    outside.until_text("allowed")
    assert reader.look()["unsynced"] is True


def test_both_protocols_meet_in_one_document(server: Server, agents: Agents, document: str) -> None:
    everybody = [
        agents(client).open(server, document, presence={"word": client}).until_synced()
        for client in (*Y_WEBSOCKET, *HOCUSPOCUS)
    ]
    for peer in everybody:
        peer.until_others({other.client_id: other.agent.client for other in everybody if other is not peer})
    text = ""
    for peer in everybody:
        peer.until_text(text)
        peer.insert(peer.agent.client + "\n")
        text += peer.agent.client + "\n"
    for peer in everybody:
        peer.until_text(text)


@pytest.mark.parametrize("via", ["query", "subprotocol"])
def test_the_token_may_come_with_the_handshake(server: Server, agent: Agent, document: str, via: str) -> None:
    writer = agent.open(server, document, via=via).until_synced()
    writer.insert(f"by {via}")
    reader = agent.open(server, document, server.token(document, "readonly"), via=via)
    reader.until_text(f"by {via}")
    reader.insert("no")
    writer.insert("!")
    reader.until(lambda seen: "!" in seen["text"])
    assert writer.text == f"by {via}!"


NAMES = [
    "plain",
    "with/slashes/inside/",
    "ñandú-кот-教室-🌍",
    "100% ready",
    "%2F stays as it is",
    "a+b&c=d",
    "spaces between words",
]


@pytest.mark.parametrize("name", NAMES)
def test_document_names_survive_the_wire(server: Server, agents: Agents, document: str, name: str) -> None:
    unique = f"{document}/{name}"
    token = server.token(unique)
    for client in (*Y_WEBSOCKET, *HOCUSPOCUS):
        # y-websocket does not encode the name, so that its user has to; the server decodes once.
        given = unique.replace("%", "%25") if client in Y_WEBSOCKET else unique
        peer = agents(client).open(server, given, token).until_synced()
        peer.insert(f"{client} ")
        peer.until(lambda seen, client=client: client in seen["text"])
    reader = agents("hocuspocus-provider-4").open(server, unique, token)
    reader.until(lambda seen: sorted(seen["text"].split()) == sorted((*Y_WEBSOCKET, *HOCUSPOCUS)))


async def test_stock_clients_do_not_notice_a_hostile_one_lesson_05(
    server: Server, agents: Agents, document: str
) -> None:
    here = [agents(client).open(server, document).until_synced() for client in (*Y_WEBSOCKET, *HOCUSPOCUS)]
    here[0].insert("before ")
    for content in bad_updates().values():
        async with plain(server.ws, document, server.token(document, subject="mallory")) as line:
            await line.say(SYNC, update(content))
    async with plain(server.ws, document, server.token(document, subject="mallory")) as line:
        # accepted, kept and passed on, though what it builds on never comes
        await line.say(SYNC, update(structs(text_item("orphan"), client=88_001, clock=5)))
        await line.hear_until("update")
    here[1].until_text("before ")
    here[1].insert("and after")
    for peer in here:
        peer.until_text("before and after")
        assert peer.look()["connections"] == 1
    for client in (*Y_WEBSOCKET, *HOCUSPOCUS):
        agents(client).open(server, document).until_text("before and after")


def test_a_periodic_resync_is_harmless(server: Server, agents: Agents, document: str) -> None:
    agent = agents("y-websocket-3")
    ana = agent.open(server, document, resyncInterval=50).until_synced()
    rui = agent.open(server, document).until_synced()
    ana.insert("once")
    rui.until_text("once")
    before = ana.look()["messages"]
    ana.until(lambda seen: seen["messages"] > before + 10)
    assert ana.text == rui.text == "once"
    assert ana.look()["connections"] == 1


def test_unknown_stateless_payloads_are_harmless(server: Server, agents: Agents, document: str) -> None:
    agent = agents("hocuspocus-provider-4")
    ana = agent.open(server, document).until_synced()
    rui = agent.open(server, document).until_synced()
    ana.stateless("hello everybody")
    ana.insert("after it")
    rui.until_text("after it")
    ana.until_saved()
    assert rui.events("stateless") == []  # one client's words are not another's
    assert ana.look()["connections"] == 1


def test_after_a_restart_everybody_returns_and_nothing_doubles_lesson_09(
    tmp_path: Path, agents: Agents
) -> None:
    document = "doc/restart"
    with Server(tmp_path / "data") as server:
        everybody = [agents(client).open(server, document) for client in (*Y_WEBSOCKET, *HOCUSPOCUS)]
        text = ""
        for peer in everybody:
            peer.until_synced()
            peer.until_text(text)
            peer.insert(f"{peer.agent.client} ")
            text += f"{peer.agent.client} "
        for peer in everybody:
            peer.until_text(text)
        server.restart()
        for peer in everybody:
            assert peer.look()["closes"][0]["code"] == 1012  # service restart: come back
            peer.until(lambda seen: seen["connections"] >= 2 and seen["synced"])
            assert peer.text == text
        everybody[0].insert("and on")
        for peer in everybody:
            peer.until_text(text + "and on")
        for peer in everybody:
            peer.destroy()


def test_kill_minus_nine_loses_nothing_that_was_saved_lesson_01(tmp_path: Path, agents: Agents) -> None:
    document = "doc/kill"
    with Server(tmp_path / "data") as server:
        ana = agents("hocuspocus-provider-4").open(server, document).until_synced()
        for number in range(20):
            ana.insert(f"{number} ")
        ana.until_saved()
        port = int(server.http.rpartition(":")[2])
        server.kill()
        ana.destroy()
        server.start(port)
        agents("y-websocket-3").open(server, document).until_text(
            "".join(f"{number} " for number in range(20))
        )
