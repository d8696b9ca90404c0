"""Each channel against a real local receiver that refuses what the platform refuses."""

from __future__ import annotations

import json
import re
import tomllib
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from watcher.demo.platforms import KINDS
from watcher.demo.receivers import Receivers
from watcher.publish.interface import Channel, DeliveryError, Links, Outgoing, Receipt, Scope
from watcher.publish.registry import CHANNELS, settings_class
from watcher.publish.worst_case import HOSTILE
from watcher.report.model import Report
from watcher.section import ChannelSettings

LINKS = Links(report="https://example.org/report?a=1|2>3", picture="https://example.org/sketch.png")
SENT = [kind for kind in KINDS if kind not in ("hub", "git", "apprise")]


def send(channel: Channel, report: Report, delivery_id: str = "msg_1") -> Receipt:
    payload = channel.render(report, LINKS)
    json.dumps(payload.body)
    pictures = {name: report.pictures[name] for name in payload.pictures}
    return channel.send(Outgoing(delivery_id=delivery_id, payload=payload, pictures=pictures))


def received(receivers: Receivers, channel: str) -> list[Any]:
    paths = sorted((receivers.folder / channel).glob("???.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize("kind", SENT)
def test_the_worst_case_is_taken_and_a_check_sends_nothing(
    kind: str, build: Any, receivers: Receivers, worst: Report
) -> None:
    channel = build(kind)
    assert channel.check()
    assert receivers.counts == {}
    assert send(channel, worst).status
    assert received(receivers, kind)


@pytest.mark.parametrize("kind", SENT)
def test_a_refusal_is_one_error_with_a_scope(kind: str, build: Any, worst: Report, receivers: Receivers) -> None:
    table = receivers.table(kind, kind)
    address = next(key for key in ("url", "api", "homeserver", "server") if key in table)
    channel = build(kind, **{address: receivers.url("nobody", kind) + ("/hooks/x" if kind == "mattermost" else "")})
    with pytest.raises(DeliveryError) as caught:
        send(channel, worst)
    assert "\n" not in str(caught.value)
    assert caught.value.status or caught.value.scope is Scope.CHANNEL


def test_slack_bot_puts_changes_and_sketch_into_a_thread(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("slack-bot")
    receipt = send(channel, worst)
    first, reply, upload = received(receivers, "slack-bot")
    assert receipt.reference == "C0DEMO/1.000000/2.000000"
    assert "thread_ts" not in first
    assert reply["thread_ts"] == upload["thread_ts"] == "1.000000"
    assert "What changed" in json.dumps(reply)
    assert (receivers.folder / "slack-bot" / "003-sketch.png").read_bytes().startswith(b"\x89PNG")


def test_slack_bot_finds_what_arrived_before_a_crash(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("slack-bot")
    again = Outgoing(delivery_id="msg_1", payload=channel.render(worst, LINKS), attempt=2)
    assert channel.recognise(again) is None
    arrived = send(channel, worst)
    send(channel, worst, "msg_2")
    found = channel.recognise(again)
    assert found is not None
    assert found.reference == arrived.reference.rpartition("/")[0]


def test_slack_bot_without_the_scope_to_read_sends_again(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("slack-bot", api=receivers.url("nobody", "slack-bot"))
    assert channel.recognise(Outgoing(delivery_id="msg_1", payload=channel.render(worst, LINKS), attempt=2)) is None


def test_a_thread_that_fails_does_not_repeat_its_message(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("slack-bot")
    payload = channel.render(worst, LINKS)
    broken = {**payload.body, "reply": {"text": "x" * 50_000}}
    outgoing = Outgoing(delivery_id="msg_1", payload=type(payload)(body=broken))
    receipt = channel.send(outgoing)
    assert "thread is not complete" in receipt.status
    assert len(received(receivers, "slack-bot")) == 1


def test_telegram_sends_a_photo_with_entities_that_fit(build: Any, receivers: Receivers, worst: Report) -> None:
    send(build("telegram"), worst)
    (message,) = received(receivers, "telegram")
    units = message["caption"].encode("utf-16-le")
    bold = next(each for each in message["caption_entities"] if each["type"] == "bold")
    assert (
        units[2 * bold["offset"] : 2 * (bold["offset"] + bold["length"])]
        .decode("utf-16-le")
        .startswith("🟠 Test-Model")
    )
    assert any(each["type"] == "text_link" for each in message["caption_entities"])
    assert "@everyone" not in message["caption"]


def test_telegram_without_a_picture_has_room_for_more(build: Any, receivers: Receivers, worst: Report) -> None:
    send(build("telegram", picture=False, thread_id=7), worst)
    (message,) = received(receivers, "telegram")
    assert len(message["text"]) > 2000
    assert message["message_thread_id"] == 7
    assert "… and" in message["text"]


def test_a_group_that_moved_is_followed_and_told(build: Any, receivers: Receivers, worst: Report) -> None:
    receipt = send(build("telegram", chat_id="-1"), worst)
    assert 'chat_id = "-1001"' in receipt.status
    assert [message["chat_id"] for message in received(receivers, "telegram")] == ["-1001"]


def test_a_matrix_delivery_sent_twice_is_one_event(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("matrix")
    assert send(channel, worst).reference == send(channel, worst).reference
    text, picture = received(receivers, "matrix")
    assert text["msgtype"] == "m.notice"
    assert text["m.mentions"] == {}
    assert "<script" not in text["formatted_body"]
    assert "<table>" in text["formatted_body"]
    assert picture["url"].startswith("mxc://")


def test_ntfy_counts_bytes_and_opens_the_report(build: Any, receivers: Receivers, worst: Report) -> None:
    send(build("ntfy"), worst)
    (message,) = received(receivers, "ntfy")
    assert len(message["message"].encode()) <= 4096
    assert message["click"] == LINKS.report
    assert message["markdown"] is False


def test_a_letter_has_text_html_and_the_sketch_inside(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("email")
    assert "answers" in channel.check()
    receipt = send(channel, worst)
    (path,) = (receivers.folder / "email").glob("*.eml")
    letter = message_from_bytes(path.read_bytes(), policy=default)
    assert letter["Message-ID"] == receipt.reference == "<msg_1@example.org>"
    assert letter["Subject"].startswith("Test-Model")
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "What changed" in text.get_content()
    assert '<img src="cid:sketch"' in html.get_content()
    assert "<script>" not in html.get_content()
    pictures = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<sketch>"]


@pytest.mark.parametrize("address", ["nobody", "a\nBcc: x@example.org", ""])
def test_an_address_that_is_none_is_refused(address: str, build: Any) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        build("email", to=[address])


def test_a_password_needs_tls(build: Any) -> None:
    with pytest.raises(ValueError, match="in the clear"):
        build("email", host="mail.example.org", username="me", password="x", security="none")


def test_apprise_sends_what_has_no_channel_of_its_own(build: Any, receivers: Receivers, worst: Report) -> None:
    pytest.importorskip("apprise")
    channel = build("apprise")
    assert "JSON" in channel.check()
    assert send(channel, worst).status
    (message,) = received(receivers, "apprise")
    assert "@everyone" in message["message"]  # plain text: nothing to escape
    assert message["message"].endswith(LINKS.report)


def test_without_apprise_the_error_names_the_extra(build: Any, worst: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(Exception, match=r"model-release-watcher\[apprise\]"):
        send(build("apprise"), worst)


@pytest.mark.parametrize("kind", ["discord", "slack-bot", "telegram", "matrix"])
def test_a_message_can_be_put_in_the_place_of_an_earlier_one(kind: str, build: Any, worst: Report) -> None:
    channel = build(kind)
    first = send(channel, worst)
    later = Outgoing(delivery_id="msg_2", payload=channel.render(worst, LINKS))
    receipt = channel.update(later, first.reference)
    assert "edited" in receipt.status
    assert receipt.reference == first.reference


def test_an_edit_in_matrix_replaces_the_notice(build: Any, receivers: Receivers, worst: Report) -> None:
    channel = build("matrix")
    payload = channel.render(worst, LINKS)
    channel.update(Outgoing(delivery_id="msg_2", payload=payload), "$1")
    (event,) = received(receivers, "matrix")
    assert event["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$1"}
    assert event["m.new_content"] == payload.body


@pytest.mark.parametrize("kind", ["discord", "slack-bot", "telegram", "matrix"])
def test_a_trial_message_can_be_taken_back(kind: str, build: Any, worst: Report) -> None:
    channel = build(kind)
    receipt = send(channel, worst)
    assert receipt.reference
    assert channel.retract(Outgoing(delivery_id="msg_1", payload=channel.render(worst, LINKS)), receipt.reference)


def test_several_channels_of_one_kind(build: Any, receivers: Receivers, worst: Report, tmp_path: Path) -> None:
    send(build("ntfy", name="one", topic="one"), worst)
    send(build("ntfy", name="two", topic="two"), worst)
    assert [message["topic"] for message in received(receivers, "ntfy")] == ["one", "two"]


def test_hostile_words_mention_nobody(build: Any, worst: Report) -> None:
    assert "@everyone" in HOSTILE
    for kind in ("mattermost", "discord", "telegram"):
        assert "@everyone" not in json.dumps(build(kind).render(worst, LINKS).body, ensure_ascii=False), kind


def test_every_table_of_the_example_is_valid(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "config.example.toml"
    for table in tomllib.loads(example.read_text(encoding="utf-8"))["channels"]:
        context = {"environment": {}, "folder": tmp_path}
        assert settings_class(table["type"]).model_validate(table, context=context).name == table["name"]


def test_the_example_names_every_key_of_every_channel() -> None:
    example = (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8")
    for kind in CHANNELS:
        own = settings_class(kind).model_fields.keys() - ChannelSettings.model_fields.keys()
        for key in own:
            assert re.search(rf"(?m)^(# )?{key} = ", example), f"{kind}: {key}"
