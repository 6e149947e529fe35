"""Discussions: live for all, held where they must be, hidden for good, sent once, without a mouse."""

from __future__ import annotations

import re
import uuid

from conftest import PHONE, LogsIn, Watch
from demo_server import Demo
from playwright.sync_api import expect
from talk_page import (
    bodies,
    call,
    composer,
    make_post,
    make_room,
    make_thread,
    open_thread,
    post,
    scrubbed,
    write,
)
from test_shell_keyboard import tab_to
from test_shell_offline import kept


def test_a_post_appears_for_everybody_at_once(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    talk = make_thread(ana, demo)
    for page in (ana, brave, quick):
        open_thread(page, talk)
    write(ana, "How long are they? See https://example.org/rivers")
    link = post(quick, "How long are they?").get_by_role("link", name="example.org/rivers")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    write(brave, "The **Ebro** is 930 km long")
    for page in (ana, brave, quick):
        one = post(page, "The Ebro is 930 km long")
        expect(one).to_have_count(1)
        expect(one.locator(".byline")).to_contain_text(demo.students[0].name)
        expect(one.locator(".byline")).to_contain_text(demo.schools[0])
        expect(one.locator(".post-body strong")).to_have_text("Ebro")
    expect(composer(brave)).to_have_value("")
    post(quick, "930 km").get_by_role("button", name="Answer").click()
    expect(composer(quick)).to_be_focused()
    write(quick, "And the Douro 897 km")
    answer = post(brave, "And the Douro 897 km")
    expect(answer.locator(".answers")).to_contain_text(
        f"Answer to {demo.students[0].name}: The Ebro is 930 km"
    )
    post(ana, "And the Douro").get_by_role("button", name="React").click()
    post(ana, "And the Douro").get_by_role("button", name="Good idea").click()
    heart = post(brave, "And the Douro").get_by_role("button", name="Good idea")
    expect(heart).to_have_attribute("aria-pressed", "false")
    expect(heart).to_have_text("")
    expect(post(ana, "And the Douro").get_by_role("button", name="Good idea")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_what_is_held_is_seen_by_its_author_and_by_the_teacher_only_until_it_is_approved(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    for page in (ana, brave, quick):
        open_thread(page, talk)
    expect(brave.get_by_text("Your teacher reads it first.")).to_be_visible()
    write(brave, "May I say this?")
    expect(post(brave, "May I say this?").get_by_text("Waiting for your teacher")).to_be_visible()
    held = ana.get_by_role("region", name="One post waits for you")
    expect(held.get_by_text("May I say this?")).to_be_visible()
    write(ana, "Everyone hears me")
    expect(post(quick, "Everyone hears me")).to_be_visible()
    assert "May I say this?" not in quick.content()
    held.get_by_role("button", name="Put it up").click()
    for page in (ana, brave, quick):
        expect(post(page, "May I say this?")).to_have_count(1)
        expect(page.locator(".posts .post-body", has_text="May I say this?")).to_be_visible()
    expect(brave.get_by_text("Waiting for your teacher")).to_have_count(0)
    expect(held).to_have_count(0)

    write(brave, "And this one?")
    held.get_by_role("button", name="Not this time").click()
    ana.get_by_label("What do you want to tell the author?").fill("Say it a little kinder")
    ana.get_by_role("dialog").get_by_role("button", name="Not this time").click()
    turned_down = post(brave, "And this one?")
    expect(turned_down.get_by_text("Not put up")).to_be_visible()
    expect(turned_down.get_by_text("Say it a little kinder")).to_be_visible()
    turned_down.get_by_role("button", name="Write it again").click()
    expect(composer(brave)).to_have_value("And this one?")
    assert "And this one?" not in quick.content()


def test_hidden_words_leave_every_screen_and_device_and_can_come_back(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    talk = make_thread(ana, demo)
    words = f"canary {uuid.uuid4().hex}"
    for page in (ana, brave, quick):
        open_thread(page, talk)
    write(brave, words)
    expect(post(quick, words)).to_be_visible()
    post(ana, words).get_by_role("button", name="More about the post").click()
    ana.get_by_role("dialog").get_by_role("button", name="Hide").click()
    ana.get_by_label("Why?").fill("Not for this room")
    ana.get_by_role("dialog").get_by_role("button", name="Hide").click()
    for page in (brave, quick):
        expect(page.get_by_text("A teacher has hidden this post.")).to_be_visible()
        expect(post(page, words)).to_have_count(0)
        page.wait_for_timeout(300)
        assert scrubbed(page, words)
        assert words not in page.content()
    expect(ana.get_by_text(f"{demo.teacher.name} has hidden this post.")).to_be_visible()
    assert words not in ana.content()
    ana.get_by_role("button", name="Show the words").click()
    expect(ana.get_by_text(words)).to_be_visible()
    ana.get_by_role("button", name="Show to everyone again").click()
    for page in (ana, brave, quick):
        expect(post(page, words)).to_be_visible()


def test_posts_made_without_a_network_survive_a_reload_and_are_sent_once_in_order(
    student: LogsIn, teacher: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket connection")
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    make_post(ana, demo, talk, "Written before")
    open_thread(brave, talk)
    expect(post(brave, "Written before")).to_be_visible()
    kept(brave)
    brave.context.set_offline(True)
    expect(brave.get_by_text("your post waits on this device")).to_be_visible(timeout=40_000)
    for words in ("First without a line", "Second without a line"):
        write(brave, words)
        expect(post(brave, words).get_by_text("Not sent yet.")).to_be_visible()
    brave.reload()
    expect(post(brave, "Written before")).to_be_visible()
    for words in ("First without a line", "Second without a line"):
        expect(post(brave, words).get_by_text("Not sent yet.")).to_be_visible()
    brave.context.set_offline(False)
    expect(brave.get_by_text("Not sent yet.")).to_have_count(0, timeout=60_000)
    open_thread(ana, talk)
    expect(post(ana, "Second without a line")).to_be_visible()
    assert bodies(ana) == ["Written before", "First without a line", "Second without a line"]
    expect(brave.locator(".posts .post-body")).to_have_count(3)
    assert bodies(brave) == bodies(ana)


def test_a_lost_answer_makes_no_second_post(
    student: LogsIn, teacher: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("ERR_FAILED|ERR_CONNECTION|Service Worker registration blocked")
    ana, brave = teacher(), student(0, service_workers="block")
    talk = make_thread(ana, demo)
    open_thread(brave, talk)
    lost = []

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    brave.route("**/api/threads/*/posts", lose)
    write(brave, "Only once, please")
    expect(post(brave, "Only once, please")).to_have_count(1)
    expect(brave.locator(".post.waiting")).to_have_count(0)
    assert lost == [201]
    open_thread(ana, talk)
    expect(post(ana, "Only once, please")).to_have_count(1)


def test_what_is_refused_stays_with_its_reason_and_can_be_written_again(
    student: LogsIn, teacher: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket connection|Service Worker registration blocked")
    ana, brave = teacher(), student(0, service_workers="block")
    talk = make_thread(ana, demo)
    open_thread(brave, talk)
    brave.context.set_offline(True)
    write(brave, "Too late for this")
    call(ana, demo, "PUT", f"/threads/{talk.id}/lock", {"reason": "We are done"})
    brave.context.set_offline(False)
    refused = post(brave, "Too late for this")
    expect(refused.get_by_text("This was not sent")).to_be_visible(timeout=60_000)
    expect(refused.get_by_text("A teacher has locked this.")).to_be_visible()
    call(ana, demo, "DELETE", f"/threads/{talk.id}/lock")
    expect(composer(brave)).to_be_visible()
    refused.get_by_role("button", name="Send again").click()
    open_thread(ana, talk)
    expect(post(ana, "Too late for this")).to_have_count(1)
    expect(brave.get_by_text("This was not sent")).to_have_count(0)


def test_a_locked_thread_says_so_at_once_and_opens_again(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(ana, talk)
    open_thread(brave, talk)
    expect(composer(brave)).to_be_visible()
    ana.get_by_role("button", name="Lock", exact=True).click()
    ana.get_by_label("Why?").fill("Time for the break")
    ana.get_by_role("dialog").get_by_role("button", name="Lock", exact=True).click()
    expect(brave.get_by_text(f"{demo.teacher.name} has locked this discussion.")).to_be_visible()
    expect(brave.get_by_text("Time for the break")).to_be_visible()
    expect(brave.get_by_text("You can read it.")).to_be_visible()
    expect(composer(brave)).to_have_count(0)
    ana.get_by_role("button", name="Unlock").click()
    expect(composer(brave)).to_be_visible()


def test_a_poll_is_made_voted_in_and_counted(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(ana, talk)
    open_thread(brave, talk)
    expect(brave.get_by_role("button", name="Make a poll")).to_have_count(0)
    composer(ana).fill("Which river first?")
    ana.get_by_role("button", name="Make a poll").click()
    ana.get_by_label("Answers to choose from").fill("Ebro")
    ana.get_by_role("button", name="Send").click()
    expect(ana.get_by_role("alert").filter(has_text="A poll needs")).to_be_visible()
    ana.get_by_label("Answers to choose from").fill("Ebro\nDouro")
    ana.get_by_role("button", name="Send").click()
    poll = post(brave, "Which river first?")
    expect(poll.get_by_text("votes")).to_have_count(0)
    poll.get_by_label("Douro").check()
    poll.get_by_role("button", name="Vote").click()
    expect(poll.get_by_text("your vote")).to_be_visible()
    expect(poll.get_by_text("You see what was chosen when the poll is closed.")).to_be_visible()
    expect(poll.locator("meter")).to_have_count(0)
    expect(poll.get_by_role("button", name="Close the poll")).to_have_count(0)
    asked = post(ana, "Which river first?")
    asked.get_by_role("button", name="Show the answers").click()
    expect(asked.get_by_text("One vote")).to_be_visible()
    quick = student(1)
    open_thread(quick, talk)
    post(quick, "Which river first?").get_by_label("Douro").check()
    post(quick, "Which river first?").get_by_role("button", name="Vote").click()
    expect(asked.get_by_text("2 votes")).to_be_visible()

    asked.get_by_role("button", name="Close the poll").click()
    dialog = ana.get_by_role("dialog")
    expect(dialog).to_contain_text("everybody sees what was chosen")
    dialog.get_by_role("button", name="Close the poll").click()
    expect(asked.get_by_text("The poll is closed.", exact=True)).to_be_visible()
    expect(asked.get_by_text("2 votes")).to_be_visible()
    expect(poll.get_by_text("What was chosen, most often first:")).to_be_visible()
    expect(poll.get_by_role("listitem")).to_have_text(["Douroyour vote", "Ebro"])
    expect(poll.get_by_role("button", name="my vote")).to_have_count(0)
    expect(poll).not_to_contain_text("votes")
    brave.reload()
    expect(poll.get_by_role("listitem")).to_have_text(["Douroyour vote", "Ebro"])


def test_authors_change_and_take_back_their_own(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    brave, quick = student(0), student(1)
    talk = make_thread(teacher(), demo)
    open_thread(brave, talk)
    open_thread(quick, talk)
    write(brave, "A tpyo")
    expect(post(quick, "A tpyo")).to_be_visible()
    expect(post(quick, "A tpyo").get_by_role("button", name="Report")).to_be_visible()
    post(brave, "A tpyo").get_by_role("button", name="More about the post").click()
    brave.get_by_role("dialog").get_by_role("button", name="Change").click()
    brave.get_by_role("dialog").get_by_label("Your post").fill("A typo")
    brave.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(post(quick, "A typo").locator(".byline")).to_contain_text("changed")
    post(brave, "A typo").get_by_role("button", name="More about the post").click()
    brave.get_by_role("dialog").get_by_role("button", name="Hide my post").click()
    brave.get_by_role("dialog").get_by_role("button", name="Hide", exact=True).click()
    expect(brave.get_by_text("You took this post back.")).to_be_visible()
    expect(quick.get_by_text("The author took this post back.")).to_be_visible()


def test_a_hand_is_raised_for_all_to_see(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(ana, talk)
    open_thread(brave, talk)
    brave.get_by_role("button", name="Raise a hand").click()
    expect(ana.get_by_text(f"Hands up: {demo.students[0].name}")).to_be_visible()
    brave.get_by_role("button", name="Your hand is up").click()
    expect(ana.get_by_text("Hands up")).to_have_count(0)


def test_by_keyboard_alone_from_the_space_to_an_answer_that_mentions_somebody(
    student: LogsIn, teacher: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    make_post(ana, demo, talk, "Who can help?")
    brave.goto(f"/spaces/{demo.space}")
    expect(brave.get_by_role("link", name=talk.title).first).to_be_visible()
    tab_to(brave, talk.title)
    brave.keyboard.press("Enter")
    expect(brave.get_by_role("heading", level=1, name=talk.title)).to_be_focused()
    expect(post(brave, "Who can help?")).to_be_visible()
    tab_to(brave, "^Answer")
    brave.keyboard.press("Enter")
    expect(composer(brave)).to_be_focused()
    first, *_ = demo.teacher.name.split()
    brave.keyboard.type(f"I can, @{first[:2].lower()}")
    options = brave.get_by_role("listbox", name="People to mention")
    expect(options.get_by_role("option").first).to_contain_text(demo.teacher.name)
    brave.keyboard.press("ArrowDown")
    brave.keyboard.press("ArrowUp")
    brave.keyboard.press("Enter")
    expect(composer(brave)).to_have_value(f"I can, {demo.teacher.name} ")
    expect(options).to_have_count(0)
    brave.keyboard.press("Control+Enter")
    answer = post(brave, "I can,")
    expect(answer.locator(".mention")).to_have_text(demo.teacher.name)
    expect(answer.locator(".answers")).to_contain_text("Who can help?")
    expect(composer(brave)).to_be_focused()
    open_thread(ana, talk)
    expect(post(ana, "I can,")).to_have_count(1)


def test_a_screen_reader_hears_new_posts_unless_it_is_to_be_quiet(
    student: LogsIn, teacher: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(brave, talk)
    make_post(ana, demo, talk, "Hear **me**")
    expect(brave.locator(".announcer.heard")).to_have_text(f"{demo.teacher.name}: Hear me")
    brave.get_by_role("button", name="More about this discussion").click()
    brave.get_by_label("Read new posts out").uncheck()
    brave.keyboard.press("Escape")
    make_post(ana, demo, talk, "Hear me not")
    expect(post(brave, "Hear me not")).to_be_visible()
    brave.wait_for_timeout(2500)
    expect(brave.locator(".announcer.heard")).not_to_contain_text("Hear me not")
    brave.reload()
    brave.get_by_role("button", name="More about this discussion").click()
    expect(brave.get_by_label("Read new posts out")).not_to_be_checked()


def test_discussions_are_started_found_and_marked_as_new(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0, viewport=PHONE)
    brave.goto(f"/spaces/{demo.space}")
    expect(brave.locator(".talk-home")).to_be_visible()
    ana.goto(f"/spaces/{demo.space}")
    tree = ana.get_by_role("navigation", name="This TwinSpace")
    tree.get_by_role("button", name="New discussion").first.click()
    title = f"Start {uuid.uuid4().hex[:6]}"
    expect(ana.get_by_label("What is it about?")).to_be_focused()
    ana.get_by_label("What is it about?").fill(title)
    ana.get_by_label("First post").fill("Welcome!")
    ana.get_by_role("button", name="Start", exact=True).click()
    expect(ana.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(post(ana, "Welcome!")).to_be_visible()
    card = brave.locator(".talk-home .card", has_text=title)
    expect(card).to_contain_text("New posts")
    brave.get_by_role("navigation", name="Main menu").get_by_role("button", name="Talk").click()
    brave.get_by_role("dialog").get_by_role("link", name=title).click()
    expect(post(brave, "Welcome!")).to_be_visible()
    brave.get_by_role("navigation", name="Main menu").get_by_role("link", name="Home").click()
    expect(card).to_be_visible()
    expect(card).not_to_contain_text("New posts")


def test_a_pupil_asks_a_teacher_and_no_other_pupil_sees_it(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    rui = next(
        each
        for each in call(ana, demo, "GET", f"/spaces/{demo.space}/members")
        if each["name"] == demo.partner.name
    )
    quick.goto(f"/spaces/{demo.space}")
    brave.goto(f"/spaces/{demo.space}")
    tree = brave.get_by_role("navigation", name="This TwinSpace")
    tree.get_by_role("button", name="New discussion").first.click()
    title = f"Help {uuid.uuid4().hex[:6]}"
    brave.get_by_label("What is it about?").fill(title)
    brave.get_by_label("Ask my teacher").check()
    brave.get_by_label("First post").fill("I do not understand")
    brave.get_by_role("button", name="Start", exact=True).click()
    expect(brave.get_by_text("Two teachers have to be in this TwinSpace")).to_be_visible()
    call(ana, demo, "PATCH", f"/memberships/{rui['id']}", {"role": "admin"})
    brave.get_by_role("button", name="Start", exact=True).click()
    expect(brave.get_by_text("Only you and the teachers who help you can see this.")).to_be_visible()
    ana.goto(f"/spaces/{demo.space}")
    ana.get_by_role("link", name=title).first.click()
    expect(post(ana, "I do not understand")).to_be_visible()
    quick.reload()
    expect(quick.locator(".talk-home")).to_be_visible()
    expect(quick.get_by_role("link", name=title)).to_have_count(0)
    call(ana, demo, "PATCH", f"/memberships/{rui['id']}", {"role": "teacher"})


def test_logging_out_takes_discussions_off_the_device(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    words = f"kept {uuid.uuid4().hex}"
    make_post(ana, demo, talk, words)
    open_thread(brave, talk)
    expect(post(brave, words)).to_be_visible()
    brave.wait_for_function(
        "async () => (await indexedDB.databases()).some(({name}) => name.endsWith(':threads'))"
    )
    brave.get_by_role("button", name="log out").click()
    brave.get_by_role("button", name="Log out", exact=True).click()
    expect(brave.get_by_role("heading", name="Come in")).to_be_visible()
    assert scrubbed(brave, words)


def test_marks_and_hostile_words_are_shown_and_not_run(student: LogsIn, teacher: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    hostile = [
        "<img src=x onerror=\"document.title='owned'\">",
        "[click](javascript:document.title='owned')",
        "> - **<script>document.title='owned'</script>**",
        "`${document.title='owned'}` <svg/onload=alert(1)>",
    ]
    for words in hostile:
        make_post(ana, demo, talk, words)
    open_thread(brave, talk)
    expect(brave.locator(".posts .post-body")).to_have_count(len(hostile))
    assert brave.locator(".post-body :is(img, svg, script, iframe)").count() == 0
    assert brave.locator(".post-body a").count() == 0
    assert "owned" not in brave.title()
    expect(brave.locator(".post-body blockquote")).to_have_count(1)


def test_a_teacher_far_down_in_a_thread_is_led_to_what_waits(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(viewport=PHONE), student(0)
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    for number in range(60):
        make_post(ana, demo, talk, f"Line number {number}")
    open_thread(ana, talk)
    expect(post(ana, "Line number 59")).to_be_in_viewport()
    expect(post(ana, "Line number 9")).to_have_count(0)
    ana.get_by_role("button", name="Show 10 earlier posts").click()
    expect(ana.locator(".posts .post-body").first).to_have_text("Line number 0")
    make_post(brave, demo, talk, "Do you see me?")
    ana.get_by_role("button", name="One post waits for you").click()
    expect(ana.get_by_role("button", name="Put it up")).to_be_focused()
    expect(ana.get_by_role("button", name="Put it up")).to_be_in_viewport()
    ana.keyboard.press("Enter")
    ana.get_by_role("button", name="One new post").click()
    expect(post(ana, "Do you see me?")).to_be_in_viewport()


def test_a_post_is_reported_with_one_tap_and_in_childrens_words(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    bad = make_post(student(1), demo, talk, "This is about you")
    open_thread(brave, talk)
    post(brave, "This is about you").get_by_role("button", name="Report").click()
    brave.get_by_label("It is unkind to somebody").check()
    brave.get_by_label("Do you want to say more?").fill("It is about me")
    brave.get_by_role("button", name="Send the report").click()
    expect(brave.locator(".announcer.toast")).to_contain_text("A teacher will look at it")
    reports = call(ana, demo, "GET", f"/spaces/{demo.space}/reports")
    assert [each["reason"] for each in reports if each["target_id"] == bad["id"]] == ["unkind"]


def test_a_muted_pupil_is_told_at_once_and_may_write_again_later(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(brave, talk)
    expect(composer(brave)).to_be_visible()
    member = next(
        each
        for each in call(ana, demo, "GET", f"/spaces/{demo.space}/members")
        if each["name"] == demo.students[0].name
    )
    call(ana, demo, "PUT", f"/memberships/{member['id']}/mute", {"reason": "Too loud"})
    expect(brave.get_by_text("Talk to your teacher: they know why.")).to_be_visible()
    expect(composer(brave)).to_have_count(0)
    call(ana, demo, "DELETE", f"/memberships/{member['id']}/mute")
    expect(composer(brave)).to_be_visible()


def test_somebody_not_to_be_read_becomes_a_line_and_can_be_read_again(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    brave, quick = student(0), student(1)
    name = demo.students[1].name
    talk = make_thread(teacher(), demo)
    make_post(quick, demo, talk, "Do you read me?")
    open_thread(brave, talk)
    post(brave, "Do you read me?").get_by_role("button", name="More about the post").click()
    brave.get_by_role("button", name=f"Do not show me posts of {name}").click()
    brave.get_by_role("button", name="Save").click()
    expect(brave.get_by_text("A post of somebody you do not want to read.")).to_be_visible()
    expect(post(brave, "Do you read me?")).to_have_count(0)
    make_post(quick, demo, talk, "And now?")
    expect(brave.get_by_text("A post of somebody you do not want to read.")).to_have_count(2)
    brave.reload()
    expect(brave.get_by_text("A post of somebody you do not want to read.")).to_have_count(2)
    brave.get_by_role("button", name="Show it").first.click()
    post(brave, "Do you read me?").get_by_role("button", name="More about the post").click()
    brave.get_by_role("button", name=f"Show me posts of {name} again").click()
    expect(post(brave, "And now?")).to_be_visible()


def test_a_phone_number_is_held_and_its_author_is_told_why_kindly(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    open_thread(brave, talk)
    open_thread(ana, talk)
    write(brave, "Call me: +34 600 123 456")
    waiting = post(brave, "Call me")
    expect(waiting.get_by_text("Waiting for your teacher")).to_be_visible()
    expect(waiting.get_by_text("Keep numbers to yourself")).to_be_visible()
    held = ana.get_by_role("region", name="One post waits for you")
    expect(held.get_by_text("Why it waits: perhaps a phone number")).to_be_visible()


def test_what_was_hidden_while_nobody_looked_leaves_the_device_at_the_next_visit(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    talk = make_thread(ana, demo)
    words = f"canary {uuid.uuid4().hex}"
    hidden = make_post(student(1), demo, talk, words)
    make_post(ana, demo, talk, "And something else")
    open_thread(brave, talk)
    expect(post(brave, words)).to_be_visible()
    brave.goto("/")
    assert not scrubbed(brave, words)
    call(ana, demo, "PUT", f"/posts/{hidden['id']}/hidden", {"because": "Not here"})
    brave.goto(f"/spaces/{demo.space}")
    expect(brave.locator(".talk-home")).to_be_visible()
    for _ in range(40):
        if scrubbed(brave, words):
            break
        brave.wait_for_timeout(250)
    assert scrubbed(brave, words)
    assert not scrubbed(brave, "And something else")
