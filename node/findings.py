"""What may be wrong with a node: each finding a stable code with its values, and an English sentence for the command
line. The pages say the same in the reader's language, by the code (`templates/desk/finding.html`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "keys-exposed": "others on this machine can read {names}: chmod 600 keys/*",
        "data-exposed": "others on this machine can look into the data directory: chmod 700 it",
        "loopback": "allow_networks opens loopback: right for a test or demo node, wrong for any other",
        "before-restore": "{name} holds texts that were withdrawn since: delete it when nothing in it is needed",
        "disk-low": "{free} MB are free on the disk of the data directory: make room before the node stops taking data",
        "keys-missing": "the keys of {address} are not here: put them back into keys/, or go on with 'tadamun succeed'",
        "hold": "publishing is on hold: {reason}",
        "evidence": "evidence: {fault} in {did} from {via}: {note}; {proven}, {source}",
        "distrusted": "{by} declares that our key is not to be trusted past entry {sequence}: call them",
        "deletes-wait": (
            "{count} texts of {did} are hidden and wait for a second word: 'tadamun member confirm-deletes'"
        ),
        "no-coordinator": "nobody is coordinator: 'tadamun user add NAME --role coordinator'",
        "few-approvers": "{count} of the two approvers that a publication needs when one is ill or away",
        "no-factor": "{name} has no second factor",
        "emergency-late": (
            "R2: the emergency {request} was to be looked at by a sister organisation until {until} UTC: call them"
        ),
        "no-standby": (
            "R2: no sister organisation stands by: nobody can be named in an alert, and no emergency published; see"
            " 'tadamun member standby'"
        ),
        "refused": "refused: {reason} ({rule}) from {via}",
        "pictures-missing": "{count} pictures of alerts are not here: a running 'serve' asks the members for them",
        "member-frozen": "member {handle} is frozen after entry {sequence}",
        "member-no-recovery": "member {handle} has no recovery commitment: a successor could not prove itself",
    }
)
"""By code. A finding's values fill the places of its sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should look at."""

    code: str
    values: Mapping[str, str | int]

    @property
    def text(self) -> str:
        """The English sentence."""
        return SENTENCES[self.code].format(**self.values)


def finding(code: str, **values: str | int) -> Finding:
    """A finding.

    Raises:
        KeyError: a code there is not, or a place of its sentence without a value.
    """
    made = Finding(code, MappingProxyType(values))
    _ = made.text
    return made
