"""Words of the field that mean the same, and months that have two names: whoever asks for one finds the others.

Each line is one thing. What stands in it is compared folded, and without the article. The list is short on purpose: a
search that guesses more finds what nobody asked for.
"""

from node.folding import words

_LINES = """
مجموعة عمل | مجموعات عمل | فريق عامل | فريق عمل | فرق عاملة | فرق عمل | أفرقة عاملة
مجموعة استشارية | فريق استشاري
نظام تضامن | آلية تضامن
نداء عاجل | نداءات عاجلة | مناشدة عاجلة
اختفاء قسري | إخفاء قسري
إفراج | أفرج | أفرجت | إطلاق سراح | أطلق سراح
منع سفر | منع من سفر | حظر سفر
دوافع هيكلية | دوافع منهجية
كانون الثاني | يناير
شباط | فبراير
آذار | مارس
نيسان | أبريل
أيار | مايو
حزيران | يونيو
تموز | يوليو
آب | أغسطس
أيلول | سبتمبر
تشرين الأول | أكتوبر
تشرين الثاني | نوفمبر
كانون الأول | ديسمبر
گروپی کار | کۆمەڵەی کار
working group | working groups | task force
urgent alert | urgent action | urgent appeal
human rights defender | human rights defenders | HRD | HRDs
groupe de travail | groupes de travail
disparition forcée | disparitions forcées
grupo de trabajo | grupos de trabajo
desaparición forzada | desapariciones forzadas
"""
ARTICLE = "ال"


def bare(word: str) -> str:
    """A folded word without the article."""
    return word[2:] if word.startswith(ARTICLE) and len(word) >= 4 else word


def _group(line: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(bare(word) for word in words(phrase)) for phrase in line.split("|"))


GROUPS: tuple[tuple[tuple[str, ...], ...], ...] = tuple(_group(line) for line in _LINES.strip().splitlines())
"""One thing each: its names, each as bare words."""
LONGEST = max(len(name) for group in GROUPS for name in group)


def same(said: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Every name of the thing that these folded words name; nothing where they name none."""
    wanted = tuple(bare(word) for word in said)
    return next((group for group in GROUPS if wanted in group), ())
