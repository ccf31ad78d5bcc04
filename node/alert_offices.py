"""What an office's published contact looks like: e-mail and web addresses that can go into a link unharmed.

Decides the form alone. An e-mail address is the plain kind that offices print on their letterheads: no quoted part, no
comment, no percent sign, and nothing that would begin another field of a message or of a `mailto:` link (a line end,
`?`, `&`, a comma). A web address is http(s), in ASCII, without a password in it. Whether a contact may be printed at
all is decided in `alert_input`; a telephone number never is.

Spec: RFC 5322 §3.4.1 (dot-atom); RFC 6068 §2
"""

import re
from urllib.parse import urlsplit

MAX_CONTACT = 254
"""Characters of an e-mail address (RFC 5321 §4.5.3.1) and of the others too."""
MAX_WEB = 500
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
_FAX = re.compile(r"\+?[0-9][0-9 ()/.-]{3,38}[0-9]")
_WEB = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*)?")


def is_email(text: str) -> bool:
    """Whether this is one plain e-mail address and nothing else.

    Spec: RFC 5322 §3.4.1
    """
    local = text.partition("@")[0]
    return len(text) <= MAX_CONTACT and len(local) <= 64 and _EMAIL.fullmatch(text) is not None


def is_fax(text: str) -> bool:
    """Whether this is a number as people write it."""
    return _FAX.fullmatch(text) is not None


def is_web(text: str) -> bool:
    """Whether this is an http(s) address that may become a link."""
    return len(text) <= MAX_WEB and _WEB.fullmatch(text) is not None and bool(urlsplit(text).hostname)
