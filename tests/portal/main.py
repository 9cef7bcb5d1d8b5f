#!/usr/bin/env python3
"""Makes every journey and ends with `N passed, N failed`; what failed is told again, with its reason, just before.

    main.py WORK_FOLDER [--only WORDS] [--list]
"""

import argparse
import importlib
import os
import pathlib
import shutil
import signal
import sys
import time
import traceback

from playwright.sync_api import expect, sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from house.journeys import ALL, sentence  # noqa: E402
from house.visitor import PATIENCE_MS  # noqa: E402
from house.world import FLAGS, House, World  # noqa: E402


def chosen(words):
    for file in sorted((HERE / "journeys").glob("*.py")):
        importlib.import_module(f"journeys.{file.stem}")
    for function, variants in ALL:
        if words in f"{function.__module__} {sentence(function)}":
            for language, width in variants:
                yield function, language, width


def reason(error):
    """What happened, and where in the journey."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if "/journeys/" in step.filename]
    where = f" ({pathlib.Path(steps[-1].filename).name}:{steps[-1].lineno}: {steps[-1].line})" if steps else ""
    # The browser's picture of the whole page is in the artefacts.
    said = str(error).split("Aria snapshot:")[0].split("Call log:")[0].strip()
    return f"{type(error).__name__}: {said[:3000]}{where}"


def made(house, function, language, width):
    """Makes a journey; None, or why it failed."""
    world, failure = World(house, language, width, f"{function.__name__}-{language}-{width}"), None
    try:
        function(world)
    except Exception as error:  # noqa: BLE001  whatever it is, it is told
        failure = reason(error)
    wrong = world.close(failed=failure is not None)
    if wrong:
        failure = "\n".join(filter(None, [failure, *wrong]))
    return failure


def everything(house, journeys):
    passed, failed = 0, []
    for function, language, width in journeys:
        begun, name = time.monotonic(), f"{sentence(function)} ({language}, {width} px)"
        failure = made(house, function, language, width)
        print(f"{'FAILED' if failure else 'ok    '} {name}, {time.monotonic() - begun:.1f} s", flush=True)
        if failure:
            failed.append((name, failure))
        else:
            passed += 1
    return passed, failed


def what_is_left_holds(house):
    """After all journeys: nothing oversold, nobody charged twice, nothing altered."""
    house.close()
    found = [(name, server.verify()) for name, server in house.servers.items()]
    return [(f"the log of the server '{name}' holds", problem) for name, problem in found if problem], len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    journeys = list(chosen(options.only))
    if options.list:
        print("\n".join(f"{sentence(function)} ({language}, {width} px)" for function, language, width in journeys))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("portal: ended from outside, or after too long"))
    chromium = os.environ.get("EVENTFLOW_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    begun = time.monotonic()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        house = House(browser, options.work)
        try:
            passed, failed = everything(house, journeys)
            broken, logs = what_is_left_holds(house)
        finally:
            house.close()
            browser.close()
    passed, failed = passed + logs - len(broken), failed + broken
    for name, value in house.measured.items():
        print(f"       {name}: {value}")
    for name, failure in failed:
        print(f"FAILED {name}:\n       " + failure.replace("\n", "\n       "))
    print(f"portal: {time.monotonic() - begun:.0f} s, pictures in {house.artifacts}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
