"""What must hold on every page and in every state: accessible, readable, nothing off the edge, no key instead of words."""

import re

from axe_playwright_python.sync_playwright import Axe

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROWEST = 320
_NOT_WORDS = re.compile(r"\bundefined\b|\bNaN\b|\[object \w+\]|\bInvalid Date\b|\{[a-z_]+\}")

# Texts that people read or hear.
_TEXT = """() => {
  const found = [document.title, document.body.innerText];
  for (const name of ["aria-label", "placeholder", "title", "alt", "aria-valuetext", "aria-description"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) found.push(element.getAttribute(name));
  }
  return found.join("\\n");
}"""

# What sticks out at the right, without what scrolls inside of its own box.
_TOO_WIDE = """(width) => {
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      if (at !== document.body && at !== document.documentElement && getComputedStyle(at).overflowX !== "visible") return true;
    }
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !scrolls(element))
    .slice(0, 5)
    .map((element) => `${element.tagName.toLowerCase()}.${element.className} to ${Math.round(element.getBoundingClientRect().right)} px`)
    .concat(`the page is ${document.documentElement.scrollWidth} px wide`);
}"""

# WCAG 2.5.8 without its exceptions for spacing, but with that for links in a sentence.
_TOO_SMALL = """() => {
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button], [role=switch], [role=tab], [tabindex='0']");
  const small = [];
  for (const element of all) {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.closest("[inert]")) continue;
    const [box, ...more] = [element, ...(element.matches("[type=checkbox], [type=radio]") ? element.labels : [])].map((one) => one.getBoundingClientRect());
    if (more.some((one) => one.height >= 23.5 && one.width >= 23.5)) continue;
    if (box.width <= 1 || box.height <= 1) continue;
    const inline = element.matches("a") && getComputedStyle(element).display === "inline" &&
      [...element.parentElement.childNodes].some((node) => node !== element && node.textContent.trim() !== "");
    if (inline) continue;
    if (box.width >= 23.5 && box.height >= 23.5) continue;
    // What is pressed may be larger than what is seen: a label, a card.
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const now = element.getBoundingClientRect();
    const hits = ([x, y]) => {
      const hit = document.elementFromPoint(now.x + now.width / 2 + x, now.y + now.height / 2 + y);
      return element.contains(hit) || [...(element.labels ?? [])].some((label) => label.contains(hit));
    };
    const across = Math.max(11.5 - now.width / 2, 0) ? [[-11.5, 0], [11.5, 0]] : [];
    const along = Math.max(11.5 - now.height / 2, 0) ? [[0, -11.5], [0, 11.5]] : [];
    if (![...across, ...along].every(hits)) small.push(`${element.outerHTML.slice(0, 90)} is ${box.width.toFixed(0)} × ${box.height.toFixed(0)} px`);
  }
  return small;
}"""


def axe(page, only=None):
    """What axe finds, one line for each rule."""
    wanted = {"type": "rule", "values": only} if only else {"type": "tag", "values": TAGS}
    options = {"resultTypes": ["violations"], "runOnly": wanted}
    if not only:
        options["rules"] = {"target-size": {"enabled": True}}
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    found = []
    for one in page.evaluate("(options) => axe.run(document, options)", options)["violations"]:
        nodes = [f"{node['html'][:140]} ({'; '.join(check['message'] for check in node['any'] + node['all'] + node['none'])[:160]})" for node in one["nodes"][:3]]
        found.append(f"axe: {one['id']}: {one['help']}: {' | '.join(nodes)}")
    return found


def not_words(page, texts, but=()):
    text = page.evaluate(_TEXT)
    prefixes = "|".join(map(re.escape, texts.prefixes()))
    keys = [key for key in re.findall(rf"(?<![\w/.@-])(?:{prefixes})(?:\.[a-z0-9_]+)+(?![\w@])", text)]
    return [f"shown instead of words: {word}" for word in dict.fromkeys([*keys, *_NOT_WORDS.findall(text)]) if word not in but]


def frame(visitor):
    page, found = visitor.page, []
    headings = page.locator("h1").filter(visible=True).count()
    if headings != 1:
        found.append(f"{headings} headings of level 1")
    if page.evaluate("document.documentElement.lang") != visitor.language:
        found.append("the page does not say that it is in the language that was chosen")
    return found


def too_wide(page, width):
    return [f"sticks out at {width} px: {one}" for one in page.evaluate(_TOO_WIDE, width)]


def too_small(page):
    return [f"smaller than 24 px: {one}" for one in page.evaluate(_TOO_SMALL)]


def problems(visitor, but=()):
    page = visitor.page
    found = frame(visitor) + not_words(page, visitor.texts, but) + too_wide(page, visitor.width) + too_small(page)
    found += axe(page)
    # Colours do not change with the width.
    if visitor.width < 1000:
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {one}" for one in axe(page, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
        size = page.viewport_size
        page.set_viewport_size({"width": NARROWEST, "height": size["height"]})
        found += too_wide(page, NARROWEST)
        page.set_viewport_size(size)
    return found


def inspect(visitor, state, but=()):
    visitor.world.picture(visitor, state)
    found = problems(visitor, but)
    if found:
        raise AssertionError(f"{state}: " + "\n".join(found))
