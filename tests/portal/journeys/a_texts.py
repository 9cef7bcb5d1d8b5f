"""Both languages say the same things, and nothing that a page wants to say is missing."""

import re

from house import once

_PLACE = re.compile(r"\{(\w+)\}")
_STRING = re.compile(r"""(["'`])((?:(?!\1)[^\\]|\\.)*)\1""")
_COMPARISON = ("===", "!==")


def sources(world):
    """Every module but those that hold the texts."""
    for file in sorted(world.house.assets.glob("js/**/*.js")):
        if file.parent.name != "i18n":
            yield file.relative_to(world.house.assets).as_posix(), file.read_text()


def first_argument(text, start):
    """What stands between a bracket and the first comma or bracket that belongs to it."""
    depth = quoted = 0
    at = start
    while at < len(text):
        letter = text[at]
        if quoted:
            if letter == "\\":
                at += 1
            elif letter == quoted:
                quoted = 0
        elif letter in "\"'`":
            quoted = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif letter == "," and depth == 0:
            break
        at += 1
    return text[start:at]


def wanted(text):
    """The keys that are asked for: whole ones, and the beginnings of those that are put together."""
    for found in re.finditer(r"(?<![\w.])(?:t|has)\(", text):
        argument = first_argument(text, found.end())
        for string in _STRING.finditer(argument):
            quote, key = string[1], string[2]
            before, after = argument[: string.start()].rstrip(), argument[string.end() :].lstrip()
            # What something is compared with is no key.
            if before.endswith(_COMPARISON) or after.startswith(_COMPARISON):
                continue
            yield key.split("${")[0], quote == "`" and "${" in key


def none(found):
    assert not found, "\n".join(found)


@once
def both_languages_have_the_same_texts(world):
    found = []
    for area, texts in world.house.texts.areas.items():
        for one, other in [("es", "en"), ("en", "es")]:
            found += [f"{area}.js: {key} is missing in {other}" for key in texts[one] if key not in texts[other]]
    for code, said in world.house.texts.errors.items():
        found += [f"errors.js: {code} is missing in {one}" for one in ("es", "en") if not said.get(one)]
    none(found)


@once
def both_languages_have_the_same_places_to_fill_in(world):
    texts, found = world.house.texts, []
    for key in texts.all["es"].keys() & texts.all["en"].keys():
        places = [{place for form in texts.forms(one, key) for place in _PLACE.findall(form)} - {"n"} for one in ("es", "en")]
        if places[0] != places[1]:
            found.append(f"{key}: {sorted(places[0])} in es, {sorted(places[1])} in en")
        for one in ("es", "en"):
            if isinstance(texts.all[one][key], dict) and "other" not in texts.all[one][key]:
                found.append(f"{key}: no form for most numbers in {one}")
    none(found)


@once
def no_text_is_empty_and_no_area_says_the_key_of_another_differently(world):
    found, seen = [], {}
    for area, texts in world.house.texts.areas.items():
        for key, text in texts["es"].items():
            if not all(form.strip() for form in world.house.texts.forms("es", key) + world.house.texts.forms("en", key)):
                found.append(f"{area}.js: {key} is empty")
            if seen.setdefault(key, text) != text:
                found.append(f"{area}.js: {key} is somewhere else, too")
    none(found)


@once
def every_text_that_a_page_asks_for_exists(world):
    known, found = world.house.texts.all["es"], []
    for name, text in sources(world):
        for key, beginning in wanted(text):
            if not (any(one.startswith(key) for one in known) if beginning else key in known):
                found.append(f"{name}: there is no text {key!r}")
    none(found)


@once
def every_text_is_asked_for_somewhere(world):
    everything = "\n".join(text for _, text in sources(world))
    beginnings = tuple(re.findall(r"[\"'`]([a-z0-9_.]+[._])(?:\$\{|[\"'] ?\+)", everything))
    said = lambda key: key.startswith(beginnings) or any(f"{quote}{key}{quote}" in everything for quote in "\"'`")
    none([f"nobody says {key}" for key in world.house.texts.all["es"] if not said(key)])
