"""Invitations of adults over REST."""

from __future__ import annotations

from village_site import Site


async def test_a_link_is_read_without_a_log_in_and_accepted_once(site: Site) -> None:
    founder, outsider = await site.log_in("founder"), await site.log_in("outsider")
    path = f"/spaces/{site.facts.spaces['rivers']}/invitations"
    made = await site.call("POST", path, {"role": "teacher", "days": 60}, token=founder)
    assert (made.status, made.body["invitation"]["state"]) == (201, "open")
    link = f"/invitations/{made.body['token']}"
    told = await site.call("GET", link)
    assert (told.body["space_title"], told.body["inviter"]) == ("Two rivers", "Founder")
    assert (await site.call("POST", f"{link}/accept")).status == 401
    joined = await site.call("POST", f"{link}/accept", token=outsider)
    assert joined.body == {"space_id": site.facts.spaces["rivers"]}
    again = await site.call("POST", f"{link}/accept", token=outsider)
    assert (again.status, again.code) == (409, "invitation-over")
    assert (await site.call("GET", "/invitations/made-up")).status == 404


async def test_what_an_invitation_cannot_be(site: Site) -> None:
    token = await site.log_in("founder")
    path = f"/spaces/{site.facts.spaces['rivers']}/invitations"
    for body in (
        {},
        {"role": "student"},
        {"role": "guest", "days": 0},
        {"role": "guest", "days": 61},
        {"role": "guest", "email": "no address"},
    ):
        assert (await site.call("POST", path, body, token=token)).status == 422, body
