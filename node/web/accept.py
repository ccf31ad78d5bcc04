"""What a browser says about its reader's languages: the header `Accept-Language`, read for what it is worth.

Nothing in it is an error: what cannot be read counts for almost nothing, and only the beginning is looked at.

Spec: RFC 9110 §12.4.2, §12.5.4
"""

_LIMIT = 1000
"""Characters of a header that are looked at: browsers send under 200."""
_HARDLY = 0.001


def primary(tag: str) -> str:
    """The language of a tag without its region: `ar` of `ar-IQ`."""
    return tag.strip().lower().partition("-")[0]


def ranges(header: str) -> list[tuple[str, float]]:
    """(language, quality): exclusions first, then the best first; equals keep the header's order."""
    found = []
    for part in header[:_LIMIT].split(","):
        tag, _, parameters = part.partition(";")
        language = primary(tag)
        if language:
            found.append((language, _quality(parameters)))
    return sorted(found, key=lambda item: (item[1] != 0, -item[1]))


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return _HARDLY
    return quality if 0 <= quality <= 1 else _HARDLY
