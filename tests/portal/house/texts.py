"""The portal's texts in both languages, as its own modules hold them."""

import json
import pathlib
import re

LANGUAGES = ("es", "en")
_PLACE = re.compile(r"\\?\{(\w+)\\?\}")


def areas(assets):
    """The names of the modules with texts, without `.js`."""
    return sorted(file.stem for file in pathlib.Path(assets).glob("js/i18n/*.js"))


def read(page, base, names):
    """`{area: {language: {key: text}}}`, imported by the browser; errors are `{code: {language: text}}` there."""
    script = """async ([base, names]) => {
      const found = {};
      for (const name of names) found[name] = (await import(`${base}/js/i18n/${name}.js`)).default;
      return JSON.stringify(found);
    }"""
    return json.loads(page.evaluate(script, [base, names]))


class Texts:
    def __init__(self, of_areas):
        self.areas = {name: texts for name, texts in of_areas.items() if name != "errors"}
        self.errors = of_areas.get("errors", {})
        self.all = {code: {} for code in LANGUAGES}
        for texts in self.areas.values():
            for code in LANGUAGES:
                self.all[code].update(texts[code])

    def forms(self, language, key):
        """Every form of a text: one, or one for each number."""
        text = self.all[language][key]
        return list(text.values()) if isinstance(text, dict) else [text]

    def pattern(self, language, key, **values):
        """What a text looks like on a page; places without a value may hold anything."""

        def place(found):
            name = found[1]
            return re.escape(str(values[name])) if name in values else ".+?"

        forms = [_PLACE.sub(place, re.escape(form)) for form in self.forms(language, key)]
        # Browsers show any white space as one space.
        return "(?:" + "|".join(re.sub(r"(\\?\s)+", r"\\s+", form) for form in forms) + ")"

    def prefixes(self):
        """The first words of all keys: what a key that is shown by mistake begins with."""
        return sorted({key.split(".")[0] for key in self.all["es"]})
