"""The inspection that every page goes through notices what it is there for."""

from house import inspection, once

# (what is done to a page, a script, what must be said about it)
WAYS = [
    ("a button without a name", "h('button')", "axe: button-name"),
    ("a field without a label", "h('input')", "axe: label"),
    ("pale letters", "h('p', 'pale').style.color = '#999'", "axe: color-contrast"),
    ("letters that are pale in the dark", "h('p', 'pale').classList.add('dark-only')", "dark: axe: color-contrast"),
    ("a second heading of level 1", "h('h1', 'again')", "2 headings of level 1"),
    ("a key instead of words", "h('p', 'nav.nowhere')", "shown instead of words: nav.nowhere"),
    ("a key that only a screen reader reads", "h('p').setAttribute('aria-label', 'page.more')", "shown instead of words: page.more"),
    ("a place that nobody filled in", "h('p', 'for {name}')", "shown instead of words: {name}"),
    ("a value that is not there", "h('p', 'undefined seats')", "shown instead of words: undefined"),
    ("a box that is wider than a phone", "h('p', 'wide').style.width = '400px'", "sticks out at 360 px"),
    ("a box that is wider than a small phone", "h('p', 'wide').style.width = '325px'", "sticks out at 320 px"),
    ("a button for tiny fingers", "Object.assign(h('button', 'x').style, {minHeight: '0', height: '18px', padding: '0'})", "smaller than 24 px"),
    ("another language than was chosen", "document.documentElement.lang = 'en'", "the page does not say"),
]

BEHIND = [
    ("console.error('broken')", "the console says (error): broken"),
    ("setTimeout(() => { throw new Error('fell') })", "a script fell over: fell"),
    ("alert(1)", "a script opened a dialog: 1"),
    ("document.body.innerHTML = '<b>bold</b>'", "the console says (error)"),
    ("fetch('http://127.0.0.1:9/elsewhere').catch(() => {})", "the console says (error)"),
    ("document.body.append(Object.assign(document.createElement('img'), {src: 'https://example.org/x.png'}))", "(error)"),
    ("fetch('/api/eventos/nothing')", "the server responded with a status of 404"),
]

_HELP = """() => {
  const h = (name, text = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    element.classList.add("added");
    document.querySelector("main").append(element);
    return element;
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("@media (prefers-color-scheme: dark) { .dark-only { color: #333; } }");
  document.adoptedStyleSheets = [sheet];
  SCRIPT;
}"""


@once
def whatever_is_wrong_on_a_page_is_noticed(world):
    me, missed = world.visitor(language="es", width=360), []
    me.open("/nowhere")
    for what, script, said in WAYS:
        me.page.evaluate(_HELP.replace("SCRIPT", script))
        found = inspection.problems(me)
        if not any(said in one for one in found):
            missed.append(f"{what}: {found}")
        me.page.evaluate("document.querySelectorAll('.added').forEach((one) => one.remove()); document.documentElement.lang = 'es'")
    assert inspection.problems(me) == [], "it is as it was before"
    assert not missed, "\n".join(missed)


@once
def what_goes_wrong_behind_a_page_is_noticed(world):
    me = world.visitor()
    me.open("/nowhere")
    assert me.wrong == []
    for script, said in BEHIND:
        me.page.evaluate(f"() => {{ try {{ {script} }} catch {{}} }}")
        me.until(lambda: any(said in one for one in me.wrong), f"{said!r} after {script}")
        me.wrong.clear()


@once
def an_answer_that_belongs_to_a_journey_is_not_wrong_and_another_is(world):
    me = world.visitor()
    me.expects(404)
    me.open("/nowhere")
    me.page.evaluate("fetch('/api/eventos/nothing').then(() => fetch('/api/eventos', {method: 'PUT'}))")
    me.until(lambda: me.wrong, "a word about the other answer")
    assert len(me.wrong) == 1 and "405" in me.wrong[0], me.wrong
    me.wrong.clear()


@once
def a_page_that_is_right_passes(world):
    for width in (360, 1440):
        me = world.visitor(width=width)
        me.open("/nowhere")
        me.inspect("no page here")
