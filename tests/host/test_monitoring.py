"""What is read from an application's lines, and what is counted of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyseal_host.errors import Status, TinysealError
from tinyseal_host.monitoring.drawing import picture
from tinyseal_host.monitoring.lines import About, Frame, Splitter, Trouble, Unreadable, read
from tinyseal_host.monitoring.session import Session, csv_text, percentile

HEALTH = {"counts": {"nan": 1, "ok": 7}, "longest": 1, "failed": False}
GOOD = {
    **{"frame": 3, "status": 0, "reason": "ok", "channel": None, "gate_us": 40, "net_us": 200, "health": HEALTH},
    **{"top": 1, "class": "b", "scores": [-5, 7]},
}
BAD = {"frame": 4, "status": 2, "reason": "nan", "channel": 5, "gate_us": 9, "health": HEALTH}


def line(**changed):
    return json.dumps(GOOD | changed)


def test_an_accepted_frame():
    found = read(line())
    assert found == Frame(3, Status.OK, Status.OK, None, 1, "b", (-5, 7), 40, 200, {"ok": 7, "nan": 1}, 1, False)
    assert list(found.counts) == ["ok", "nan"]


def test_a_refused_frame():
    found = read(json.dumps(BAD))
    assert (found.accepted, found.reason, found.channel, found.scores) == (False, Status.NAN, 5, ())


def test_the_other_lines():
    assert read('{"model": "m", "version": 2, "labels": ["a", "b"]}') == About("m", 2, ("a", "b"))
    assert read('{"error": "sensor: 5"}') == Trouble("sensor: 5")


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "{", "[]", "3", "null", "{}", '"error"', "[" * 5000, '{"error": 3}', '{"model": "m"}'),
        '{"model": "m", "version": "2", "labels": []}',
        line(status=11),
        line(status=True),
        line(reason="fine"),
        line(frame=-1),
        line(frame=1.0),
        line(top=2),
        line(scores=[]),
        line(scores=["7", "8"]),
        line(channel="x"),
        line(health=None),
        line(health=HEALTH | {"counts": {"fine": 1}}),
        line(health=HEALTH | {"longest": "1"}),
        json.dumps({name: value for name, value in GOOD.items() if name != "net_us"}),
    ],
)
def test_what_is_no_line_of_ours(text):
    assert read(text) == Unreadable(text)


@given(st.lists(st.integers(1, 12)))
def test_pieces_make_the_same_lines(cuts):
    data = b"\r\none\r\n\xfftwo\nthree \r\n\nlast"
    splitter, found, at = Splitter(), [], 0
    for cut in cuts:
        found += splitter.feed(data[at : at + cut])
        at += cut
    found += splitter.feed(data[at:])
    assert found == ["one", "\ufffdtwo", "three"]


def test_a_line_without_end_is_given_out():
    splitter = Splitter()
    assert sum(len(text) for _ in range(40) for text in splitter.feed(b"x" * 4096)) >= 65536


def seen(*texts):
    session = Session()
    for number, text in enumerate(texts):
        session.note(read(text), float(number))
    return session


def test_frames_are_counted():
    session = seen(line(frame=0), line(frame=1), json.dumps(BAD), line(frame=9), line(frame=0))
    assert (session.frames, session.accepted, session.missing, session.restarts) == (5, 4, 2 + 4, 1)
    assert session.refused == {("nan", 5): 1}
    assert session.classes == {1: 4}
    assert session.rate(4.0) == 1.0
    assert session.latencies_us() == [240] * 4


def test_what_is_ill_formed_is_counted_from_the_first_good_line_on():
    session = seen("MPY: soft reboot", line(), "what", '{"error": "sensor: 5"}')
    assert (session.unreadable, session.last_unreadable) == (1, "what")
    assert session.trouble == Trouble("sensor: 5")
    session.note(read(line()), 9.0)
    assert session.trouble is None


def test_labels_come_from_the_model_or_from_the_last_answer():
    session = seen(line())
    assert (session.label(1), session.label(0)) == ("b", "output 0")
    session.note(About("m", 1, ("first", "second")), 1.0)
    assert (session.label(1), session.label(0)) == ("second", "first")


def test_a_table_of_frames():
    rows = [(0.25, read(line())), (1.0, read(json.dumps(BAD)))]
    assert csv_text(rows, head=True).splitlines() == [
        "seconds,frame,status,reason,channel,top,class,gate_us,net_us,scores",
        "0.250,3,0,ok,,1,b,40,200,-5 7",
        "1.000,4,2,nan,5,,,9,,",
    ]


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.75, 3), (0.76, 4), (1.0, 4), (0.0, 1)])
def test_a_percentile_is_a_value_of_the_list(share, value):
    assert percentile([1, 2, 3, 4], share) == value


def test_a_picture_of_a_session():
    assert picture(seen(line(), json.dumps(BAD)), "m")[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture(seen(json.dumps(BAD)), "m") != picture(seen(line()), "m")
    with pytest.raises(TinysealError, match="nothing to draw"):
        picture(Session(), "m")
