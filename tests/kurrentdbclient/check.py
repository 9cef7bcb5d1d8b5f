#!/usr/bin/env python3
"""Uses an EventStoreDB endpoint with `kurrentdbclient`, the Python client that nobody here wrote.

    check.py 'esdb://127.0.0.1:2113?Tls=false'

Exits with 1 at the first thing that is wrong. Streams get fresh names, so the log may have other events, and it may be
checked again and again; nobody else should write to it meanwhile. `--only-log` says that the server has nothing of its
own in the log, as ours has not and EventStoreDB has.
"""

import argparse
import datetime
import json
import os
import sys
import threading
import uuid

from kurrentdbclient import CaughtUp, Checkpoint, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import (
    GrpcError,
    KurrentDBClientError,
    NotFoundError,
    WrongCurrentVersionError,
)

PATIENCE = 30.0
RUN = uuid.uuid4().hex[:12]


def stream(name):
    return f"check_{RUN}_{name}-{uuid.uuid4()}"


def event(kind="told.v1", data=None):
    data = json.dumps({"n": 1} if data is None else data, ensure_ascii=False).encode()
    return NewEvent(type=kind, data=data, metadata=b'{"by":"check"}', id=uuid.uuid4())


def events(count, kind="told.v1"):
    return [event(kind, {"n": n}) for n in range(count)]


def written(client, name, count, kind="told.v1"):
    client.append_to_stream(name, current_version=StreamState.NO_STREAM, events=events(count, kind))
    return client.get_stream(name)


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")


def refused(call, error, *, saying=""):
    """Calls, and expects this error; returns it."""
    try:
        result = call()
    except error as caught:
        if saying not in str(caught):
            raise AssertionError(f"the error does not say {saying!r}: {caught}") from caught
        return caught
    raise AssertionError(f"no {error.__name__} but {result!r}")


class Patience:
    """Stops a subscription that takes too long: its iteration then ends instead of hanging."""

    def __init__(self, subscription):
        self.timer = threading.Timer(PATIENCE, lambda: subscription.stop(cancel=True))

    def __enter__(self):
        self.timer.start()

    def __exit__(self, *_):
        self.timer.cancel()


def until_caught_up(subscription):
    found = []
    for item in subscription:
        found.append(item)
        if isinstance(item, CaughtUp):
            return found
    raise AssertionError("the subscription ended")


def take(subscription, count):
    found = []
    for item in subscription:
        if not isinstance(item, (CaughtUp, Checkpoint)):
            found.append(item)
        if len(found) == count:
            return found
    raise AssertionError(f"the subscription ended after {len(found)} of {count}")


def only_events(items):
    return [item for item in items if not isinstance(item, (CaughtUp, Checkpoint))]


def places(items):
    return [(item.stream_name, item.stream_position) for item in items]


def an_event_comes_back_as_it_was_appended(client, _):
    name, appended = stream("told"), event("told.v1", ["ä", {"b": None}])
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)
    position = client.append_to_stream(name, current_version=StreamState.NO_STREAM, events=[appended])
    [found] = client.get_stream(name)
    same((found.id, found.type, found.data), (appended.id, appended.type, appended.data), "the event")
    same((found.metadata, found.content_type), (b'{"by":"check"}', "application/json"), "its metadata")
    same((found.stream_name, found.stream_position), (name, 0), "its place in the stream")
    same((found.commit_position, found.prepare_position), (position, position), "its place in the log")
    if not before <= found.recorded_at <= before + datetime.timedelta(seconds=60):
        raise AssertionError(f"recorded at {found.recorded_at}")


def the_same_append_again_writes_nothing(client, _):
    name, first, second = stream("same"), events(3), events(2)
    positions = set()
    for _ in range(2):
        positions.add(client.append_to_stream(name, current_version=StreamState.NO_STREAM, events=first))
        positions.add(client.append_to_stream(name, current_version=2, events=second))
    same(len(positions), 2, "places of two appends")
    client.append_to_stream(name, current_version=StreamState.ANY, events=second)
    same(len(client.get_stream(name)), 5, "events")


def a_wrong_expectation_is_told_where_the_stream_is(client, _):
    name = stream("wrong")
    written(client, name, 3)
    for expected, actual in [(StreamState.NO_STREAM, 2), (1, 2), (7, 2)]:
        call = lambda: client.append_to_stream(name, current_version=expected, events=events(1))
        same(refused(call, WrongCurrentVersionError).actual_version, actual, "the stream's version")
    for expected in [0, StreamState.EXISTS]:
        call = lambda: client.append_to_stream(stream("none"), current_version=expected, events=events(1))
        same(refused(call, WrongCurrentVersionError).actual_version, StreamState.NO_STREAM, "no version")


def versions_are_told(client, _):
    name = stream("version")
    same(client.get_current_version(name), StreamState.NO_STREAM, "the version of nothing")
    for version, expected in enumerate([StreamState.ANY, StreamState.EXISTS, 1]):
        client.append_to_stream(name, current_version=expected, events=events(1))
        same(client.get_current_version(name), version, "the version")


def what_cannot_be_kept_is_refused(client, options):
    if not options.only_log:
        return
    bad = NewEvent(type="told.v1", data=b"\xff\xfe", content_type="application/octet-stream")
    call = lambda: client.append_to_stream(stream("bad"), current_version=StreamState.NO_STREAM, events=[bad])
    refused(call, (GrpcError, KurrentDBClientError), saying="UTF-8")
    name = stream("kept")
    written(client, name, 1)
    for delete in (client.delete_stream, client.tombstone_stream):
        refused(lambda: delete(name, current_version=StreamState.ANY), GrpcError, saying="never forgets")
    same(len(client.get_stream(name)), 1, "events")


def a_stream_that_does_not_exist_is_not_found(client, _):
    refused(lambda: client.get_stream(stream("none")), NotFoundError)
    refused(lambda: client.get_stream(stream("none"), backwards=True), NotFoundError)


def a_stream_is_read_both_ways(client, _):
    name = stream("ways")
    written(client, name, 700)
    read = lambda **how: [event.stream_position for event in client.get_stream(name, **how)]
    same(read(), list(range(700)), "forwards")
    same(read(stream_position=690), list(range(690, 700)), "forwards from 690")
    same(read(stream_position=2, limit=3), [2, 3, 4], "three forwards from 2")
    same(read(backwards=True), list(range(699, -1, -1)), "backwards")
    same(read(backwards=True, stream_position=2), [2, 1, 0], "backwards from 2")
    same(read(backwards=True, limit=1), [699], "the last")


def the_whole_log_is_read_both_ways(client, _):
    a, b = stream("all-a"), stream("all-b")
    found = [*written(client, a, 3), *written(client, b, 4)]
    first = found[0].commit_position
    same(places(client.read_all(commit_position=first)), places(found), "forwards, with the first")
    same(places(client.read_all(commit_position=first, limit=2)), places(found[:2]), "two forwards")
    back = list(reversed(found))
    same(places(client.read_all(backwards=True, limit=7)), places(back), "backwards")
    last = back[0].commit_position
    same(places(client.read_all(backwards=True, commit_position=last, limit=6)), places(back[1:]), "without the last")
    same(client.get_commit_position(), last, "the end")
    same(
        places(client.read_all(commit_position=first, filter_include=[f"{b}.*"], filter_by_stream_name=True)),
        places(found[3:]),
        "one stream of the whole log",
    )


def a_subscription_brings_what_is_there_and_what_comes(client, _):
    start = client.get_commit_position()
    a, b = stream("sub-a"), stream("sub-b")
    found = written(client, a, 600)
    with client.subscribe_to_all(commit_position=start, include_caught_up=True) as subscription:
        with Patience(subscription):
            same(places(only_events(until_caught_up(subscription))), places(found), "what is there")
            found = written(client, b, 2)
            same(places(take(subscription, 2)), places(found), "what comes")
    with client.subscribe_to_all(commit_position=found[0].commit_position) as subscription:
        with Patience(subscription):
            same(places(take(subscription, 1)), [(b, 1)], "behind a position")
    with client.subscribe_to_all(from_end=True, include_caught_up=True) as subscription:
        with Patience(subscription):
            same(only_events(until_caught_up(subscription)), [], "nothing old from the end")
            found = written(client, stream("sub-c"), 1)
            same(places(take(subscription, 1)), places(found), "what comes at the end")


def a_stream_is_subscribed_to(client, _):
    name = stream("one")
    written(client, name, 5)
    for place, first in [({}, 0), ({"stream_position": 1}, 2), ({"from_end": True}, None)]:
        with client.subscribe_to_stream(name, include_caught_up=True, **place) as subscription:
            with Patience(subscription):
                found = places(only_events(until_caught_up(subscription)))
                version = client.get_current_version(name)
                expected = [] if first is None else [(name, n) for n in range(first, version + 1)]
                same(found, expected, f"the stream from {place}")
                written(client, stream("another"), 1)
                client.append_to_stream(name, current_version=version, events=events(1))
                same(places(take(subscription, 1)), [(name, version + 1)], "what comes")
    early = stream("early")
    with client.subscribe_to_stream(early) as subscription, Patience(subscription):
        found = written(client, early, 1)
        same(places(take(subscription, 1)), places(found), "a stream that began later")


def filters_hold_and_checkpoints_tell_how_far(client, options):
    start = client.get_commit_position()
    a, b = stream("filter-a"), stream("filter-b")
    found = [*written(client, a, 3, "held.v1"), *written(client, b, 100, "sold.v1")]
    last = found[-1].commit_position
    for how, expected in [
        ({"filter_include": ["held.*"]}, found[:3]),
        ({"filter_exclude": ["sold.*", r"\$.+"]}, found[:3]),
        ({"filter_include": ["sold"], "filter_by_prefix": True}, found[3:]),
        ({"filter_include": [a], "filter_by_prefix": True, "filter_by_stream_name": True}, found[:3]),
        ({"filter_include": [f"{b}$"], "filter_by_stream_name": True}, found[3:]),
    ]:
        subscribe = lambda: client.subscribe_to_all(
            commit_position=start,
            include_checkpoints=True,
            include_caught_up=True,
            window_size=10,
            checkpoint_interval_multiplier=2,
            **how,
        )
        with subscribe() as subscription, Patience(subscription):
            items = until_caught_up(subscription)
            same(places(only_events(items)), places(expected), f"events of {how}")
            checkpoints = [item.commit_position for item in items if isinstance(item, Checkpoint)]
            if checkpoints != sorted(checkpoints) or len(checkpoints) < 4:
                raise AssertionError(f"checkpoints of {how}: {checkpoints}")
            if options.only_log:
                every = [found[n - 1].commit_position for n in range(20, 101, 20)]
                same(checkpoints, [*every, last], f"checkpoints of {how}")


def who_is_there(client, _):
    same([member.state for member in client.read_gossip()], ["NODE_STATE_LEADER"], "the cluster")


def metadata_of_a_stream_is_not_there(client, options):
    if options.only_log:
        metadata, version = client.get_stream_metadata(stream("meta"))
        same((metadata, version), ({}, StreamState.NO_STREAM), "metadata")
        call = lambda: client.set_stream_metadata(stream("meta"), metadata={"$maxCount": 1})
        refused(call, (GrpcError, KurrentDBClientError), saying="$")


CHECKS = [
    an_event_comes_back_as_it_was_appended,
    the_same_append_again_writes_nothing,
    a_wrong_expectation_is_told_where_the_stream_is,
    versions_are_told,
    what_cannot_be_kept_is_refused,
    a_stream_that_does_not_exist_is_not_found,
    a_stream_is_read_both_ways,
    the_whole_log_is_read_both_ways,
    a_subscription_brings_what_is_there_and_what_comes,
    a_stream_is_subscribed_to,
    filters_hold_and_checkpoints_tell_how_far,
    who_is_there,
    metadata_of_a_stream_is_not_there,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--only-log", action="store_true")
    options = parser.parse_args()
    client = KurrentDBClient(options.url)
    try:
        for check in CHECKS:
            try:
                check(client, options)
            except Exception as error:
                print(f"FAILED {check.__name__.replace('_', ' ')}: {type(error).__name__}: {error}")
                return 1
            print(f"ok     {check.__name__.replace('_', ' ')}")
    finally:
        client.close()
    print(f"{len(CHECKS)} checks passed")
    return 0


if __name__ == "__main__":
    result = main()
    # gRPC's clean-up of unfinished calls sometimes waits for ever while the interpreter shuts down.
    sys.stdout.flush()
    os._exit(result)
